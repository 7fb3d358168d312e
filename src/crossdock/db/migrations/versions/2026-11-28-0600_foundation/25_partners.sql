-- Partners: who may call, on which channel, under which terms.
create table partners (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    channel text not null,
    name text not null,
    active boolean not null default true,
    permissions text[] not null default '{}',
    backorder boolean not null default false,
    min_amount_minor bigint check (min_amount_minor >= 0),
    max_amount_minor bigint check (max_amount_minor >= 0),
    visible_merchants bigint[],
    price_list_id bigint,
    customer_id bigint,
    settings jsonb not null default '{}',
    revision bigint not null default 1,
    watched_until timestamptz,  -- until when its calls are kept for staff to read
    created_at timestamptz not null default now(),
    primary key (shop_id, id),
    unique (id),
    unique (shop_id, channel, name),
    foreign key (shop_id, price_list_id) references price_lists (shop_id, id)
);

create table credentials (
    shop_id bigint not null,
    id bigint generated always as identity,
    partner_id bigint not null,
    channel text not null,
    public_key text not null,
    proof text not null default 'signature' check (proof in ('signature', 'bearer', 'password')),
    token_prefix text not null default '',
    is_test boolean not null default false,
    scopes text[],  -- of what was granted to an app: instead of the partner's permissions
    disabled_at timestamptz,
    lent_until timestamptz,  -- of a key that staff try one call with
    created_at timestamptz not null default now(),
    primary key (shop_id, id),
    unique (id),
    unique (channel, public_key),
    foreign key (shop_id, partner_id) references partners (shop_id, id) on delete cascade
);

create index credentials_partner on credentials (shop_id, partner_id);

-- One valid secret per credential, or two during a rotation. A signing secret is needed in plain text and is
-- therefore encrypted; of a token or password only a hash is stored, and of a token its first characters, so that
-- people can recognise it.
create table credential_secrets (
    credential_id bigint not null references credentials (id) on delete cascade,
    id bigint generated always as identity primary key,
    sealed bytea,
    token_hash bytea unique,
    password_hash text,
    hint text not null default '',
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    check (num_nonnulls(sealed, token_hash, password_hash) = 1)
);

create index credential_secrets_credential on credential_secrets (credential_id);

-- Tokens that a caller got for its name and password; each expires.
create table access_tokens (
    token_hash bytea primary key,
    credential_id bigint not null references credentials (id) on delete cascade,
    issued_at timestamptz not null,
    expires_at timestamptz not null
);

create index access_tokens_credential on access_tokens (credential_id, issued_at);

create index access_tokens_expiry on access_tokens (expires_at);

-- Programs of others that act for a shop once a person of its staff has agreed. Each has a partner, and each consent
-- is one of that partner's credentials, whose secrets are the access tokens.
create table apps (
    shop_id bigint not null,
    id bigint generated always as identity,
    partner_id bigint not null,
    client_id text not null unique,
    name text not null,
    secret_hash bytea not null,
    former_hash bytea,  -- of the secret before, good until former_until
    former_until timestamptz,
    return_addresses text[] not null check (cardinality(return_addresses) > 0),
    scopes text[] not null check (cardinality(scopes) > 0),
    created_at timestamptz not null,
    revoked_at timestamptz,
    primary key (shop_id, id),
    foreign key (shop_id, partner_id) references partners (shop_id, id) on delete cascade
);

create table app_grants (
    shop_id bigint not null,
    id bigint generated always as identity,
    app_id bigint not null,
    credential_id bigint not null references credentials (id) on delete cascade,
    person_id bigint not null,  -- who agreed
    created_at timestamptz not null,
    revoked_at timestamptz,
    primary key (shop_id, id),
    foreign key (shop_id, app_id) references apps (shop_id, id) on delete cascade
);

create index app_grants_app on app_grants (shop_id, app_id);

create index app_grants_credential on app_grants (credential_id);

-- What a person's consent gave an app: a code, good for one exchange.
create table app_codes (
    code_hash bytea primary key,
    shop_id bigint not null,
    app_id bigint not null,
    person_id bigint not null,
    return_address text not null,
    scopes text[] not null,
    challenge text not null default '',  -- S256 of the verifier (RFC 7636), '' for none
    expires_at timestamptz not null,
    used_at timestamptz,
    grant_id bigint,  -- what it was exchanged for; a second exchange ends that
    foreign key (shop_id, app_id) references apps (shop_id, id) on delete cascade
);

create index app_codes_app on app_codes (shop_id, app_id);

create index app_codes_expiry on app_codes (expires_at);

-- Each is good once; a used one that comes again ends its grant.
create table app_refresh_tokens (
    token_hash bytea primary key,
    shop_id bigint not null,
    grant_id bigint not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    foreign key (shop_id, grant_id) references app_grants (shop_id, id) on delete cascade
);

create index app_refresh_tokens_grant on app_refresh_tokens (shop_id, grant_id);

create index app_refresh_tokens_expiry on app_refresh_tokens (expires_at);

-- Secrets of the partner's own servers, which the shop calls: by the name of the setting, encrypted.
create table partner_secrets (
    partner_id bigint not null references partners (id) on delete cascade,
    name text not null,
    sealed bytea not null,
    primary key (partner_id, name)
);

-- The last calls of a watched partner, without secrets, card data and personal data; a few of each partner.
create table partner_calls (
    shop_id bigint not null,
    id bigint generated always as identity,
    partner_id bigint not null,
    called_at timestamptz not null,
    request_id text not null,
    method text not null,
    path text not null,
    request_head jsonb not null,
    request_body text not null,
    status integer not null,
    answer_head jsonb not null,
    answer_body text not null,
    took_ms integer not null,
    verdict text not null,
    mistake text not null,
    primary key (shop_id, id),
    foreign key (shop_id, partner_id) references partners (shop_id, id) on delete cascade
);

create index partner_calls_partner on partner_calls (shop_id, partner_id, id);

create table nonces (
    credential_id bigint not null,
    nonce text not null,
    expires_at timestamptz not null,
    primary key (credential_id, nonce)
);

create index nonces_expiry on nonces (expires_at);

create table rate_windows (
    credential_id bigint not null,
    window_start timestamptz not null,
    calls integer not null,
    primary key (credential_id, window_start)
);

-- Of callers who may call steadily rather than so often in a minute: until when their calls keep them busy.
create table call_paces (
    credential_id bigint primary key,
    busy_until timestamptz not null
);


-- A partner's cached credential is valid only for the revision it was read at.
create function bump_partner_revision() returns trigger language plpgsql as $$
begin
    new.revision := old.revision + 1;
    return new;
end $$;

create trigger partners_revision before update on partners
    for each row execute function bump_partner_revision();

-- Keys of channels whose keys are numbers.
create sequence caller_numbers as bigint start with 1;
