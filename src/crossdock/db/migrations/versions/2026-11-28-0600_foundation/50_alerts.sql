create table alerts (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    kind text not null,
    message text not null,
    order_id bigint,
    created_at timestamptz not null default now(),
    seen_at timestamptz,
    primary key (shop_id, id)
);
