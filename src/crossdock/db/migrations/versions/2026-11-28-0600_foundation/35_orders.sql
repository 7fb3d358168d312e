-- Orders.
create table order_moves (
    from_state text not null,
    to_state text not null,
    primary key (from_state, to_state)
);

-- No foreign keys to shops or partners from here on: each insert would lock that one
-- row for all writers at once. `crossdock doctor` looks for orphans instead.
create table orders (
    shop_id bigint not null,
    id bigint generated always as identity (start with 10001),
    order_key text not null,
    partner_id bigint not null,
    channel text not null,
    partner_order_id text not null,
    customer_id bigint,
    state text not null,
    currency char(3) not null,
    subtotal_minor bigint not null check (subtotal_minor >= 0),
    tax_minor bigint not null default 0 check (tax_minor >= 0),
    shipping_minor bigint not null default 0 check (shipping_minor >= 0),
    discount_minor bigint not null default 0 check (discount_minor >= 0),
    total_minor bigint not null check (total_minor = subtotal_minor + tax_minor + shipping_minor - discount_minor),
    billing jsonb not null,
    shipping jsonb not null,
    comments text not null default '',
    tax_id text not null default '',
    resale_tax text not null default '',
    sales_rep_id bigint,
    sales_rep_source text not null default 'none' check (sales_rep_source in ('stored', 'external', 'rotation', 'none')),
    source text not null,
    is_test boolean not null default false,
    details jsonb not null default '{}',
    placed_at timestamptz not null,
    updated_at timestamptz not null,
    cancelled_at timestamptz,
    primary key (shop_id, id),
    unique (id),
    unique (partner_id, partner_order_id)
);

create table order_lines (
    shop_id bigint not null,
    order_id bigint not null,
    line_no smallint not null,
    variant_id bigint not null,
    product_id bigint not null,
    merchant_id bigint not null,
    name text not null,
    sku text not null,
    upc text not null default '',
    origin text not null default '',
    image text,
    quantity bigint not null check (quantity > 0),
    unit_price_minor bigint not null check (unit_price_minor >= 0),
    vat_bp integer not null default 0,
    total_minor bigint not null check (total_minor = unit_price_minor * quantity),
    note text not null default '',
    details jsonb not null default '{}',
    picked bigint not null default 0 check (picked >= 0),
    shipped bigint not null default 0 check (shipped >= 0),
    returned bigint not null default 0 check (returned >= 0),
    primary key (shop_id, order_id, line_no),
    constraint order_lines_picked_of_quantity check (picked <= quantity),
    constraint order_lines_shipped_of_picked check (shipped <= picked),
    constraint order_lines_returned_of_shipped check (returned <= shipped),
    foreign key (shop_id, order_id) references orders (shop_id, id) on delete cascade
);

create index order_lines_variant on order_lines (shop_id, variant_id);

-- What an order took from which pool, merged over its lines; what is still committed is quantity - shipped.
create table order_allocations (
    shop_id bigint not null,
    order_id bigint not null,
    variant_id bigint not null,
    pool text not null,
    quantity bigint not null check (quantity > 0),
    status text not null default 'committed' check (status in ('committed', 'returned', 'shipped')),
    shipped bigint not null default 0 check (shipped between 0 and quantity),
    primary key (shop_id, order_id, variant_id, pool),
    foreign key (shop_id, order_id) references orders (shop_id, id) on delete cascade
);

-- The wall behind the code: an order moves only along the listed arrows.
insert into order_moves (from_state, to_state) values
    ('waiting_for_release', 'reserved'), ('waiting_for_release', 'processing'), ('waiting_for_release', 'cancelled'),
    ('reserved', 'processing'), ('reserved', 'waiting_for_release'), ('reserved', 'cancelled'),
    ('processing', 'waiting_for_release'), ('processing', 'in_fulfilment'), ('processing', 'cancelled'),
    ('in_fulfilment', 'partially_shipped'), ('in_fulfilment', 'shipped'),
    ('partially_shipped', 'shipped'), ('shipped', 'completed');

create function refuse_illegal_order_move() returns trigger language plpgsql as $$
begin
    if not exists (select 1 from order_moves m where m.from_state = old.state and m.to_state = new.state) then
        raise exception 'an order cannot move from % to %', old.state, new.state using errcode = 'CD010';
    end if;
    return new;
end $$;

create trigger orders_move before update of state on orders
    for each row when (old.state is distinct from new.state) execute function refuse_illegal_order_move();

-- Goods that wait for stock, oldest first, for the run that releases them.
create index orders_waiting on orders (shop_id, id) where state in ('reserved', 'waiting_for_release');

-- Goods that were released without looking, for the run that takes them back when they are short.
create index orders_released_unseen on orders (shop_id, id)
    where state = 'processing' and details ->> 'released_unseen' = 'true';
