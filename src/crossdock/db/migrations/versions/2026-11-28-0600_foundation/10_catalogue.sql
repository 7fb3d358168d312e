-- Products and variants share one sequence, because some channels use one kind of id for both.
create sequence catalogue_ids as bigint start with 1001;

create table merchants (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    slug text not null,
    name text not null,
    email text,
    country char(2),
    terms jsonb not null default '{}',  -- free data for channels; what the core reads has columns
    -- Amounts are minor units of the shop's currency.
    shipping_flat_minor bigint not null default 0 check (shipping_flat_minor >= 0),
    free_shipping_from_minor bigint check (free_shipping_from_minor > 0),  -- null: never free by its amount
    commission_bp integer not null default 0 check (commission_bp between 0 and 10000),
    customer_service_url text not null default '',
    return_policy_url text not null default '',
    connector text not null default '',  -- that its part of an order goes to; '' is the shop's default
    enabled boolean not null default true,
    primary key (shop_id, id),
    unique (shop_id, slug)
);

-- Catalogue.
create table categories (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    parent_id bigint,
    slug text not null,
    path text not null,
    id_path bigint[] not null,
    depth smallint not null check (depth between 1 and 20),
    name text not null,
    names jsonb not null default '{}',
    descriptions jsonb not null default '{}',
    images jsonb not null default '{}',
    enabled boolean not null default true,
    sort integer not null default 0,
    primary key (shop_id, id),
    unique (shop_id, path),
    foreign key (shop_id, parent_id) references categories (shop_id, id) on delete cascade
);

create index categories_parent on categories (shop_id, parent_id);

-- A product has its merchant's shop, so the foreign key to merchants is enough.
create table products (
    shop_id bigint not null,
    id bigint not null default nextval('catalogue_ids'),
    merchant_id bigint not null,
    handle text not null,
    name text not null,
    description text not null default '',
    brand text not null default '',
    translations jsonb not null default '{}',
    attributes jsonb not null default '{}',
    images jsonb not null default '[]',
    video jsonb,  -- {url}; with media, what is known of it, where the shop holds it, and added where staff did
    extra_handling jsonb,
    tags text[] not null default '{}',
    related_handles text[] not null default '{}',
    option_names text[] not null default '{}',
    enabled boolean not null default true,
    featured boolean not null default false,
    virtual boolean not null default false,
    sold_without_stock boolean not null default false,
    requires_serial boolean not null default false,
    shipping_minor bigint not null default 0 check (shipping_minor >= 0),  -- of each unit, beside the merchant's flat rate
    free_shipping boolean not null default false,
    shipping_days smallint[] check (cardinality(shipping_days) = 2 and shipping_days[1] <= shipping_days[2]),
    shipping_terms jsonb not null default '[]',  -- what shipping to some countries costs instead, and how long it takes
    ships_to text[] not null default '{}',  -- the only countries that it is shipped to; none: everywhere
    target_users text not null default 'unknown' check (target_users in ('all', 'men', 'women', 'unknown')),
    features text[] not null default '{}' check (cardinality(features) <= 5),
    sort integer not null default 0,
    -- What an order for an e-mail address is asked: how many of it, and what its buyer fills in.
    quantity_min integer check (quantity_min >= 1),
    quantity_max integer check (quantity_max >= coalesce(quantity_min, 1)),
    custom_fields jsonb not null default '[]',
    source_hash bytea,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (shop_id, id),
    unique (shop_id, merchant_id, handle),
    foreign key (shop_id, merchant_id) references merchants (shop_id, id)
);

create index products_created on products (shop_id, created_at, id);

create index products_video on products (shop_id, ((video #>> '{media,id}')::bigint)) where video ? 'media';

create index products_updated on products (shop_id, updated_at);

-- Staff look products up by how their names begin.
create index products_name on products (shop_id, lower(name) text_pattern_ops);

-- And by any part of them, or by a whole handle.
create index products_words on products using gin (word_ends(shop_id, name));

create index products_handle on products (shop_id, lower(handle));

create table product_categories (
    shop_id bigint not null,
    product_id bigint not null,
    category_id bigint not null,
    primary key (shop_id, product_id, category_id),
    foreign key (shop_id, product_id) references products (shop_id, id) on delete cascade,
    foreign key (shop_id, category_id) references categories (shop_id, id) on delete cascade
);

create index product_categories_category on product_categories (shop_id, category_id);

-- A variant is the unit that is sold and counted. Its name is the full name that a buyer sees.
create table variants (
    shop_id bigint not null,
    id bigint not null default nextval('catalogue_ids'),
    product_id bigint not null,
    merchant_id bigint not null,
    sku text not null,
    merchant_sku text not null default '',
    part_number text not null default '',
    upc text not null default '',
    gtin14 char(14),
    name text not null,
    options jsonb not null default '{}',
    attributes jsonb not null default '{}',
    image text,
    position integer not null default 0,
    currency char(3) not null,
    retail_minor bigint check (retail_minor >= 0),
    sale_minor bigint check (sale_minor >= 0),
    sale_starts_at timestamptz,
    sale_ends_at timestamptz,
    cost_minor bigint check (cost_minor >= 0),
    vat_bp integer not null default 0 check (vat_bp between 0 and 10000),
    weight_g integer not null default 0 check (weight_g >= 0),
    length_mm integer,
    width_mm integer,
    height_mm integer,
    origin text not null default 'SC',
    stock_managed boolean not null default true,
    stock_status text check (stock_status in ('instock', 'outofstock', 'onbackorder')),
    enabled boolean not null default true,
    listed boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (shop_id, id),
    unique (shop_id, merchant_id, sku),
    foreign key (shop_id, product_id) references products (shop_id, id) on delete cascade
);

create index variants_product on variants (shop_id, product_id);

create index variants_merchant on variants (shop_id, merchant_id, id);

create index variants_sale_starts on variants (shop_id, sale_starts_at) where sale_starts_at is not null;

create index variants_sale_ends on variants (shop_id, sale_ends_at) where sale_ends_at is not null;

create index variants_gtin on variants (shop_id, gtin14) where gtin14 is not null;

-- Numbers that are not valid GTINs are found as written, with or without leading zeros.
create index variants_upc on variants (shop_id, ltrim(upc, '0')) where upc <> '';

create table blog_posts (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    slug text not null,
    title text not null,
    content text not null,
    language text not null,
    image text not null default '',
    published_at timestamptz not null,
    enabled boolean not null default true,
    primary key (shop_id, id),
    unique (shop_id, slug, language)
);

-- Variants are looked up by either reference.
create index variants_sku on variants (shop_id, sku);

create index variants_merchant_sku on variants (shop_id, merchant_sku) where merchant_sku <> '';

-- Staff type a SKU in any case.
create index variants_sku_folded on variants (shop_id, lower(sku));

create table promotions (
    shop_id bigint not null,
    id bigint generated always as identity,
    variant_id bigint not null,
    price_minor bigint not null check (price_minor >= 0),
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    primary key (shop_id, id),
    unique (shop_id, variant_id, starts_at),
    check (starts_at < ends_at),
    foreign key (shop_id, variant_id) references variants (shop_id, id) on delete cascade
);

create index promotions_starts on promotions (shop_id, starts_at);

create index promotions_ends on promotions (shop_id, ends_at);
