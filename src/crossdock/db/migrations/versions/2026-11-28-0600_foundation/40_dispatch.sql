-- One row per order to be sent to an outside fulfilment system.
create table dispatches (
    shop_id bigint not null,
    order_id bigint not null,
    connector text not null,
    status text not null default 'queued' check (status in ('queued', 'sending', 'sent', 'failed', 'withdrawn')),
    attempts integer not null default 0,
    external_id text,
    last_error text not null default '',
    next_attempt_at timestamptz,
    sent_at timestamptz,
    updated_at timestamptz not null default now(),
    primary key (shop_id, order_id),
    foreign key (shop_id, order_id) references orders (shop_id, id) on delete cascade
);

create index dispatches_status on dispatches (status, next_attempt_at) where status in ('queued', 'sending', 'failed');

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
