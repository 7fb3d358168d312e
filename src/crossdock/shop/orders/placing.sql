-- Place an order: one statement, one transaction, the levels locked last. p_order is an OrderDraft (draft.py).
-- Returns the order's id and key, and the outcome:
--   created   the order was created with the state `state`
--   replayed  its identity was used before with the same request: the first order's id and key
--   conflict  its identity was used before with another request, or one that cannot be compared
--   unknown   lines name no variant of the caller; `unknown` has their numbers, nothing is written
-- If own stock does not cover a capped take, an order with `state_when_short` gets that state and takes no stock; for
-- others it raises CD001 (see post_stock). Raises CD002 if the prepaid balance is too low, CD003 if a hold is gone or
-- does not match its line, CD070 if a coupon cannot be used by now.
create or replace function place_order(
    p_order jsonb, p_now timestamptz,
    out order_id bigint, out order_key text, out outcome text, out state text, out unknown smallint[]
) language plpgsql as $$
declare
    v_lines jsonb := p_order -> 'lines';
    v_when_short text := p_order ->> 'state_when_short';
begin
    if (p_order ->> 'names_variants')::boolean then
        select n.lines, n.unknown into v_lines, unknown
        from name_lines((p_order ->> 'shop_id')::bigint, jsonb_to_bigints(p_order -> 'merchant_ids'), v_lines) n;
        if unknown is not null then
            outcome := 'unknown';
            return;
        end if;
    end if;
    state := p_order ->> 'state';
    if v_when_short is null then
        select w.order_id, w.order_key, w.outcome into order_id, order_key, outcome
        from write_order(p_order, v_lines, state, true, p_now) w;
    else
        begin
            select w.order_id, w.order_key, w.outcome into order_id, order_key, outcome
            from write_order(p_order, v_lines, state, true, p_now) w;
        exception when sqlstate 'CD001' then
            state := v_when_short;
            select w.order_id, w.order_key, w.outcome into order_id, order_key, outcome
            from write_order(p_order, v_lines, state, false, p_now) w;
        end;
    end if;
    if outcome <> 'created' then
        state := null;
    end if;
end $$;

-- Write an order's rows, stock, postings, event and delivery; p_takes false takes no stock.
-- Sequential scans are off: foreign-key checks are planned at a connection's first order. In a new shop with empty
-- tables they would be planned as scans of whole tables, and stay so.
create or replace function write_order(
    p_order jsonb, p_lines jsonb, p_state text, p_takes boolean, p_now timestamptz,
    out order_id bigint, out order_key text, out outcome text
) language plpgsql set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_shop_id bigint := (p_order ->> 'shop_id')::bigint;
    v_id bigint := nextval('orders_id_seq');
    v_connector text := p_order #>> '{connector,name}';
    v_is_delivered boolean := p_state = 'completed';
    v_written bigint;  -- assigned where a statement would be performed for nothing: see post_entries
begin
    if p_order ? 'identity' then
        insert into identities (shop_id, namespace, key, request_hash, order_id, created_at)
        values (v_shop_id, p_order #>> '{identity,namespace}', p_order #>> '{identity,key}',
                decode(p_order #>> '{identity,request_hash}', 'base64'), v_id, p_now)
        on conflict do nothing;
        if not found then
            select i.order_id, o.order_key,
                   case when i.request_hash = decode(p_order #>> '{identity,request_hash}', 'base64')
                        then 'replayed' else 'conflict' end
            into order_id, order_key, outcome
            from identities i left join orders o on o.shop_id = i.shop_id and o.id = i.order_id
            where i.shop_id = v_shop_id and i.namespace = p_order #>> '{identity,namespace}'
              and i.key = p_order #>> '{identity,key}';
            return;
        end if;
        assert fail_point('place_order:identity');
    end if;
    order_id := v_id;
    order_key := p_order ->> 'order_key';
    outcome := 'created';

    insert into orders (shop_id, id, order_key, channel, partner_id, partner_order_id, customer_id, parent_id,
                        fulfilment_state, payment_state, release_policy, currency, subtotal_minor, discount_minor,
                        tax_minor, shipping_minor, total_minor, billing, shipping, language, comments, tax_id,
                        resale_tax, sales_rep_id, sales_rep_source, source, is_test, channel_data, placed_at,
                        updated_at, expires_at, release_after_s, paid_at)
    overriding system value
    select v_shop_id, v_id, o.order_key, o.channel, o.partner_id, o.partner_order_id, o.customer_id, o.parent_id,
           p_state, o.payment_state, o.release_policy, o.currency, o.subtotal_minor, o.discount_minor,
           o.tax_minor, o.shipping_minor, o.total_minor, o.billing, o.shipping, o.language, o.comments, o.tax_id,
           o.resale_tax, o.sales_rep_id, o.sales_rep_source, o.source, o.is_test, o.channel_data, p_now,
           p_now, o.expires_at, o.release_after_s, case when o.payment_state = 'paid' then p_now end
    from jsonb_to_record(p_order) as o (
        order_key text, channel text, partner_id bigint, partner_order_id text, customer_id bigint,
        parent_id bigint, payment_state text, release_policy text, currency text, subtotal_minor bigint,
        discount_minor bigint, tax_minor bigint, shipping_minor bigint, total_minor bigint, billing jsonb,
        shipping jsonb, language text, comments text, tax_id text, resale_tax text, sales_rep_id bigint,
        sales_rep_source text, source text, is_test boolean, channel_data jsonb, expires_at timestamptz,
        release_after_s integer);
    assert fail_point('place_order:order');

    with written as (
        insert into order_lines (shop_id, order_id, line_no, variant_id, product_id, merchant_id, name, sku, upc,
                                 origin, image, virtual, quantity, unit_price_minor, discount_minor,
                                 tax_minor, shipping_minor, total_minor, vat_bp, note, channel_data, as_sold, state,
                                 picked, shipped)
        select v_shop_id, v_id, l.line_no, l.variant_id, l.product_id, l.merchant_id, l.name, l.sku, l.upc,
               l.origin, l.image,
               coalesce(l.virtual, (select not is_shipped(p) from products p
                                    where p.shop_id = v_shop_id and p.id = l.product_id), false),
               l.quantity, l.unit_price_minor, l.discount_minor, l.tax_minor, l.shipping_minor,
               l.unit_price_minor * l.quantity - l.discount_minor + l.tax_minor + l.shipping_minor,
               l.vat_bp, l.note, l.channel_data, l.as_sold, d.state, d.quantity, d.quantity
        from jsonb_to_recordset(p_lines) as l (
            line_no smallint, variant_id bigint, product_id bigint, merchant_id bigint, name text, sku text,
            upc text, origin text, image text, virtual boolean, quantity bigint, unit_price_minor bigint,
            discount_minor bigint, tax_minor bigint, shipping_minor bigint, vat_bp integer, note text,
            channel_data jsonb, as_sold jsonb)
        cross join lateral (
            select case when v_is_delivered then 'shipped' else 'open' end as state,
                   case when v_is_delivered then l.quantity else 0 end as quantity
        ) d
        returning merchant_id, unit_price_minor * quantity as subtotal_minor, discount_minor, tax_minor,
                  shipping_minor, total_minor
    )
    insert into order_parts (shop_id, order_id, merchant_id, state, route, subtotal_minor, discount_minor,
                             tax_minor, shipping_minor, commission_minor, total_minor)
    select v_shop_id, v_id, w.merchant_id, p_state,
           case when p_order -> 'routes' ? w.merchant_id::text
                then p_order #>> array['routes', w.merchant_id::text, 'name'] else v_connector end,
           sum(w.subtotal_minor), sum(w.discount_minor), sum(w.tax_minor), sum(w.shipping_minor),
           case when p_order ->> 'payment_state' = 'none' then 0
                else commission(v_shop_id, w.merchant_id, sum(w.subtotal_minor - w.discount_minor)::bigint) end,
           sum(w.total_minor)
    from written w group by w.merchant_id;
    assert fail_point('place_order:lines');

    v_written := write_event(v_shop_id, 'order.placed', v_id,
                             jsonb_build_object('partner_id', p_order -> 'partner_id', 'state', p_state,
                                                'payment_state', p_order -> 'payment_state'), p_now);
    assert fail_point('place_order:event');
    if p_order ? 'routes' and p_state = 'processing' then
        perform queue_delivery(v_shop_id, 'dispatch', routes.route, v_id, null, c.kind = 'manual', p_now)
        from (select distinct p.route from order_parts p
              where p.shop_id = v_shop_id and p.order_id = v_id and p.route is not null) routes
        join connectors c on c.shop_id = v_shop_id and c.name = routes.route;
        assert fail_point('place_order:deliveries');
    elsif v_connector is not null and p_state = 'processing' then
        v_written := queue_delivery(v_shop_id, 'dispatch', v_connector, v_id, null,
                                    p_order #>> '{connector,kind}' = 'manual', p_now);
        assert fail_point('place_order:delivery');
    end if;
    if p_takes then
        v_written := take_stock(v_shop_id, v_id, p_lines, p_now);
        assert fail_point('place_order:stock');
    end if;
    if p_order ? 'coupon_ids' then
        perform use_coupons(v_shop_id, v_id, p_order -> 'coupon_ids', p_now);
        assert fail_point('place_order:coupons');
    end if;
    if p_order ->> 'payment_id' is not null then
        perform claim_payment(v_shop_id, (p_order ->> 'payment_id')::bigint, v_id, null,
                              (p_order ->> 'total_minor')::bigint, p_order ->> 'currency', p_now);
        assert fail_point('place_order:payment');
    end if;
    if p_order ->> 'payment_state' <> 'none' then
        perform post_sale(v_shop_id, v_id, p_order ->> 'prepaid_owner', false, p_now);
        assert fail_point('place_order:sale');
    end if;
end $$;

-- The shop's commission on a merchant's sales, in minor units, rounded half up.
create or replace function commission(p_shop_id bigint, p_merchant_id bigint, p_amount_minor bigint)
returns bigint language sql stable as $$
    select share_bp(p_amount_minor, m.commission_bp)
    from merchants m where m.shop_id = p_shop_id and m.id = p_merchant_id
$$;

create or replace function jsonb_to_bigints(p_list jsonb) returns bigint[] language sql immutable as $$
    select case when jsonb_typeof(p_list) = 'array' then
        array(select value::bigint from jsonb_array_elements_text(p_list) value) end
$$;
