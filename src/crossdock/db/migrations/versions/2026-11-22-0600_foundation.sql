-- The core's tables: shops, partners, catalogue, stock, customers, orders, events.
-- Every tenant table leads its key with shop_id. Money is minor units; rates are basis points.

set local lock_timeout = '5s';

create table shops (
    id bigint generated always as identity primary key,
    slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name text not null,
    currency char(3) not null,
    country char(2) not null default 'US',
    languages text[] not null default '{en}',
    last_sequence bigint not null default 0 check (last_sequence >= 0),
    created_at timestamptz not null default now()
);

-- Products and variants draw from one sequence, so that one number space serves
-- channels that know both under the same kind of id.
create sequence catalogue_ids as bigint start with 1001;

create table merchants (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    slug text not null,
    name text not null,
    email text,
    country char(2),
    terms jsonb not null default '{}',
    enabled boolean not null default true,
    primary key (shop_id, id),
    unique (shop_id, slug)
);

create table sellers (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    name text not null,
    email text,
    active boolean not null default true,
    primary key (shop_id, id),
    unique (shop_id, email)
);

create table seller_rotation (
    shop_id bigint primary key references shops on delete cascade,
    last_seller_id bigint not null default 0
);

create table customers (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    email text not null,
    first_name text not null default '',
    last_name text not null default '',
    company text not null default '',
    active boolean not null default true,
    billing jsonb not null default '{}',
    shipping jsonb not null default '{}',
    seller_id bigint,
    seller_source text check (seller_source in ('stored', 'external', 'rotation')),
    created_at timestamptz not null default now(),
    deleted_at timestamptz,
    primary key (shop_id, id),
    foreign key (shop_id, seller_id) references sellers (shop_id, id)
);
create unique index customers_email on customers (shop_id, lower(email)) where deleted_at is null;

create table price_lists (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    name text not null,
    currency char(3) not null,
    primary key (shop_id, id),
    unique (shop_id, name)
);

-- Partners: who may call, on which channel, under which terms.
create table partners (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    channel text not null,
    name text not null,
    active boolean not null default true,
    permissions text[] not null default '{}',
    backorder boolean not null default false,
    min_amount_minor bigint check (min_amount_minor >= 0),
    max_amount_minor bigint check (max_amount_minor >= 0),
    visible_merchants bigint[],
    price_list_id bigint,
    customer_id bigint,
    settings jsonb not null default '{}',
    revision bigint not null default 1,
    created_at timestamptz not null default now(),
    primary key (shop_id, id),
    unique (id),
    unique (shop_id, channel, name),
    foreign key (shop_id, price_list_id) references price_lists (shop_id, id)
);

create table credentials (
    shop_id bigint not null,
    id bigint generated always as identity,
    partner_id bigint not null,
    channel text not null,
    public_key text not null,
    is_test boolean not null default false,
    disabled_at timestamptz,
    created_at timestamptz not null default now(),
    primary key (shop_id, id),
    unique (id),
    unique (channel, public_key),
    foreign key (shop_id, partner_id) references partners (shop_id, id) on delete cascade
);
create index credentials_partner on credentials (shop_id, partner_id);

-- One or two live secrets per credential; two while a rotation is under way.
create table credential_secrets (
    credential_id bigint not null references credentials (id) on delete cascade,
    id bigint generated always as identity primary key,
    sealed bytea not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz
);
create index credential_secrets_credential on credential_secrets (credential_id);

create table nonces (
    credential_id bigint not null,
    nonce text not null,
    expires_at timestamptz not null,
    primary key (credential_id, nonce)
);
create index nonces_expiry on nonces (expires_at);

create table rate_windows (
    credential_id bigint not null,
    window_start timestamptz not null,
    calls integer not null,
    primary key (credential_id, window_start)
);

create table idempotency_keys (
    shop_id bigint not null,
    partner_id bigint not null,
    key text not null,
    request_hash bytea not null,
    status integer not null,
    body bytea not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    primary key (shop_id, partner_id, key),
    foreign key (shop_id, partner_id) references partners (shop_id, id) on delete cascade
);
create index idempotency_keys_expiry on idempotency_keys (expires_at);

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

-- A product's shop is its merchant's, so the key to merchants says it all.
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
    extra_handling jsonb,
    tags text[] not null default '{}',
    related_handles text[] not null default '{}',
    option_names text[] not null default '{}',
    enabled boolean not null default true,
    featured boolean not null default false,
    virtual boolean not null default false,
    sold_without_stock boolean not null default false,
    requires_serial boolean not null default false,
    sort integer not null default 0,
    source_hash bytea,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (shop_id, id),
    unique (shop_id, merchant_id, handle),
    foreign key (shop_id, merchant_id) references merchants (shop_id, id)
);

create table product_categories (
    shop_id bigint not null,
    product_id bigint not null,
    category_id bigint not null,
    primary key (shop_id, product_id, category_id),
    foreign key (shop_id, product_id) references products (shop_id, id) on delete cascade,
    foreign key (shop_id, category_id) references categories (shop_id, id) on delete cascade
);
create index product_categories_category on product_categories (shop_id, category_id);

-- A variant is what is sold and counted. Its name is the whole name a buyer sees.
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

create table price_list_items (
    shop_id bigint not null,
    price_list_id bigint not null,
    variant_id bigint not null,
    price_minor bigint not null check (price_minor >= 0),
    primary key (shop_id, price_list_id, variant_id),
    foreign key (shop_id, price_list_id) references price_lists (shop_id, id) on delete cascade,
    foreign key (shop_id, variant_id) references variants (shop_id, id) on delete cascade
);

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

-- Stock. A level is the sum of its entries; available is what can still be promised.
-- Variants are never deleted, so levels need no key to them, which a large import would pay for
-- row by row; `crossdock doctor` looks for levels of unknown variants.
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
    created_at timestamptz not null default now(),
    primary key (shop_id, id)
);
create index stock_entries_variant on stock_entries (shop_id, variant_id, pool);

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
    seller_id bigint,
    vendor_source text not null default 'none' check (vendor_source in ('stored', 'external', 'rotation', 'none')),
    source text not null,
    is_test boolean not null default false,
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
    primary key (shop_id, order_id, line_no),
    foreign key (shop_id, order_id) references orders (shop_id, id) on delete cascade
);
create index order_lines_variant on order_lines (shop_id, variant_id);

-- What an order took from which pool, merged over its lines.
create table order_allocations (
    shop_id bigint not null,
    order_id bigint not null,
    variant_id bigint not null,
    pool text not null,
    quantity bigint not null check (quantity > 0),
    status text not null default 'committed' check (status in ('committed', 'returned', 'shipped')),
    primary key (shop_id, order_id, variant_id, pool),
    foreign key (shop_id, order_id) references orders (shop_id, id) on delete cascade
);

-- One row per order to be sent to an outside fulfilment system.
create table dispatches (
    shop_id bigint not null,
    order_id bigint not null,
    connector text not null,
    status text not null default 'queued' check (status in ('queued', 'sending', 'sent', 'failed', 'withdrawn')),
    attempts integer not null default 0,
    external_id text,
    last_error text not null default '',
    next_attempt_at timestamptz,
    sent_at timestamptz,
    updated_at timestamptz not null default now(),
    primary key (shop_id, order_id),
    foreign key (shop_id, order_id) references orders (shop_id, id) on delete cascade
);
create index dispatches_status on dispatches (status, next_attempt_at) where status in ('queued', 'sending', 'failed');

create table fulfilment_connectors (
    shop_id bigint not null references shops on delete cascade,
    name text not null,
    kind text not null check (kind in ('manual', 'webhook', 'sellercloud')),
    settings jsonb not null default '{}',
    sealed_secret bytea,
    is_default boolean not null default false,
    enabled boolean not null default true,
    primary key (shop_id, name)
);
create unique index fulfilment_connectors_default on fulfilment_connectors (shop_id) where is_default;

-- Events: the outbox. The sequence number is given after commit (see shop/events/numbering.sql),
-- so that a reader never sees a gap that closes later.
create table events (
    shop_id bigint not null,
    id bigint generated always as identity,
    sequence bigint,
    kind text not null,
    subject_id bigint,
    payload jsonb not null default '{}',
    created_at timestamptz not null default now(),
    primary key (shop_id, id)
);
create unique index events_sequence on events (shop_id, sequence) where sequence is not null;
create index events_unnumbered on events (shop_id, id) where sequence is null;

create table alerts (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    kind text not null,
    message text not null,
    order_id bigint,
    created_at timestamptz not null default now(),
    seen_at timestamptz,
    primary key (shop_id, id)
);

-- Imports: where a run stands, so that a killed one goes on where it was.
create table import_runs (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    format text not null,
    file_hash text not null,
    rows_done bigint not null default 0,
    products bigint not null default 0,
    variants bigint not null default 0,
    refused bigint not null default 0,
    status text not null default 'running' check (status in ('running', 'done', 'failed')),
    started_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (shop_id, id)
);
create index import_runs_file on import_runs (shop_id, file_hash, format);

create table import_refusals (
    shop_id bigint not null,
    run_id bigint not null,
    row_number bigint not null,
    field text not null,
    reason text not null,
    value text not null default '',
    foreign key (shop_id, run_id) references import_runs (shop_id, id) on delete cascade
);
create index import_refusals_run on import_refusals (shop_id, run_id, row_number);

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

create function refuse_append_only_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'CD011';
end $$;

create trigger stock_entries_append_only before update or delete on stock_entries
    for each row execute function refuse_append_only_change();

-- A partner's cached credential is valid only for the revision it was read at.
create function bump_partner_revision() returns trigger language plpgsql as $$
begin
    new.revision := old.revision + 1;
    return new;
end $$;

create trigger partners_revision before update on partners
    for each row execute function bump_partner_revision();
