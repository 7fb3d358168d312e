create table price_lists (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    name text not null,
    currency char(3) not null,
    primary key (shop_id, id),
    unique (shop_id, name)
);

create table price_list_items (
    shop_id bigint not null,
    price_list_id bigint not null,
    variant_id bigint not null,
    price_minor bigint not null check (price_minor >= 0),
    primary key (shop_id, price_list_id, variant_id),
    foreign key (shop_id, price_list_id) references price_lists (shop_id, id) on delete cascade,
    foreign key (shop_id, variant_id) references variants (shop_id, id) on delete cascade
);

-- A coupon lowers the price of a unit, or makes its shipping free, above a threshold. It applies to the whole shop,
-- to one merchant, or to one product of a merchant.
create table coupons (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    code text not null,
    kind text not null,
    currency char(3) not null,
    threshold_minor bigint not null default 0 check (threshold_minor >= 0),
    amount_minor bigint check (amount_minor > 0),
    percent_bp integer check (percent_bp between 1 and 10000),
    merchant_id bigint,
    product_id bigint,
    starts_at timestamptz,
    ends_at timestamptz,
    enabled boolean not null default true,
    created_at timestamptz not null,
    primary key (shop_id, id),
    unique (shop_id, code),
    constraint coupons_take_what_their_kind_says check (case kind
        when 'amount_off' then amount_minor is not null and percent_bp is null
        when 'percent_off' then percent_bp is not null and amount_minor is null
        when 'free_shipping' then num_nonnulls(amount_minor, percent_bp) = 0
        else false end),
    check (starts_at < ends_at),
    check (product_id is null or merchant_id is not null),
    foreign key (shop_id, merchant_id) references merchants (shop_id, id),
    foreign key (shop_id, product_id) references products (shop_id, id) on delete cascade
);

create index coupons_scope on coupons (shop_id, coalesce(merchant_id, 0), coalesce(product_id, 0)) where enabled;

-- Until when it was told of prices that the clock alone changes (shop/pricing/boundaries.py).
create table price_boundaries (
    shop_id bigint primary key references shops on delete cascade,
    told_until timestamptz not null
);

-- Tax rates added to prices, by destination: the rate of the state, else of its country, else none.
create table tax_rates (
    shop_id bigint not null references shops on delete cascade,
    country char(2) not null,
    state text not null default '',  -- '' is the whole country
    rate_bp integer not null check (rate_bp between 0 and 10000),
    taxes_shipping boolean not null default false,
    primary key (shop_id, country, state)
);
