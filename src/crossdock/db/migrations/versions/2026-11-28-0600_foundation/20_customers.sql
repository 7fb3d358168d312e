create table sales_reps (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    name text not null,
    email text,
    active boolean not null default true,
    primary key (shop_id, id),
    unique (shop_id, email)
);

create table sales_rep_rotation (
    shop_id bigint primary key references shops on delete cascade,
    last_sales_rep_id bigint not null default 0
);

create table customers (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    email text not null,
    first_name text not null default '',
    last_name text not null default '',
    company text not null default '',
    active boolean not null default true,
    billing jsonb not null default '{}',
    shipping jsonb not null default '{}',
    sales_rep_id bigint,
    sales_rep_source text check (sales_rep_source in ('stored', 'external', 'rotation')),
    created_at timestamptz not null default now(),
    deleted_at timestamptz,
    primary key (shop_id, id),
    foreign key (shop_id, sales_rep_id) references sales_reps (shop_id, id)
);

create unique index customers_email on customers (shop_id, lower(email)) where deleted_at is null;

-- The shop's customers as its back office pages through them, the newest first.
create index customers_created on customers (shop_id, created_at, id) where deleted_at is null;

create index customers_last_name on customers (shop_id, lower(last_name) text_pattern_ops);

create index customers_company on customers (shop_id, lower(company) text_pattern_ops) where company <> '';

-- Staff look customers up by any part of what they are called.
create index customers_words on customers using gin (
    word_ends(shop_id, email || ' ' || company || ' ' || first_name || ' ' || last_name)) where deleted_at is null;
