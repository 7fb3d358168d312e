-- A partner's good by the name that it goes by: 'id', 'reference' (either of its two) or 'barcode' (digits,
-- compared across 8, 12, 13 and 14). No row for what is unknown, disabled or of a merchant out of sight; of
-- several goods with one name the oldest.
create or replace function find_good(p_shop_id bigint, p_merchant_ids bigint[], p_kind text, p_text text)
returns table (variant_id bigint, product_id bigint, merchant_id bigint, name text, sku text, upc text,
               origin text, vat_bp integer)
language plpgsql stable set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_ids bigint[];
begin
    if p_kind = 'id' then
        v_ids := array[p_text::bigint];
    elsif p_kind = 'barcode' then
        v_ids := array(select v.id from variants v
                       where v.shop_id = p_shop_id and p_text ~ '^[0-9]{8,14}$' and v.gtin14 = lpad(p_text, 14, '0'));
    else
        v_ids := array(select v.id from variants v where v.shop_id = p_shop_id and v.sku = p_text)
              || array(select v.id from variants v
                       where v.shop_id = p_shop_id and v.merchant_sku = p_text and v.merchant_sku <> '');
    end if;
    return query
        select v.id, v.product_id, v.merchant_id, v.name, v.sku, v.upc, v.origin, v.vat_bp from variants v
        where v.shop_id = p_shop_id and v.id = any(v_ids) and v.enabled
          and (p_merchant_ids is null or v.merchant_id = any(p_merchant_ids))
        order by v.id limit 1;
end $$;
