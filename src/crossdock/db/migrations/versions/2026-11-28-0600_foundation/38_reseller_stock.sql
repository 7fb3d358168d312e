-- What resellers buy into a stock of their own: transfers out of the merchant's pool, and the items they become.
-- Names, prices and discount are those of the moment of the request. `asked_variant_id` is the variant as it was asked
-- for, null for the product alone; `discount_bp` null where a price was agreed, `base_minor` where there is no other.
-- `invoice_id` is the last invoice that was made for it. `commission_minor` is the shop's share of the merchant's sale, from the allocation on.
create table reseller_transfers (
    shop_id bigint not null,
    id bigint generated always as identity,
    reseller_id bigint not null,
    state text not null default 'requested'
        check (state in ('requested', 'invoiced', 'paid', 'allocated', 'revoked')),
    product_id bigint not null,
    variant_id bigint not null,
    merchant_id bigint not null,
    asked_variant_id bigint,
    product_name text not null,
    variant_name text not null,
    quantity bigint not null check (quantity > 0),
    base_minor bigint check (base_minor >= 0),
    discount_bp integer check (discount_bp between 0 and 10000),
    unit_minor bigint not null check (unit_minor >= 0),
    total_minor bigint not null check (total_minor = unit_minor * quantity),
    currency char(3) not null,
    allocated_count bigint not null default 0,
    delivered_count bigint not null default 0,
    commission_minor bigint not null default 0,
    invoice_id bigint,
    payment_source text check (payment_source in ('manual', 'invoice')),
    requested_at timestamptz not null,
    invoiced_at timestamptz,
    paid_at timestamptz,
    allocated_at timestamptz,
    revoked_at timestamptz,
    updated_at timestamptz not null,
    primary key (shop_id, id),
    foreign key (shop_id, reseller_id) references resellers (shop_id, id) on delete cascade,
    foreign key (shop_id, invoice_id) references invoices (shop_id, id),
    constraint reseller_transfers_invoiced check ((invoice_id is null) = (invoiced_at is null)),
    constraint reseller_transfers_paid check ((paid_at is null) = (payment_source is null)),
    constraint reseller_transfers_allocated check (
        allocated_count = case when allocated_at is null then 0 else quantity end),
    constraint reseller_transfers_delivered check (delivered_count between 0 and allocated_count),
    constraint reseller_transfers_revoked check ((state = 'revoked') = (revoked_at is not null)),
    constraint reseller_transfers_order check (
        case state when 'paid' then paid_at is not null and allocated_at is null
                   when 'allocated' then paid_at is not null and allocated_at is not null
                   when 'revoked' then true else paid_at is null and allocated_at is null end)
);

create index reseller_transfers_requested on reseller_transfers (shop_id, reseller_id, requested_at, id);

-- A unit of a reseller's stock: a serial that nobody else has. A revoked item has none, its serial is the merchant's
-- again.
create table reseller_items (
    shop_id bigint not null,
    id bigint generated always as identity,
    reseller_id bigint not null,
    transfer_id bigint not null,
    serial_id bigint,
    state text not null default 'available' check (state in ('available', 'delivered', 'revoked')),
    delivered_to text,
    delivered_at timestamptz,
    mail_id bigint,
    created_at timestamptz not null,
    primary key (shop_id, id),
    unique (shop_id, serial_id),
    foreign key (shop_id, transfer_id) references reseller_transfers (shop_id, id) on delete cascade,
    foreign key (shop_id, serial_id) references serials (shop_id, id),
    constraint reseller_items_revoked check ((state = 'revoked') = (serial_id is null)),
    constraint reseller_items_delivered check (
        (state = 'delivered') = (delivered_to is not null) and (delivered_to is null) = (delivered_at is null))
);

create index reseller_items_created on reseller_items (shop_id, reseller_id, created_at, id);

create index reseller_items_transfer on reseller_items (shop_id, transfer_id);
