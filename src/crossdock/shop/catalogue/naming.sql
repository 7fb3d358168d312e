-- A partner's variant by the name that it goes by: 'id', 'reference' (either of its two) or 'barcode' (digits,
-- compared across 8, 12, 13 and 14). Of several variants with one reference or barcode the oldest that is
-- enabled and of a merchant in sight. An id is only read: whoever joins it to the variants sees whether it is one.
create or replace function variant_named(p_shop_id bigint, p_merchant_ids bigint[], p_kind text, p_text text)
returns bigint language plpgsql stable as $$
begin
    if p_kind = 'id' then
        return p_text::bigint;
    elsif p_kind = 'barcode' then
        return (select min(v.id) from variants v
                where v.shop_id = p_shop_id and p_text ~ '^[0-9]{8,14}$' and v.gtin14 = lpad(p_text, 14, '0')::char(14)
                  and v.enabled and sees_merchant(p_merchant_ids, v.merchant_id));
    end if;
    return least(
        (select min(v.id) from variants v
         where v.shop_id = p_shop_id and v.sku = p_text
           and v.enabled and sees_merchant(p_merchant_ids, v.merchant_id)),
        (select min(v.id) from variants v
         where v.shop_id = p_shop_id and v.merchant_sku = p_text and v.merchant_sku <> ''
           and v.enabled and sees_merchant(p_merchant_ids, v.merchant_id)));
end $$;
