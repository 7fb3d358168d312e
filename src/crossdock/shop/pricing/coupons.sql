-- Coupons and the lowest price. The SQL twin of coupons.lowest_price, which has the rule in words.

-- A part of an amount in basis points, rounded half up; the twin of kit.money.share_bp. Exact for any bigint.
create or replace function share_bp(p_amount bigint, p_rate_bp integer) returns bigint
language sql immutable parallel safe as $$
    select div(2 * p_amount::numeric * p_rate_bp + 10000, 20000)::bigint
$$;

-- What the caller pays for a unit at least, of the prices that `offers` tells:
--   base_minor      the sale price where it is above zero and below retail, else retail: what coupons look at
--   sale_minor      that sale price, null without one
--   discount_minor  what the best coupon makes of the base, null where none makes it lower
--   price_minor     the lowest of these, or the price agreed with the caller, which nothing lowers
--   ships_free      whether a coupon makes the shipping free
--   coupons         all that are good for the product now, whatever their threshold, with what each saves
create or replace function lowest_price(
    p_shop_id bigint, p_merchant_id bigint, p_product_id bigint, p_currency char(3),
    p_retail bigint, p_active bigint, p_agreed bigint, p_now timestamptz
) returns table (
    base_minor bigint, sale_minor bigint, discount_minor bigint, price_minor bigint, ships_free boolean, coupons jsonb
) language sql stable parallel safe rows 1 as $$
    select b.base, b.sale, c.discount, least(b.base, c.discount), coalesce(c.ships_free, false),
           coalesce(c.coupons, '[]'::jsonb)
    from (
        select coalesce(p_agreed, s.sale, p_retail) as base, s.sale
        from (select case when p_agreed is null and p_active > 0 and p_active < p_retail then p_active end as sale) s
    ) b
    cross join lateral (
        select min(t.price) filter (where t.price < b.base) as discount, bool_or(t.counts and t.kind = 'free_shipping')
                   as ships_free,
               jsonb_agg(jsonb_build_object(
                   'code', t.code, 'kind', t.kind, 'threshold_minor', t.threshold_minor, 'amount_minor', t.amount_minor,
                   'percent_bp', t.percent_bp, 'saves_minor', b.base - coalesce(t.price, b.base)) order by t.code)
                   as coupons
        from (
            select q.code, q.kind, q.threshold_minor, q.amount_minor, q.percent_bp, b.base > q.threshold_minor as counts,
                   case when b.base > q.threshold_minor and p_agreed is null then case q.kind
                       when 'amount_off' then greatest(b.base - q.amount_minor, 0)
                       when 'percent_off' then b.base - share_bp(b.base, q.percent_bp) end end as price
            from coupons q
            where q.shop_id = p_shop_id and q.enabled and q.currency = p_currency
              and (coalesce(q.merchant_id, 0), coalesce(q.product_id, 0))
                  in ((0, 0), (p_merchant_id, 0), (p_merchant_id, p_product_id))
              and (q.starts_at is null or q.starts_at <= p_now) and (q.ends_at is null or p_now < q.ends_at)
              and (p_agreed is null or q.kind = 'free_shipping')
        ) t
    ) c
$$;
