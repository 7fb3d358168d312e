-- What the rules of an order need, as one JSON text: an existing order with the partner's number, the customer, the
-- default connector, the variants that the partner may see.
-- It is a function so that it is planned once per connection: planning took four times as long as running.
create or replace function order_context(
    p_shop_id bigint, p_namespace text, p_number text, p_customer_id bigint, p_variant_ids bigint[],
    p_merchant_ids bigint[], p_price_list_id bigint, p_currency char(3), p_now timestamptz
) returns text language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
    return jsonb_build_object(
        'existing', (
            select jsonb_build_object('id', o.id, 'order_key', o.order_key)
            from identities i join orders o on o.shop_id = i.shop_id and o.id = i.order_id
            where i.shop_id = p_shop_id and i.namespace = p_namespace and i.key = p_number),
        'customer', (
            select jsonb_build_object('id', c.id, 'email', c.email, 'active', c.active,
                                      'billing', jsonb_strip_nulls(c.billing),
                                      'shipping', jsonb_strip_nulls(c.shipping), 'sales_rep_id', c.sales_rep_id)
            from customers c
            where c.shop_id = p_shop_id and c.id = p_customer_id and c.deleted_at is null),
        'connector', (
            select jsonb_build_object('name', f.name, 'kind', f.kind) from connectors f
            where f.shop_id = p_shop_id and f.is_default and f.enabled),
        'variants', coalesce((select jsonb_agg(to_jsonb(seen)) from (
            select o.id, o.product_id, o.merchant_id, o.name, o.sku, o.upc, o.origin, o.vat_bp, o.managed, o.status,
                   coalesce(o.image, p.images -> 0 ->> 'url') as image, o.own, o.supplier, o.price_minor,
                   is_shipped(p) as shipped
            from offers(p_shop_id, p_merchant_ids, p_currency, p_price_list_id, false, false, p_now) o
            join products p on p.shop_id = p_shop_id and p.id = o.product_id
            where o.id = any(p_variant_ids) and o.visible
        ) seen), '[]'::jsonb)
    )::text;
end $$;

-- Spend a call's nonce and read what the rules of its order need, in one statement that does not wait for the disk
-- (see spend_nonces_early). The outcome is that of spend_nonces; the context is null unless the nonce was spent.
create or replace function open_order(
    p_credential_id bigint, p_revision bigint, p_nonce text, p_expires_at timestamptz, p_limit integer,
    p_shop_id bigint, p_namespace text, p_number text, p_customer_id bigint, p_variant_ids bigint[],
    p_merchant_ids bigint[], p_price_list_id bigint, p_currency char(3), p_now timestamptz,
    out outcome text, out context text
) language plpgsql as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    outcome := spend_nonce(p_credential_id, p_revision, p_nonce, p_expires_at, p_now);
    if outcome = 'spent' and p_limit > 0 then
        assert fail_point('open_order:spent');
        if count_calls(p_credential_id, 1, p_now) > p_limit then
            outcome := 'limited';
        end if;
    end if;
    if outcome = 'spent' then
        context := order_context(p_shop_id, p_namespace, p_number, p_customer_id, p_variant_ids, p_merchant_ids,
                                 p_price_list_id, p_currency, p_now);
    end if;
end $$;
