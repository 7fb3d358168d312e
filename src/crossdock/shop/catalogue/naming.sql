-- The id of the variant that p_text names, by p_kind: 'id', 'reference' (sku or merchant_sku) or 'barcode' (numbers of
-- 8, 12, 13 and 14 digits are compared as GTIN-14). If several visible variants match, the oldest enabled one, else
-- the oldest. An 'id' is returned without a look-up; the caller's join checks that it exists and is visible.
create or replace function variant_named(p_shop_id bigint, p_merchant_ids bigint[], p_kind text, p_text text)
returns bigint language plpgsql stable as $$
begin
    if p_kind = 'id' then
        return p_text::bigint;
    elsif p_kind = 'barcode' then
        return (select v.id from variants v
                where v.shop_id = p_shop_id and p_text ~ '^[0-9]{8,14}$' and v.gtin14 = lpad(p_text, 14, '0')::char(14)
                  and sees_merchant(p_merchant_ids, v.merchant_id)
                order by v.enabled desc, v.id limit 1);
    end if;
    return (select named.id
            from (
                select v.id, v.enabled from variants v
                where v.shop_id = p_shop_id and v.sku = p_text and sees_merchant(p_merchant_ids, v.merchant_id)
                union all
                select v.id, v.enabled from variants v
                where v.shop_id = p_shop_id and v.merchant_sku = p_text and v.merchant_sku <> ''
                  and sees_merchant(p_merchant_ids, v.merchant_id)
            ) named
            order by named.enabled desc, named.id limit 1);
end $$;
