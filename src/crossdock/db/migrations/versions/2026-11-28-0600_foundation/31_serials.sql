-- Serials: licence keys and codes, each sold once. Encrypted, with a keyed hash to recognise a duplicate.
-- The number of a variant's unsold serials is the level of its own pool.
create table serials (
    shop_id bigint not null,
    id bigint generated always as identity,
    variant_id bigint not null,
    sealed bytea not null,
    fingerprint bytea not null,
    added_at timestamptz not null,
    sold_at timestamptz,
    -- When its buyer returned it. It stays sold, so that nobody else ever gets it.
    revoked_at timestamptz,
    -- When its buyer got another in its place; it was revoked then.
    replaced_at timestamptz,
    -- When the shop took it out for itself, for no order.
    claimed_at timestamptz,
    primary key (shop_id, id),
    unique (shop_id, variant_id, fingerprint),
    constraint serials_revoked_were_sold check (revoked_at is null or sold_at is not null),
    constraint serials_replaced_are_revoked check (replaced_at is null or revoked_at is not null),
    constraint serials_claimed_are_gone check (claimed_at is null or sold_at is not null)
);

create index serials_variant on serials (shop_id, variant_id, id);
create index serials_unsold on serials (shop_id, variant_id, id) where sold_at is null;

-- Who bought which serial; the primary key allows one buyer.
create table serial_sales (
    shop_id bigint not null,
    serial_id bigint not null,
    order_id bigint not null,
    line_no smallint not null,
    sold_at timestamptz not null,
    primary key (shop_id, serial_id),
    foreign key (shop_id, serial_id) references serials (shop_id, id)
);

create index serial_sales_order on serial_sales (shop_id, order_id, line_no);

create trigger serial_sales_append_only before update or delete on serial_sales
    for each row execute function refuse_append_only_change();
