-- Events: the outbox. The sequence number is assigned after the commit (shop/events/numbering.sql), so that a reader
-- never sees a gap that is filled later. The topic is derived from the kind (shop/events/writing.sql). The author is the person
-- who did it; null where it was a partner's program or the server itself.
create table events (
    shop_id bigint not null,
    id bigint generated always as identity,
    sequence bigint,
    kind text not null,
    topic text not null,
    subject_id bigint,
    payload jsonb not null default '{}',
    created_at timestamptz not null default now(),
    author text check (author <> ''),
    primary key (shop_id, id)
);

create unique index events_sequence on events (shop_id, sequence) where sequence is not null;

create index events_unnumbered on events (shop_id, id) include (topic) where sequence is null;

-- The events of an order, for its timeline and the order feed.
create index events_of_order on events (shop_id, subject_id, id) where topic = 'orders' and subject_id is not null;

-- The number of numbered events by topic; with the unnumbered ones it is the topic's version.
create table event_topics (
    shop_id bigint not null references shops on delete cascade,
    topic text not null,
    numbered bigint not null check (numbered >= 0),
    primary key (shop_id, topic)
);

-- Each consumer's position: everything up to it was processed, in the transactions that advanced it.
-- `failures` counts failed attempts at the next batch, which is retried at `next_attempt_at`.
create table event_consumers (
    shop_id bigint not null references shops on delete cascade,
    consumer text not null,
    position bigint not null default 0 check (position >= 0),
    failures integer not null default 0 check (failures >= 0),
    last_error text not null default '',
    next_attempt_at timestamptz,
    updated_at timestamptz not null default now(),
    primary key (shop_id, consumer)
);

-- Events that a consumer could not take while it could take later ones, and those of the same subject that follow them,
-- so that they stay in order. The first of each subject is tried again at `next_attempt_at`.
create table event_backlog (
    shop_id bigint not null references shops on delete cascade,
    consumer text not null,
    sequence bigint not null,
    subject text not null,
    failures integer not null default 0 check (failures >= 0),
    last_error text not null default '',
    next_attempt_at timestamptz not null,
    primary key (shop_id, consumer, sequence)
);
