-- Events: the outbox. The sequence number is given after commit (see shop/events/numbering.sql),
-- so that a reader never sees a gap that closes later.
create table events (
    shop_id bigint not null,
    id bigint generated always as identity,
    sequence bigint,
    kind text not null,
    subject_id bigint,
    payload jsonb not null default '{}',
    created_at timestamptz not null default now(),
    primary key (shop_id, id)
);

create unique index events_sequence on events (shop_id, sequence) where sequence is not null;

create index events_unnumbered on events (shop_id, id) where sequence is null;
