-- The reseller programme: a shop's settings, invitations, relationships, and what resellers' own shops had fulfilled.
-- Rates are basis points, amounts minor units of the shop's currency, limits units of goods.
create table reseller_programs (
    shop_id bigint primary key references shops on delete cascade,
    enabled boolean not null default false,
    default_mode text not null default 'affiliate' check (default_mode in ('affiliate', 'stock', 'both')),
    default_commission_bp integer check (default_commission_bp between 0 and 10000),
    default_discount_bp integer check (default_discount_bp between 0 and 10000),
    min_payout_minor bigint check (min_payout_minor >= 0),
    requires_verification boolean not null default false,
    terms_url text,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

-- Tokens are shown once, one to the caller and one in the mail, and stored as hashes. `products` is the list of a relationship to be, null for all products.
create table reseller_invitations (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    email text not null,
    mode text not null check (mode in ('affiliate', 'stock', 'both')),
    commission_bp integer check (commission_bp between 0 and 10000),
    discount_bp integer check (discount_bp between 0 and 10000),
    limit_daily bigint check (limit_daily >= 0),
    limit_monthly bigint check (limit_monthly >= 0),
    products jsonb,
    token_hash bytea not null unique,
    mailed_token_hash bytea not null unique,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    accepted_at timestamptz,
    revoked_at timestamptz,
    primary key (shop_id, id),
    check (num_nonnulls(accepted_at, revoked_at) <= 1)
);

create unique index reseller_invitations_pending on reseller_invitations (shop_id, lower(email))
    where accepted_at is null and revoked_at is null;

create index reseller_invitations_created on reseller_invitations (shop_id, created_at, id);

-- A relationship: the boundary behind which a reseller's own things are. Its partner is who calls for it.
create table resellers (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    partner_id bigint not null,
    invitation_id bigint not null,
    email text not null,
    status text not null check (status in ('invited', 'active', 'suspended', 'terminated')),
    mode text not null check (mode in ('affiliate', 'stock', 'both')),
    commission_bp integer check (commission_bp between 0 and 10000),
    discount_bp integer check (discount_bp between 0 and 10000),
    limit_daily bigint check (limit_daily >= 0),
    limit_monthly bigint check (limit_monthly >= 0),
    all_products boolean not null,
    attribution_code text not null,
    verified_at timestamptz,
    suspended_at timestamptz,
    terminated_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (shop_id, id),
    unique (id),
    unique (shop_id, partner_id),
    unique (shop_id, invitation_id),
    unique (shop_id, attribution_code),
    foreign key (shop_id, partner_id) references partners (shop_id, id) on delete cascade,
    foreign key (shop_id, invitation_id) references reseller_invitations (shop_id, id)
);

create unique index resellers_email on resellers (shop_id, lower(email)) where status <> 'terminated';

create index resellers_created on resellers (shop_id, created_at, id);

-- The products that a relationship without `all_products` may sell, with what is agreed for them.
create table reseller_products (
    shop_id bigint not null,
    reseller_id bigint not null,
    product_id bigint not null,
    commission_bp integer check (commission_bp between 0 and 10000),
    wholesale_minor bigint check (wholesale_minor >= 0),
    min_quantity bigint check (min_quantity >= 1),
    max_quantity bigint check (max_quantity >= min_quantity and max_quantity >= 1),
    auto_fulfilled boolean not null default true,
    min_resale_minor bigint check (min_resale_minor >= 0),
    max_resale_minor bigint check (max_resale_minor >= min_resale_minor and max_resale_minor >= 0),
    primary key (shop_id, reseller_id, product_id),
    foreign key (shop_id, reseller_id) references resellers (shop_id, id) on delete cascade,
    foreign key (shop_id, product_id) references products (shop_id, id) on delete cascade
);

create index reseller_products_product on reseller_products (shop_id, product_id);

-- Goods that a reseller's own shop sold and that were delivered at once, each by an order that the prepaid balance paid.
-- `asked_variant_id` is the variant as it was asked for, null for the product alone. The two unique indexes make a
-- repetition the same fulfilment: by its key, or without one by what it is for.
create table reseller_fulfilments (
    shop_id bigint not null,
    id bigint generated always as identity,
    reseller_id bigint not null,
    order_id bigint not null,
    key text,
    external_order_id text not null,
    product_id bigint not null,
    variant_id bigint not null,
    asked_variant_id bigint,
    quantity bigint not null check (quantity > 0),
    customer_email text not null,
    product_name text not null,
    variant_name text not null,
    unit_minor bigint not null check (unit_minor >= 0),
    total_minor bigint not null check (total_minor = unit_minor * quantity),
    currency char(3) not null,
    balance_after_minor bigint not null check (balance_after_minor >= 0),
    created_at timestamptz not null,
    primary key (shop_id, id),
    unique (shop_id, order_id),
    foreign key (shop_id, reseller_id) references resellers (shop_id, id) on delete cascade,
    foreign key (shop_id, order_id) references orders (shop_id, id)
);

create unique index reseller_fulfilments_key on reseller_fulfilments (shop_id, reseller_id, key) where key is not null;

create unique index reseller_fulfilments_without_key
    on reseller_fulfilments (shop_id, reseller_id, external_order_id, product_id, variant_id) where key is null;

create index reseller_fulfilments_order
    on reseller_fulfilments (shop_id, reseller_id, external_order_id, product_id, variant_id);

create index reseller_fulfilments_created on reseller_fulfilments (shop_id, reseller_id, created_at);
