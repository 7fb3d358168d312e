-- What the rules need of an order that is to await its payment, as one JSON text: an existing order with the partner's
-- number, the customer, and the variants that have a price for the partner, also those that are not for sale now.
create or replace function awaiting_context(
    p_shop_id bigint, p_namespace text, p_number text, p_request_hash bytea, p_customer_id bigint,
    p_variant_ids bigint[], p_merchant_ids bigint[], p_price_list_id bigint, p_currency char(3), p_now timestamptz
) returns text language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
    return jsonb_build_object(
        'existing', (
            select jsonb_build_object('id', o.id, 'order_key', o.order_key,
                                      'is_same_request', coalesce(i.request_hash = p_request_hash, false))
            from identities i join orders o on o.shop_id = i.shop_id and o.id = i.order_id
            where i.shop_id = p_shop_id and i.namespace = p_namespace and i.key = p_number),
        'customer', (
            select jsonb_build_object('id', c.id, 'email', c.email, 'active', c.active,
                                      'billing', jsonb_strip_nulls(c.billing),
                                      'shipping', jsonb_strip_nulls(c.shipping), 'sales_rep_id', c.sales_rep_id)
            from customers c
            where c.shop_id = p_shop_id and c.id = p_customer_id and c.deleted_at is null),
        'connector', null,
        'variants', coalesce((select jsonb_agg(to_jsonb(seen)) from (
            select o.id, o.product_id, o.merchant_id, o.name, o.sku, o.upc, o.origin, o.vat_bp, o.managed, o.status,
                   coalesce(o.image, p.images -> 0 ->> 'url') as image, o.own, o.supplier, o.price_minor,
                   o.enabled and o.visible and p.enabled and m.enabled as enabled,
                   is_shipped(p) as shipped, is_shipped_free(p) as free_shipping,
                   p.shipping_minor as shipping_each_minor, p.shipping_terms,
                   countries_served(p) as ships_to, (
                       select jsonb_build_object('name', f.name, 'kind', f.kind) from connectors f
                       where f.shop_id = p_shop_id and f.enabled
                         and case m.connector when '' then f.is_default else f.name = m.connector end) as route
            from offers(p_shop_id, p_merchant_ids, p_currency, p_price_list_id, false, false, p_now) o
            join products p on p.shop_id = p_shop_id and p.id = o.product_id
            join merchants m on m.shop_id = p.shop_id and m.id = p.merchant_id
            join variants v on v.shop_id = p_shop_id and v.id = o.id
            where o.id = any(p_variant_ids) and v.currency = p_currency and o.price_minor is not null
        ) seen), '[]'::jsonb)
    )::text;
end $$;
