-- Orders: what was sold, to whom, with a part for each merchant, and their states.

-- The allowed moves of each axis, as in shop/orders/states.py. The initial states are below.
create table order_moves (
    axis text not null check (axis in ('fulfilment', 'payment', 'line')),
    from_state text not null,
    to_state text not null,
    primary key (axis, from_state, to_state)
);

insert into order_moves (axis, from_state, to_state) values
    ('fulfilment', 'waiting_for_release', 'reserved'), ('fulfilment', 'waiting_for_release', 'processing'),
    ('fulfilment', 'waiting_for_release', 'cancelled'), ('fulfilment', 'waiting_for_release', 'partially_shipped'),
    ('fulfilment', 'waiting_for_release', 'shipped'), ('fulfilment', 'reserved', 'processing'),
    ('fulfilment', 'reserved', 'waiting_for_release'), ('fulfilment', 'reserved', 'cancelled'),
    ('fulfilment', 'processing', 'waiting_for_release'), ('fulfilment', 'processing', 'in_fulfilment'),
    ('fulfilment', 'processing', 'cancelled'), ('fulfilment', 'in_fulfilment', 'partially_shipped'),
    ('fulfilment', 'in_fulfilment', 'processing'), ('fulfilment', 'in_fulfilment', 'shipped'),
    ('fulfilment', 'partially_shipped', 'shipped'),
    ('fulfilment', 'shipped', 'completed'),
    ('payment', 'awaiting', 'authorised'), ('payment', 'awaiting', 'paid'), ('payment', 'awaiting', 'voided'),
    ('payment', 'awaiting', 'expired'), ('payment', 'authorised', 'paid'), ('payment', 'authorised', 'voided'),
    ('payment', 'paid', 'partially_refunded'), ('payment', 'paid', 'refunded'),
    ('payment', 'partially_refunded', 'refunded'),
    ('line', 'open', 'partially_shipped'), ('line', 'open', 'shipped'), ('line', 'open', 'cancelled'),
    ('line', 'partially_shipped', 'shipped'), ('line', 'shipped', 'returned');

-- From here on there are no foreign keys to shops or partners: all writers would lock the same row at each insert.
-- `crossdock doctor` looks for orphans instead.
create table orders (
    shop_id bigint not null,
    id bigint generated always as identity (start with 10001),
    order_key text not null,
    channel text not null,
    partner_id bigint,
    partner_order_id text not null default '',
    customer_id bigint,
    parent_id bigint,
    fulfilment_state text not null,
    payment_state text not null default 'none',
    release_policy text not null
        check (release_policy in (
            'placed', 'by_hand', 'when_available', 'immediate', 'after_payment', 'delivered')),
    currency char(3) not null,
    subtotal_minor bigint not null check (subtotal_minor >= 0),
    discount_minor bigint not null default 0 check (discount_minor >= 0),
    tax_minor bigint not null default 0 check (tax_minor >= 0),
    shipping_minor bigint not null default 0 check (shipping_minor >= 0),
    total_minor bigint not null check (total_minor = subtotal_minor + tax_minor + shipping_minor - discount_minor),
    billing jsonb not null,
    shipping jsonb not null,
    language text not null default '',
    comments text not null default '',
    tax_id text not null default '',
    resale_tax text not null default '',
    sales_rep_id bigint,
    sales_rep_source text not null default 'none'
        check (sales_rep_source in ('stored', 'external', 'rotation', 'none')),
    source text not null,
    is_test boolean not null default false,
    channel_data jsonb not null default '{}',  -- the channel's own words, which only it decodes
    placed_at timestamptz not null,
    updated_at timestamptz not null,
    expires_at timestamptz,  -- an order that is not paid by then is cancelled
    paid_at timestamptz,
    release_after_s integer check (release_after_s >= 0),  -- how long after its payment it is released by itself
    release_at timestamptz,
    cancelled_at timestamptz,
    check ((release_policy = 'after_payment') = (release_after_s is not null)),
    primary key (shop_id, id),
    unique (id)
);

-- Orders that wait for stock or a release, oldest first, for the job that releases orders.
create index orders_waiting on orders (shop_id, id) where fulfilment_state in ('reserved', 'waiting_for_release');

-- Orders that are not over, the newest first, as staff work on them; and those that nobody has paid yet.
create index orders_open on orders (shop_id, id) where fulfilment_state in (
    'reserved', 'waiting_for_release', 'processing', 'in_fulfilment', 'partially_shipped');

create index orders_unpaid on orders (shop_id, id) where payment_state = 'awaiting';

-- Orders released without a check of the stock, for the job that recalls them if stock is short.
create index orders_released_unseen on orders (shop_id, id)
    where fulfilment_state = 'processing' and release_policy = 'immediate';

-- Unpaid orders, for the job that expires them.
create index orders_expiry on orders (expires_at) where payment_state = 'awaiting';

-- Paid orders that are to be released by themselves, for the job that does.
create index orders_to_release on orders (release_at)
    where release_at is not null and fulfilment_state = 'waiting_for_release';

-- A partner's orders that were to be paid later, by the time of their payment; and those that are not over, which
-- partners ask for again and again.
create index orders_partner_paid on orders (shop_id, partner_id, paid_at)
    where expires_at is not null and paid_at is not null;

create index orders_partner_open on orders (shop_id, partner_id, placed_at, id)
    where expires_at is not null
      and fulfilment_state in ('waiting_for_release', 'reserved', 'processing', 'in_fulfilment', 'partially_shipped');

-- A partner's orders by date, for its order feed.
create index orders_partner on orders (shop_id, partner_id, placed_at, id) where partner_id is not null;

-- Orders of some days, for sums by day: they are stored in the order in which they were placed.
create index orders_placed on orders using brin (placed_at) with (pages_per_range = 16);

-- A customer's orders, whomever they were billed to.
create index orders_customer on orders (shop_id, customer_id, id) where customer_id is not null;

-- Orders by the e-mail address that they were billed to; and those that name none, by their customer, who has one.
create index orders_email on orders (shop_id, lower(billing ->> 'email'), id) where billing ->> 'email' <> '';

create index orders_without_email on orders (shop_id, customer_id, id)
    where customer_id is not null and coalesce(billing ->> 'email', '') = '';

-- What makes a write idempotent: a partner's order number, a cart, an idempotency key. A write that creates no order
-- stores its answer here instead, encrypted, because it may tell a secret that is told only once.
create table identities (
    shop_id bigint not null,
    namespace text not null,
    key text not null,
    request_hash bytea,
    order_id bigint,
    sealed_answer bytea,
    created_at timestamptz not null,
    expires_at timestamptz,
    primary key (shop_id, namespace, key)
);
create index identities_expiry on identities (expires_at) where expires_at is not null;

create index identities_answered on identities (shop_id, (namespace || chr(31) || key)) where sealed_answer is not null;

create table order_lines (
    shop_id bigint not null,
    id bigint generated always as identity (start with 10001),  -- by which channels name a line alone
    order_id bigint not null,
    line_no smallint not null,
    variant_id bigint not null,
    product_id bigint not null,
    merchant_id bigint not null,
    state text not null default 'open',
    name text not null,
    sku text not null,
    upc text not null default '',
    origin text not null default '',
    image text,
    virtual boolean not null default false,  -- as it was sold: not shipped, so neither picked nor packed
    quantity bigint not null check (quantity > 0),
    unit_price_minor bigint not null check (unit_price_minor >= 0),
    discount_minor bigint not null default 0 check (discount_minor >= 0),
    tax_minor bigint not null default 0 check (tax_minor >= 0),
    shipping_minor bigint not null default 0 check (shipping_minor >= 0),
    total_minor bigint not null
        check (total_minor = unit_price_minor * quantity - discount_minor + tax_minor + shipping_minor),
    vat_bp integer not null default 0,
    note text not null default '',
    channel_data jsonb not null default '{}',
    as_sold jsonb not null default '{}',  -- product and variant as they were sold, as the channel shows them
    refunded_minor bigint not null default 0 check (refunded_minor between 0 and total_minor),
    shipping_refunded boolean not null default false,
    refunded_at timestamptz,
    refund_reason text not null default '' check (refund_reason in (
        '', 'customer_cancelled', 'out_of_stock', 'bad_address', 'agreement', 'fraud', 'not_shipped')),
    picked bigint not null default 0 check (picked >= 0),
    shipped bigint not null default 0 check (shipped >= 0),
    returned bigint not null default 0 check (returned >= 0),
    cancelled bigint not null default 0 check (cancelled >= 0),  -- of the quantity, what will never be shipped
    primary key (shop_id, order_id, line_no),
    constraint order_lines_picked_of_quantity check (picked + cancelled <= quantity),
    constraint order_lines_shipped_of_picked check (shipped <= picked),
    constraint order_lines_returned_of_shipped check (returned <= shipped),
    foreign key (shop_id, order_id) references orders (shop_id, id) on delete cascade
);
create index order_lines_variant on order_lines (shop_id, variant_id);

-- Lines with picked, unshipped units: off the shelf, but still on hand.
create index order_lines_off_the_shelf on order_lines (shop_id, variant_id) where picked > shipped;

-- A merchant's part of an order: its sums, its state, and its connector (null: it is packed here).
create table order_parts (
    shop_id bigint not null,
    order_id bigint not null,
    merchant_id bigint not null,
    state text not null,
    route text,
    subtotal_minor bigint not null check (subtotal_minor >= 0),
    discount_minor bigint not null default 0 check (discount_minor >= 0),
    tax_minor bigint not null default 0 check (tax_minor >= 0),
    shipping_minor bigint not null default 0 check (shipping_minor >= 0),
    commission_minor bigint not null default 0 check (commission_minor >= 0),
    total_minor bigint not null check (total_minor = subtotal_minor + tax_minor + shipping_minor - discount_minor),
    primary key (shop_id, order_id, merchant_id),
    foreign key (shop_id, order_id) references orders (shop_id, id) on delete cascade
);

-- What an order took from which pool, summed over its lines; quantity - shipped is still committed.
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

-- A second check behind the code: orders, parts and lines begin in an initial state and make only allowed moves.
create function refuse_illegal_move() returns trigger language plpgsql as $$
declare
    v_axis text := tg_argv[0];
    v_column text := tg_argv[1];
    v_from text := case tg_op when 'UPDATE' then to_jsonb(old) ->> v_column end;
    v_to text := to_jsonb(new) ->> v_column;
begin
    if tg_op = 'UPDATE' and exists (
        select 1 from order_moves m where m.axis = v_axis and m.from_state = v_from and m.to_state = v_to) then
        return new;
    end if;
    raise exception 'the % state of an order cannot go from % to %', v_axis, coalesce(v_from, 'nothing'), v_to
        using errcode = 'CD010';
end $$;

create trigger orders_begin before insert on orders for each row
    when (new.fulfilment_state not in ('waiting_for_release', 'reserved', 'processing', 'completed'))
    execute function refuse_illegal_move('fulfilment', 'fulfilment_state');
create trigger orders_begin_payment before insert on orders for each row
    when (new.payment_state not in ('none', 'awaiting', 'authorised', 'paid'))
    execute function refuse_illegal_move('payment', 'payment_state');
create trigger order_lines_begin before insert on order_lines for each row
    when (new.state not in ('open', 'shipped')) execute function refuse_illegal_move('line', 'state');
create trigger order_parts_begin before insert on order_parts for each row
    when (new.state not in ('waiting_for_release', 'reserved', 'processing', 'completed'))
    execute function refuse_illegal_move('fulfilment', 'state');

create trigger orders_move before update of fulfilment_state on orders for each row
    when (old.fulfilment_state is distinct from new.fulfilment_state)
    execute function refuse_illegal_move('fulfilment', 'fulfilment_state');
create trigger orders_move_unpacked before update of fulfilment_state on orders for each row
    when (old.fulfilment_state = 'waiting_for_release' and new.fulfilment_state in ('partially_shipped', 'shipped')
          and old.release_policy <> 'delivered')
    execute function refuse_illegal_move('warehouse', 'fulfilment_state');
create trigger orders_move_payment before update of payment_state on orders for each row
    when (old.payment_state is distinct from new.payment_state)
    execute function refuse_illegal_move('payment', 'payment_state');
create trigger order_lines_move before update of state on order_lines for each row
    when (old.state is distinct from new.state) execute function refuse_illegal_move('line', 'state');
create trigger order_parts_move before update of state on order_parts for each row
    when (old.state is distinct from new.state) execute function refuse_illegal_move('fulfilment', 'state');

-- An order's sums equal those of its parts.
create function refuse_other_sums() returns trigger language plpgsql as $$
begin
    if exists (
        select 1 from (select distinct c.shop_id, c.order_id from changed c) touched
        cross join lateral (
            select sum(p.subtotal_minor) as subtotal, sum(p.discount_minor) as discount, sum(p.tax_minor) as tax,
                   sum(p.shipping_minor) as shipping
            from order_parts p where p.shop_id = touched.shop_id and p.order_id = touched.order_id
        ) s
        join orders o on o.shop_id = touched.shop_id and o.id = touched.order_id
        where (o.subtotal_minor, o.discount_minor, o.tax_minor, o.shipping_minor)
              is distinct from (s.subtotal, s.discount, s.tax, s.shipping)
    ) then
        raise exception 'the sums of an order are not those of its parts' using errcode = 'CD012';
    end if;
    return null;
end $$;

create trigger order_parts_sums_of_new after insert on order_parts
    referencing new table as changed for each statement execute function refuse_other_sums();
create trigger order_parts_sums_of_changed after update on order_parts
    referencing new table as changed for each statement execute function refuse_other_sums();

-- Serials of an order that were replaced by others of the pool, because they did not work.
create table serial_replacements (
    shop_id bigint not null,
    id bigint generated always as identity,
    order_id bigint not null,
    product_id bigint not null,
    quantity bigint not null check (quantity > 0),
    reason text not null,
    created_at timestamptz not null,
    primary key (shop_id, id)
);

create index serial_replacements_order on serial_replacements (shop_id, order_id);

create trigger serial_replacements_append_only before update or delete on serial_replacements
    for each row execute function refuse_append_only_change();
