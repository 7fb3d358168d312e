-- A cart as one JSON text (see RawCart in model.py): its lines with what the catalogue says of them now, and the
-- merchants of its lines; null where the partner has no such cart. All lines, also those that cannot be bought now:
-- `can_buy` says which can, and `limit` how many, null without a limit.
-- p_terms: what an offer depends on, {merchants, price_list, backorder, own_requires_stock}.
-- A function, so that its plan is made once per connection. Each line's offer is read by itself, with `limit`: a
-- join would be planned for a hundred lines, and for so many it may be cheaper to read all variants of the shop.
create or replace function cart_view(
    p_shop_id bigint, p_cart_id uuid, p_partner_id bigint, p_terms jsonb, p_now timestamptz
) returns text language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    v_cart carts;
    v_merchants bigint[] := jsonb_to_bigints(p_terms -> 'merchants');
    v_price_list bigint := (p_terms ->> 'price_list')::bigint;
    v_backorder boolean := (p_terms ->> 'backorder')::boolean;
    v_own_requires_stock boolean := (p_terms ->> 'own_requires_stock')::boolean;
begin
    select c.* into v_cart from carts c
    where c.shop_id = p_shop_id and c.id = p_cart_id and c.partner_id = p_partner_id;
    if not found then
        return null;
    end if;
    return jsonb_build_object(
        'id', v_cart.id, 'partner_id', v_cart.partner_id, 'currency', v_cart.currency, 'revision', v_cart.revision,
        'order_id', v_cart.order_id, 'claimed_until', v_cart.claimed_until, 'hold_ids', v_cart.hold_ids,
        'created_at', v_cart.created_at, 'updated_at', v_cart.updated_at,
        'product_url', (select s.product_url from shops s where s.id = p_shop_id),
        'lines', coalesce((
            select jsonb_agg(to_jsonb(line) order by line.place) from (
                select l.place, l.quantity as wanted, l.added_at, l.updated_at, v.id as variant_id, v.product_id,
                       v.merchant_id, v.sku, v.merchant_sku, v.part_number, v.upc, v.name, v.options,
                       p.attributes || v.attributes as attributes,
                       coalesce(v.image, p.images -> 0 ->> 'url') as image, v.origin, v.vat_bp,
                       p.name as product_name, p.handle, p.brand, p.shipping_minor as shipping_each_minor,
                       coalesce(o.visible and o.allowed and coalesce(o.quantity, 1) > 0, false) as can_buy,
                       o.quantity as limit, v.retail_minor, o.sale_minor, o.discount_minor, o.price_minor,
                       not is_shipped(p) as virtual,
                       is_shipped_free(p) or coalesce(o.ships_free, false) as free_shipping,
                       counted_coupon(o.coupons, o.discount_minor) as coupon_id,
                       v.stock_managed as managed, v.stock_status as status, o.own, o.supplier
                from cart_lines l
                join variants v on v.shop_id = l.shop_id and v.id = l.variant_id
                join products p on p.shop_id = v.shop_id and p.id = v.product_id
                left join lateral (
                    select f.visible, f.allowed, f.quantity, f.own, f.supplier, lowest.sale_minor,
                           lowest.discount_minor, lowest.price_minor, lowest.ships_free, lowest.coupons
                    from offers(p_shop_id, v_merchants, v_cart.currency, v_price_list, v_backorder,
                                v_own_requires_stock, p_now) f
                    cross join lateral lowest_price(p_shop_id, f.merchant_id, f.product_id, v_cart.currency,
                                                    f.retail_minor, f.price_minor, f.agreed_minor, p_now) lowest
                    where f.id = l.variant_id
                    limit 1
                ) o on true
                where l.shop_id = p_shop_id and l.cart_id = p_cart_id
            ) line), '[]'::jsonb),
        'merchants', coalesce((
            select jsonb_agg(jsonb_build_object(
                'id', m.id, 'name', m.name, 'route', (
                    select jsonb_build_object('name', f.name, 'kind', f.kind) from connectors f
                    where f.shop_id = p_shop_id and f.enabled
                      and case m.connector when '' then f.is_default else f.name = m.connector end),
                'terms', merchant_terms(m)))
            from merchants m where m.shop_id = p_shop_id and m.id in (
                select v.merchant_id from cart_lines l
                join variants v on v.shop_id = l.shop_id and v.id = l.variant_id
                where l.shop_id = p_shop_id and l.cart_id = p_cart_id)), '[]'::jsonb)
    )::text;
end $$;
