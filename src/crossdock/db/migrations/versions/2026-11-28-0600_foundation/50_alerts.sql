-- Conditions that need a person's attention. There is at most one open alert for each kind and order or subject.
create table alerts (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    kind text not null check (kind ~ '^[a-z][a-z0-9_]*$'),
    message text not null,
    order_id bigint,
    subject text not null default '',
    created_at timestamptz not null default now(),
    seen_at timestamptz,
    seen_by text not null default '',
    primary key (shop_id, id)
);

create unique index alerts_open on alerts (shop_id, kind, coalesce(order_id, 0), subject) where seen_at is null;
