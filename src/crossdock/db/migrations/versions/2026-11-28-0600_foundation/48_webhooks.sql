-- Who is told of what happens in a shop by calls of an address of theirs, in the words of a channel. A deleted one
-- stays for the log of its deliveries, without its secret. With `invoice_id` it hears of that invoice alone.
create table webhook_subscriptions (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    channel text not null,
    url text not null check (char_length(url) between 1 and 2000),
    names text[] not null check (cardinality(names) between 1 and 100),
    sealed_secret bytea,
    invoice_id bigint,
    -- The first and the last failed attempt of a row of failures; a call that arrived between them ends the row.
    failing_since timestamptz,
    last_failed_at timestamptz,
    paused_at timestamptz,
    deleted_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (shop_id, id),
    foreign key (shop_id, invoice_id) references invoices (shop_id, id),
    constraint webhooks_have_a_secret check ((sealed_secret is null) = (deleted_at is not null))
);

create index webhook_subscriptions_of_channel on webhook_subscriptions (shop_id, channel, id)
    where deleted_at is null and (invoice_id is null or paused_at is not null);

create index webhook_subscriptions_of_invoice on webhook_subscriptions (shop_id, invoice_id)
    where invoice_id is not null;

-- What happened, in the words of a channel: the same events that subscriptions are told of, to be read by number.
create table webhook_feeds (
    shop_id bigint not null references shops on delete cascade,
    channel text not null,
    last_sequence bigint not null default 0,
    primary key (shop_id, channel)
);

create table webhook_events (
    shop_id bigint not null,
    channel text not null,
    sequence bigint not null,
    name text not null,
    data jsonb not null,
    happened_at timestamptz not null,
    noted_at timestamptz not null,
    primary key (shop_id, channel, sequence),
    foreign key (shop_id, channel) references webhook_feeds on delete cascade
);

create index webhook_events_by_age on webhook_events (noted_at);
