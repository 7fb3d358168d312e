-- Place an order: one statement, one transaction, the levels locked last.
-- p_order: the order's columns, its lines and what it takes (see placing.py, OrderDocument).
-- Answers the new order's id, or the existing one's when the partner's number was used before.
-- Raises CD001 (see post_stock) when own stock does not cover a capped take; nothing is written then.
-- Without sequential scans: the checks of the foreign keys are planned when a connection writes its first
-- order, and in a young shop, whose tables are empty, they would read whole tables ever after.
create or replace function place_order(
    p_order jsonb, p_now timestamptz, out order_id bigint, out order_key text, out created boolean
) language plpgsql set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_shop_id bigint := (p_order ->> 'shop_id')::bigint;
    v_connector text := p_order #>> '{connector,name}';
    v_by_hand boolean := coalesce(p_order #>> '{connector,kind}' = 'manual', false);
begin
    insert into orders (shop_id, order_key, partner_id, channel, partner_order_id, customer_id, state, currency,
                        subtotal_minor, tax_minor, shipping_minor, discount_minor, total_minor, billing, shipping,
                        comments, tax_id, resale_tax, sales_rep_id, sales_rep_source, source, is_test, details, placed_at,
                        updated_at)
    select v_shop_id, o.order_key, o.partner_id, o.channel, o.partner_order_id, o.customer_id, o.state, o.currency,
           o.subtotal_minor, o.tax_minor, o.shipping_minor, o.discount_minor, o.total_minor, o.billing, o.shipping,
           o.comments, o.tax_id, o.resale_tax, o.sales_rep_id, o.sales_rep_source, o.source, o.is_test,
           coalesce(o.details, '{}'), p_now, p_now
    from jsonb_to_record(p_order) as o (
        order_key text, partner_id bigint, channel text, partner_order_id text, customer_id bigint, state text,
        currency text, subtotal_minor bigint, tax_minor bigint, shipping_minor bigint, discount_minor bigint,
        total_minor bigint, billing jsonb, shipping jsonb, comments text, tax_id text, resale_tax text,
        sales_rep_id bigint, sales_rep_source text, source text, is_test boolean, details jsonb)
    on conflict (partner_id, partner_order_id) do nothing
    returning id into order_id;

    created := order_id is not null;
    if not created then
        select o.id, o.order_key into order_id, order_key from orders o
        where o.partner_id = (p_order ->> 'partner_id')::bigint
          and o.partner_order_id = p_order ->> 'partner_order_id';
        return;
    end if;
    order_key := p_order ->> 'order_key';
    assert fail_point('place_order:order');

    insert into order_lines (shop_id, order_id, line_no, variant_id, product_id, merchant_id, name, sku, upc, origin,
                             image, quantity, unit_price_minor, vat_bp, total_minor, note, details)
    select v_shop_id, order_id, l.line_no, l.variant_id, l.product_id, l.merchant_id, l.name, l.sku, l.upc, l.origin,
           l.image, l.quantity, l.unit_price_minor, l.vat_bp, l.unit_price_minor * l.quantity, l.note,
           coalesce(l.details, '{}')
    from jsonb_to_recordset(p_order -> 'lines') as l (
        line_no smallint, variant_id bigint, product_id bigint, merchant_id bigint, name text, sku text, upc text,
        origin text, image text, quantity bigint, unit_price_minor bigint, vat_bp integer, note text,
        details jsonb);
    assert fail_point('place_order:lines');

    insert into events (shop_id, kind, subject_id, payload, created_at)
    values (v_shop_id, 'order.placed', order_id,
            jsonb_build_object('partner_id', p_order -> 'partner_id', 'state', p_order ->> 'state'), p_now);
    assert fail_point('place_order:event');

    if v_connector is not null then
        perform queue_delivery(v_shop_id, 'dispatch', v_connector, order_id, '{}', v_by_hand, p_now);
        assert fail_point('place_order:dispatch');
    end if;

    perform take_stock(v_shop_id, order_id, p_order -> 'takes', p_now);
    assert fail_point('place_order:stock');
end $$;

-- Commit stock to an order. p_takes: [{variant_id, quantity, mode}], one mode per variant:
--   own_capped  own pool, never below what is available
--   own         own pool, which may go below zero (backorder)
--   supplier    supplier pool, which may go below zero (backorder)
--   own_first   own pool as far as it goes, the rest from the supplier (backorder)
create or replace function take_stock(p_shop_id bigint, p_order_id bigint, p_takes jsonb, p_now timestamptz)
returns void language plpgsql as $$
declare
    v_take record;
    v_postings jsonb;
begin
    if jsonb_array_length(p_takes) = 0 then
        return;
    end if;
    if p_takes @? '$[*] ? (@.mode == "own_first")' then
        for v_take in
            select distinct x.variant_id, x.mode
            from jsonb_to_recordset(p_takes) as x (variant_id bigint, mode text) order by x.variant_id
        loop
            insert into stock_levels (shop_id, variant_id, pool)
            select p_shop_id, v_take.variant_id, p.pool from unnest(array['own', 'supplier']) as p (pool)
            where v_take.mode = 'own_first' or (p.pool = 'supplier') = (v_take.mode = 'supplier')
            on conflict do nothing;
            perform 1 from stock_levels l where l.shop_id = p_shop_id and l.variant_id = v_take.variant_id
            order by l.pool for no key update;
        end loop;
    end if;

    with part as (
        select t.variant_id, p.pool, p.quantity, t.mode = 'own_capped' as floor
        from (
            select x.variant_id, sum(x.quantity)::bigint as quantity, min(x.mode) as mode
            from jsonb_to_recordset(p_takes) as x (variant_id bigint, quantity bigint, mode text)
            group by x.variant_id
        ) t
        cross join lateral (
            select case t.mode
                   when 'supplier' then 0
                   when 'own_first' then least(t.quantity, coalesce(greatest((
                       select l.available from stock_levels l
                       where l.shop_id = p_shop_id and l.variant_id = t.variant_id and l.pool = 'own'), 0), 0))
                   else t.quantity end as quantity
        ) own
        cross join lateral (
            values ('own', own.quantity), ('supplier', t.quantity - own.quantity)
        ) p (pool, quantity)
        where p.quantity > 0
    ), allocated as (
        insert into order_allocations (shop_id, order_id, variant_id, pool, quantity)
        select p_shop_id, p_order_id, variant_id, pool, quantity from part
    )
    select jsonb_agg(jsonb_build_object('variant_id', variant_id, 'pool', pool, 'kind', 'commit',
                                        'committed', quantity, 'floor', floor))
    into v_postings from part;
    assert fail_point('take_stock:allocated');

    perform post_stock(p_shop_id, v_postings, 'order placed', p_order_id, p_now);
end $$;
