-- What resellers buy into a stock of their own: transfers out of the merchant's pool.
-- Names, prices and discount are those of the moment of the request. `asked_variant_id` is the variant as it was asked
-- for, null for the product alone; `discount_bp` null where a price was agreed, `base_minor` where there is no other.
create table reseller_transfers (
    shop_id bigint not null,
    id bigint generated always as identity,
    reseller_id bigint not null,
    state text not null default 'requested'
        check (state in ('requested', 'invoiced', 'paid', 'allocated', 'revoked')),
    product_id bigint not null,
    variant_id bigint not null,
    asked_variant_id bigint,
    product_name text not null,
    variant_name text not null,
    quantity bigint not null check (quantity > 0),
    base_minor bigint check (base_minor >= 0),
    discount_bp integer check (discount_bp between 0 and 10000),
    unit_minor bigint not null check (unit_minor >= 0),
    total_minor bigint not null check (total_minor = unit_minor * quantity),
    currency char(3) not null,
    requested_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (shop_id, id),
    foreign key (shop_id, reseller_id) references resellers (shop_id, id) on delete cascade
);

create index reseller_transfers_requested on reseller_transfers (shop_id, reseller_id, requested_at, id);
