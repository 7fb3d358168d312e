-- The lines with the variants that they name (see variant_named), and the numbers of lines that name no variant, null
-- if there are none. A line keeps a name only if the caller gave one, and takes stock only if it is managed.
-- A variant need not be offered: the caller owns goods here, and whatever is on the shelf may be sent.
-- Each line is looked up separately, with `limit`: a join would be planned for a hundred lines, and would then read
-- all variants of a small shop.
create or replace function name_lines(
    p_shop_id bigint, p_merchant_ids bigint[], p_lines jsonb, out lines jsonb, out unknown smallint[]
) language sql stable set enable_seqscan = off as $$
    select jsonb_agg(l.line || jsonb_build_object(
               'variant_id', v.id, 'product_id', v.product_id, 'merchant_id', v.merchant_id,
               'name', coalesce(nullif(l.line ->> 'name', ''), v.name), 'sku', v.sku, 'upc', v.upc,
               'origin', v.origin, 'vat_bp', v.vat_bp, 'virtual', v.virtual,
               'take', case when v.is_counted then l.line ->> 'take' end)),
           array_agg((l.line ->> 'line_no')::smallint) filter (where v.id is null)
    from jsonb_array_elements(p_lines) as l (line)
    left join lateral (
        select x.id, x.product_id, x.merchant_id, x.name, x.sku, x.upc, x.origin, x.vat_bp,
               not is_shipped(p) as virtual,
               can_run_out(x.shop_id, x.id, x.stock_managed, p.sold_without_stock, p.virtual) as is_counted
        from variants x join products p on p.shop_id = x.shop_id and p.id = x.product_id
        where x.shop_id = p_shop_id
          and x.id = variant_named(p_shop_id, p_merchant_ids, l.line ->> 'kind', l.line ->> 'text')
          and (p_merchant_ids is null or x.merchant_id = any(p_merchant_ids))
        limit 1
    ) v on true
$$;
