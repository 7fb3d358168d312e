-- People: the shop's staff, partners' people, and resellers, who are of the shop that invited them first. A session
-- belongs to a principal of any kind. Only hashes of session tokens and recovery codes are stored. In an incomplete
-- session the second factor is still missing.
create table people (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    kind text not null check (kind in ('staff', 'partner', 'reseller')),
    partner_id bigint,
    email text not null,
    name text not null default '',
    language text not null default '' check (language in ('', 'en', 'nl', 'fr', 'de')),
    role text not null check (role in ('owner', 'manager', 'warehouse', 'viewer', 'partner', 'reseller')),
    password_hash text not null,
    totp_sealed bytea,
    totp_last_step bigint not null default 0,
    active boolean not null default true,
    created_at timestamptz not null default now(),
    last_seen_at timestamptz,
    primary key (shop_id, id),
    unique (id),
    unique (kind, id),
    foreign key (shop_id, partner_id) references partners (shop_id, id) on delete cascade,
    check ((kind = 'partner') = (partner_id is not null)),
    check ((kind = 'partner') = (role = 'partner')),
    check ((kind = 'reseller') = (role = 'reseller'))
);

-- What staff show of a list of the console, under a name: its address's query.
create table saved_views (
    shop_id bigint not null,
    id bigint generated always as identity,
    person_id bigint not null,  -- who saved it
    list text not null,
    name text not null,
    query text not null,
    is_shared boolean not null,
    created_at timestamptz not null,
    primary key (shop_id, id),
    foreign key (shop_id, person_id) references people (shop_id, id) on delete cascade
);

create unique index saved_views_name
    on saved_views (shop_id, list, (case when is_shared then 0 else person_id end), lower(name));

create index saved_views_person on saved_views (shop_id, person_id);

create index people_partner on people (shop_id, partner_id);

create unique index people_email on people (lower(email));

-- Who acts in the portal for which reseller relationships: those who accepted its invitation.
create table reseller_people (
    shop_id bigint not null,
    reseller_id bigint not null,
    person_id bigint not null references people (id) on delete cascade,
    created_at timestamptz not null,
    primary key (shop_id, reseller_id, person_id),
    foreign key (shop_id, reseller_id) references resellers (shop_id, id) on delete cascade
);

create index reseller_people_person on reseller_people (person_id);

create table sessions (
    token_hash bytea primary key,
    principal_kind text not null,
    principal_id bigint not null,
    form_token text not null,
    is_complete boolean not null default false,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    expires_at timestamptz not null,
    foreign key (principal_kind, principal_id) references people (kind, id) on delete cascade
);

create index sessions_principal on sessions (principal_id);

create index sessions_expiry on sessions (expires_at);

create table recovery_codes (
    person_id bigint not null references people (id) on delete cascade,
    code_hash bytea not null,
    used_at timestamptz,
    primary key (person_id, code_hash)
);

-- Failed sign-ins by account and by source, both stored as keyed hashes.
create table sign_in_attempts (
    key_hash bytea primary key,
    failures integer not null check (failures >= 0),
    blocked_until timestamptz not null,
    last_at timestamptz not null
);

create index sign_in_attempts_age on sign_in_attempts (last_at);

-- Links by which a person chooses a password: of an invitation, or after an owner's reset. Only hashes are stored.
create table password_links (
    token_hash bytea primary key,
    person_id bigint not null references people (id) on delete cascade,
    expires_at timestamptz not null,
    used_at timestamptz
);

create index password_links_person on password_links (person_id);
