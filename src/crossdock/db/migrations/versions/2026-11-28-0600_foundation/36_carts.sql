-- Carts: what a shopper wants to buy, from one or more merchants. Prices are read from the catalogue with the cart.
create table carts (
    shop_id bigint not null,
    id uuid not null,
    partner_id bigint not null,
    currency char(3) not null,
    revision bigint not null default 1,  -- counts its changes: an order is placed of the cart that was checked
    order_id bigint,
    claimed_until timestamptz,  -- until then one checkout has it, and nobody changes it
    hold_ids bigint[] not null default '{}',  -- the stock that the latest checkout held
    created_at timestamptz not null,
    updated_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (shop_id, id)
) with (fillfactor = 80);

create index carts_expiry on carts (expires_at);

create table cart_lines (
    shop_id bigint not null,
    cart_id uuid not null,
    variant_id bigint not null,
    place bigint generated always as identity,  -- the order of first addition
    quantity bigint not null check (quantity > 0),
    added_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (shop_id, cart_id, variant_id),
    foreign key (shop_id, cart_id) references carts (shop_id, id) on delete cascade
);
