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
--   coupons         all that are good for the product now, whatever their threshold, with what each saves; not those
--                   that were used as often as they may be. `is_counted`: an order at its price is a use
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
                   'percent_bp', t.percent_bp, 'saves_minor', b.base - coalesce(t.price, b.base), 'id', t.id,
                   'is_counted', t.max_uses is not null) order by t.code) as coupons
        from (
            select q.id, q.max_uses, q.code, q.kind, q.threshold_minor, q.amount_minor, q.percent_bp, b.base > q.threshold_minor as counts,
                   case when b.base > q.threshold_minor and p_agreed is null then case q.kind
                       when 'amount_off' then greatest(b.base - q.amount_minor, 0)
                       when 'percent_off' then b.base - share_bp(b.base, q.percent_bp) end end as price
            from coupons q
            where q.shop_id = p_shop_id and q.enabled and q.given = 'price' and q.currency = p_currency
              and (q.max_uses is null or q.used_count < q.max_uses)
              and (coalesce(q.merchant_id, 0), coalesce(q.product_id, 0))
                  in ((0, 0), (p_merchant_id, 0), (p_merchant_id, p_product_id))
              and (q.starts_at is null or q.starts_at <= p_now) and (q.ends_at is null or p_now < q.ends_at)
              and (p_agreed is null or q.kind = 'free_shipping')
        ) t
    ) c
$$;

-- The coupon whose use an order at this discount is, of the coupons that `lowest_price` tells; null where the price is
-- without one, or made as well by one whose uses nobody counts.
create or replace function counted_coupon(p_coupons jsonb, p_discount_minor bigint) returns bigint
language sql immutable parallel safe as $$
    select case when (best.coupon ->> 'is_counted')::boolean then (best.coupon ->> 'id')::bigint end
    from (
        select x as coupon from jsonb_array_elements(p_coupons) x
        where p_discount_minor is not null
        order by (x ->> 'saves_minor')::bigint desc, (x ->> 'is_counted')::boolean, x ->> 'code' limit 1
    ) best
$$;

-- Note that an order uses these coupons, [ids], and count it, each locked until the order is committed: after the
-- levels, before payments and accounts. Raises CD070 with the id of one that cannot be used by now: it was switched
-- off, is over, or was used as often as it may be.
create or replace function use_coupons(p_shop_id bigint, p_order_id bigint, p_coupons jsonb, p_now timestamptz)
returns void language plpgsql as $$
declare
    v_id bigint;
    v_coupon coupons;
begin
    for v_id in select distinct value::bigint from jsonb_array_elements_text(p_coupons) value order by 1 loop
        update coupons c set used_count = c.used_count + 1
        where c.shop_id = p_shop_id and c.id = v_id and c.enabled
          and (c.max_uses is null or c.used_count < c.max_uses)
          and (c.starts_at is null or c.starts_at <= p_now) and (c.ends_at is null or p_now < c.ends_at)
        returning c.* into v_coupon;
        if not found then
            raise exception 'the coupon % cannot be used', v_id using errcode = 'CD070', detail = v_id::text;
        end if;
        assert fail_point('use_coupons:counted');
        insert into coupon_uses (shop_id, order_id, coupon_id, count_no, used_at)
        values (p_shop_id, p_order_id, v_id, v_coupon.count_no, p_now);
        assert fail_point('use_coupons:noted');
        if v_coupon.used_count = v_coupon.max_uses then
            perform tell_coupon(v_coupon, p_now);
            assert fail_point('use_coupons:told');
        end if;
    end loop;
end $$;

-- Give back what a cancelled order used of coupons. Only what was counted since a count was last set is taken off it.
create or replace function release_coupons(p_shop_id bigint, p_order_id bigint, p_now timestamptz)
returns void language plpgsql as $$
declare
    v_use coupon_uses;
    v_coupon coupons;
begin
    for v_use in
        select u.* from coupon_uses u
        where u.shop_id = p_shop_id and u.order_id = p_order_id and u.released_at is null order by u.coupon_id
    loop
        update coupons c set used_count = c.used_count - 1
        where c.shop_id = p_shop_id and c.id = v_use.coupon_id and c.count_no = v_use.count_no
        returning c.* into v_coupon;
        if found and v_coupon.used_count = v_coupon.max_uses - 1 then
            assert fail_point('release_coupons:freed');
            perform tell_coupon(v_coupon, p_now);
        end if;
        assert fail_point('release_coupons:counted');
        update coupon_uses u set released_at = p_now
        where u.shop_id = p_shop_id and u.order_id = p_order_id and u.coupon_id = v_use.coupon_id;
        assert fail_point('release_coupons:noted');
    end loop;
end $$;

-- Tell that prices are with, or without, a coupon by now; one by code is in no price.
create or replace function tell_coupon(p_coupon coupons, p_now timestamptz) returns void language plpgsql as $$
begin
    if p_coupon.given = 'price' then
        perform write_event(p_coupon.shop_id, 'coupon.changed', p_coupon.id,
                            jsonb_build_object('merchant_id', p_coupon.merchant_id, 'product_id', p_coupon.product_id),
                            p_now);
    end if;
end $$;
