-- The queue of all outgoing calls, and the log of their attempts. There is no foreign key to a delivery's subject,
-- because each kind has its own; `crossdock doctor` looks for orphans.
create table deliveries (
    shop_id bigint not null,
    id bigint generated always as identity,
    kind text not null,
    target text not null,
    subject_id bigint,
    object_key text,
    payload jsonb not null default '{}',
    status text not null default 'queued' check (status in ('queued', 'sending', 'sent', 'failed', 'withdrawn')),
    attempts integer not null default 0 check (attempts >= 0),
    result text,
    last_error text not null default '',
    -- When a queued one is due, or when the claim of one that is being sent expires.
    next_attempt_at timestamptz,
    queued_at timestamptz not null,
    sent_at timestamptz,
    updated_at timestamptz not null,
    primary key (shop_id, id),
    -- A consumer that reads an event twice queues its delivery once.
    constraint deliveries_once unique (shop_id, kind, subject_id, target),
    constraint deliveries_waiting_have_a_time check ((status in ('queued', 'sending')) = (next_attempt_at is not null)),
    constraint deliveries_sent_have_a_time check (status <> 'sent' or sent_at is not null)
);

create index deliveries_waiting on deliveries (status, shop_id, kind, target, next_attempt_at, id)
    where status in ('queued', 'sending');

create index deliveries_of_object on deliveries (shop_id, kind, target, object_key, id) where object_key is not null;

create index deliveries_failed on deliveries (shop_id, id) where status = 'failed';

create index deliveries_sent on deliveries (sent_at) where status = 'sent';

-- The unique keys of deliveries that were sent and then deleted, so that none of them is queued again.
create table purged_deliveries (
    shop_id bigint not null,
    kind text not null,
    subject_id bigint not null,
    target text not null,
    result text,
    sent_at timestamptz not null,
    primary key (shop_id, kind, subject_id, target)
);

create table delivery_attempts (
    shop_id bigint not null,
    delivery_id bigint not null,
    id bigint generated always as identity,
    attempt integer not null,
    started_at timestamptz,
    took_ms bigint check (took_ms >= 0),
    outcome text not null check (outcome in ('sent', 'queued', 'failed', 'stopped', 'lost')),
    http_status integer,
    error text not null default '' check (char_length(error) <= 500),
    answer text not null default '' check (char_length(answer) <= 500),
    request_headers jsonb,  -- without secrets, like the answer's; null where the kind does not note them
    answer_headers jsonb,
    primary key (shop_id, delivery_id, id),
    foreign key (shop_id, delivery_id) references deliveries (shop_id, id) on delete cascade
);

create table connectors (
    shop_id bigint not null references shops on delete cascade,
    name text not null,
    kind text not null check (kind in ('manual', 'webhook', 'sellercloud')),
    settings jsonb not null default '{}',
    sealed_secret bytea,
    is_default boolean not null default false,
    enabled boolean not null default true,
    primary key (shop_id, name)
);

create unique index connectors_default on connectors (shop_id) where is_default;
