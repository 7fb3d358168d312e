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

-- A coupon is given in one of two ways. By `price` it lowers the price of a unit for everybody, or makes its shipping
-- free, above a threshold: for the whole shop, one merchant, or one product of a merchant. By `code` it lowers an order
-- whose buyer names it: all goods, or those of some products and merchants.
create table coupons (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    code text not null,
    given text not null default 'price' check (given in ('price', 'code')),
    kind text not null,
    currency char(3) not null,
    threshold_minor bigint not null default 0 check (threshold_minor >= 0),
    amount_minor bigint check (amount_minor > 0),
    percent_bp integer check (percent_bp between 1 and 10000),
    merchant_id bigint,
    product_id bigint,
    merchant_ids bigint[],  -- by code: whose goods it lowers, null for all
    product_ids bigint[],  -- by code: which products it lowers, null for all
    min_order_minor bigint not null default 0 check (min_order_minor >= 0),
    max_discount_minor bigint check (max_discount_minor > 0),
    max_uses bigint check (max_uses > 0),
    used_count bigint not null default 0 check (used_count >= 0),
    used_base bigint not null default 0 check (used_base >= 0),  -- what the count was set to
    count_no integer not null default 0,  -- how often it was set; a use counts for the number it was made under
    starts_at timestamptz,
    ends_at timestamptz,
    enabled boolean not null default true,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    removed_at timestamptz,  -- taken away: orders still refer to it, its code is free again
    primary key (shop_id, id),
    constraint coupons_take_what_their_kind_says check (case kind
        when 'amount_off' then amount_minor is not null and percent_bp is null
        when 'percent_off' then percent_bp is not null and amount_minor is null
        when 'free_shipping' then num_nonnulls(amount_minor, percent_bp, max_uses) = 0
        else false end),
    constraint coupons_have_what_they_are_given_by check (case given
        when 'price' then num_nonnulls(merchant_ids, product_ids, max_discount_minor) = 0 and min_order_minor = 0
        else num_nonnulls(merchant_id, product_id) = 0 and threshold_minor = 0 and kind <> 'free_shipping' end),
    check (starts_at < ends_at),
    check (removed_at is null or not enabled),
    check (product_id is null or merchant_id is not null),
    foreign key (shop_id, merchant_id) references merchants (shop_id, id),
    foreign key (shop_id, product_id) references products (shop_id, id) on delete cascade
);

create unique index coupons_code on coupons (shop_id, lower(code)) where removed_at is null;

create index coupons_scope on coupons (shop_id, coalesce(merchant_id, 0), coalesce(product_id, 0))
    where enabled and given = 'price';

create index coupons_listed on coupons (shop_id, created_at desc, id desc) where given = 'code' and removed_at is null;

-- Which order used which coupon; a cancelled order gives its use back. Coupons by price without `max_uses` are not
-- counted, so that orders of goods on offer do not wait for each other.
create table coupon_uses (
    shop_id bigint not null,
    order_id bigint not null,
    coupon_id bigint not null,
    count_no integer not null,
    used_at timestamptz not null,
    released_at timestamptz,
    primary key (shop_id, order_id, coupon_id),
    foreign key (shop_id, coupon_id) references coupons (shop_id, id) on delete cascade
);
create index coupon_uses_coupon on coupon_uses (shop_id, coupon_id);

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
