-- The offers to a caller: one row per variant of the merchants that it may see, with its price and the quantity that
-- it may buy. Nothing else decides who sees what at which price; the parameters are explained in offers.py.
--   visible          may be seen and ordered: listed, in the caller's currency, with a price
--   price_minor      the unit price for the caller now; regular_minor is the price without promotions (active_price)
--   promotion_minor  the lowest promotion that runs now, whether or not it decides the price
--   listed, allowed, quantity, shown   the origin rule (stock_limit); quantity null sets no limit
--   own, supplier    what each pool can still promise
--   agreed_minor     the price agreed with the caller, which is final; null where there is none
-- One `select` of a stable function in language sql, so that the planner puts it in place of the call: it reads
-- only the columns and the rows that the caller asks for, one variant by its key or the whole catalogue by merges.
-- The lowest promotion is the one that no other one is below, rather than a `min`: such a join can be planned
-- either way as well, an aggregate only one way, chosen here.
create or replace function offers(
    p_shop_id bigint, p_merchant_ids bigint[], p_currency char(3), p_price_list_id bigint,
    p_backorder boolean, p_own_requires_stock boolean, p_now timestamptz
) returns table (
    id bigint, product_id bigint, merchant_id bigint, name text, sku text, upc text, image text, origin text,
    vat_bp integer, weight_g integer, place integer, enabled boolean, managed boolean, status text,
    own bigint, supplier bigint, visible boolean, retail_minor bigint, promotion_minor bigint, regular_minor bigint,
    price_minor bigint, listed boolean, allowed boolean, quantity bigint, shown bigint, agreed_minor bigint
) language sql stable parallel safe as $$
    select v.id, v.product_id, v.merchant_id, v.name, v.sku, v.upc, v.image, v.origin,
           v.vat_bp, v.weight_g, v.position, v.enabled, v.stock_managed, v.stock_status,
           coalesce(own.available, 0), coalesce(supplier.available, 0),
           v.listed and v.currency = p_currency
               and active_price(agreed.price_minor, promotion.price_minor, v.sale_minor, v.sale_starts_at,
                                v.sale_ends_at, v.retail_minor, p_now) is not null,
           v.retail_minor, promotion.price_minor,
           active_price(agreed.price_minor, null, v.sale_minor, v.sale_starts_at, v.sale_ends_at, v.retail_minor,
                        p_now),
           active_price(agreed.price_minor, promotion.price_minor, v.sale_minor, v.sale_starts_at, v.sale_ends_at,
                        v.retail_minor, p_now),
           rule.listed, rule.allowed, rule.quantity, rule.shown, agreed.price_minor
    from variants v
    left join stock_levels own
      on own.shop_id = v.shop_id and own.variant_id = v.id and own.pool = 'own'
    left join stock_levels supplier
      on supplier.shop_id = v.shop_id and supplier.variant_id = v.id and supplier.pool = 'supplier'
    left join price_list_items agreed
      on agreed.shop_id = v.shop_id and agreed.price_list_id = p_price_list_id and agreed.variant_id = v.id
    left join (
        select q.shop_id, q.variant_id, q.price_minor from promotions q
        where q.starts_at <= p_now and p_now < q.ends_at and not exists (
            select 1 from promotions lower
            where lower.shop_id = q.shop_id and lower.variant_id = q.variant_id
              and lower.starts_at <= p_now and p_now < lower.ends_at
              and (lower.price_minor, lower.id) < (q.price_minor, q.id))
    ) promotion on promotion.shop_id = v.shop_id and promotion.variant_id = v.id
    cross join lateral stock_limit(
        v.origin, v.stock_managed, v.stock_status, coalesce(own.available, 0), coalesce(supplier.available, 0),
        p_backorder, p_own_requires_stock) rule
    where v.shop_id = p_shop_id and sees_merchant(p_merchant_ids, v.merchant_id)
$$;
