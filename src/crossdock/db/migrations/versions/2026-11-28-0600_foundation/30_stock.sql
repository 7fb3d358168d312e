-- Stock. A level is the sum of its entries; `available` is what can still be sold.
-- Variants are never deleted, so levels have no foreign key to them: in a large import it would cost time for every
-- row. `crossdock doctor` looks for levels of unknown variants.
create table stock_levels (
    shop_id bigint not null,
    variant_id bigint not null,
    pool text not null check (pool in ('own', 'supplier')),
    on_hand bigint not null default 0 check (on_hand >= 0),
    held bigint not null default 0 check (held >= 0),
    committed bigint not null default 0 check (committed >= 0),
    warning_level bigint not null default 0 check (warning_level >= 0),
    available bigint generated always as (on_hand - held - committed - warning_level) stored,
    best_before date,
    best_before_alert text not null default '',
    updated_at timestamptz not null default now(),
    primary key (shop_id, variant_id, pool)
) with (fillfactor = 70);

-- Levels that warn, for the list of what runs out. Orders change no column of it, so their updates stay in their page.
create index stock_levels_warning on stock_levels (shop_id, variant_id, pool) where warning_level > 0;

create table stock_entries (
    shop_id bigint not null,
    id bigint generated always as identity,
    variant_id bigint not null,
    pool text not null,
    kind text not null check (kind in ('receive', 'hold', 'release', 'expire', 'commit', 'uncommit', 'ship',
                                       'adjust', 'restock', 'transfer')),
    on_hand_delta bigint not null default 0,
    held_delta bigint not null default 0,
    committed_delta bigint not null default 0,
    reason text not null default '',
    order_id bigint,
    hold_id bigint,
    transfer_id bigint,
    created_at timestamptz not null default now(),
    primary key (shop_id, id)
);

create index stock_entries_variant on stock_entries (shop_id, variant_id, pool);

-- What a caller posts: the changes of one level, and what becomes its entry. See shop/stock/posting.sql.
create type stock_posting as (
    variant_id bigint,
    pool text,
    kind text,
    on_hand bigint,
    held bigint,
    committed bigint,
    floor boolean,
    hold_id bigint,
    transfer_id bigint
);

create table holds (
    shop_id bigint not null,
    id bigint generated always as identity,
    variant_id bigint not null,
    pool text not null,
    quantity bigint not null check (quantity > 0),
    status text not null default 'held' check (status in ('held', 'released', 'expired', 'committed')),
    reference text not null default '',
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    closed_at timestamptz,
    primary key (shop_id, id),
    foreign key (shop_id, variant_id, pool) references stock_levels (shop_id, variant_id, pool) on delete cascade
);

create index holds_expiry on holds (expires_at) where status = 'held';

create index holds_variant on holds (shop_id, variant_id, pool) where status = 'held';

create trigger stock_entries_append_only before update or delete on stock_entries
    for each row execute function refuse_append_only_change();
