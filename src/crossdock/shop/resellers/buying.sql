-- What a reseller pays for a unit: the price agreed for the product, else what everybody pays less a discount, rounded
-- half up (spec shoppex_reseller 9.1). Null without a price.
create or replace function wholesale_price(p_base_minor bigint, p_agreed_minor bigint, p_discount_bp integer)
returns bigint language sql immutable as $$
    select coalesce(p_agreed_minor, round(p_base_minor::numeric * (10000 - coalesce(p_discount_bp, 0)) / 10000)::bigint)
$$;

-- Whether a variant is delivered by a serial: it has or had some, or it is nothing that is shipped and is counted.
create or replace function is_serial_variant(
    p_shop_id bigint, p_variant_id bigint, p_virtual boolean, p_sold_without_stock boolean, p_managed boolean
) returns boolean language sql stable as $$
    select (p_virtual and p_managed and not p_sold_without_stock)
           or exists (select 1 from serials s where s.shop_id = p_shop_id and s.variant_id = p_variant_id)
$$;

-- Whether a product is sold as variants, so that one must be named, rather than as one thing.
create or replace function has_variants(p products) returns boolean language sql stable as $$
    select cardinality(p.option_names) > 0
           or (select count(*) > 1 from variants v
               where v.shop_id = p.shop_id and v.product_id = p.id and v.enabled)
$$;

-- What a relationship bought since the day and since the month began, in UTC: what was fulfilled or ordered, and what
-- it asked into its stock unless that was revoked. In units, and in minor units of the currency.
create or replace function reseller_bought(
    p_shop_id bigint, p_reseller_id bigint, p_now timestamptz, out units_today bigint, out units_this_month bigint,
    out minor_today bigint, out minor_this_month bigint
) language sql stable as $$
    with since as (
        select date_trunc('day', p_now at time zone 'UTC') at time zone 'UTC' as day,
               date_trunc('month', p_now at time zone 'UTC') at time zone 'UTC' as month
    ), bought as (
        select f.quantity, f.total_minor, f.created_at as at from since s join reseller_fulfilments f
          on f.shop_id = p_shop_id and f.reseller_id = p_reseller_id and f.created_at >= s.month
        union all
        select t.quantity, t.total_minor, t.requested_at from since s join reseller_transfers t
          on t.shop_id = p_shop_id and t.reseller_id = p_reseller_id and t.requested_at >= s.month
         and t.state <> 'revoked'
        union all
        select l.quantity, l.total_minor, o.placed_at
        from since s
        join resellers r on r.shop_id = p_shop_id and r.id = p_reseller_id
        join orders o on o.shop_id = r.shop_id and o.partner_id = r.partner_id and o.placed_at >= s.month
         and o.source = 'reseller_order'
        join order_lines l on l.shop_id = o.shop_id and l.order_id = o.id
    )
    select coalesce(sum(b.quantity) filter (where b.at >= s.day), 0)::bigint, coalesce(sum(b.quantity), 0)::bigint,
           coalesce(sum(b.total_minor) filter (where b.at >= s.day), 0)::bigint,
           coalesce(sum(b.total_minor), 0)::bigint
    from since s left join bought b on true
$$;

-- What of its limits a relationship used; {} where no limit asks for it. The caller has locked the relationship.
create or replace function reseller_used(p_reseller resellers, p_now timestamptz)
returns jsonb language plpgsql stable as $$
declare
    v_bought jsonb := '{}';
begin
    if p_reseller.limit_daily is not null or p_reseller.limit_monthly is not null then
        select to_jsonb(b) into v_bought from reseller_bought(p_reseller.shop_id, p_reseller.id, p_now) b;
    end if;
    return v_bought;
end $$;

-- All by which it is decided whether a relationship may buy a product, and at which price: see _Facts in buying.py.
-- `variant` is the one that was named, else the product's first; null if it has none such. The caller has locked the
-- relationship, and read what it used once for all products that it asks for.
create or replace function reseller_buying(
    p_reseller resellers, p_used jsonb, p_product_id bigint, p_variant_id bigint, p_now timestamptz
) returns jsonb language plpgsql stable as $$
begin
    return p_used || (
        select jsonb_build_object(
            'reseller_id', p_reseller.id, 'status', p_reseller.status, 'mode', p_reseller.mode,
            'email', p_reseller.email,
            'limit_daily', p_reseller.limit_daily, 'limit_monthly', p_reseller.limit_monthly,
            'program_enabled', coalesce(g.enabled, false), 'currency', s.currency,
            'product', (
                select jsonb_build_object(
                    'name', p.name, 'has_variants', has_variants(p),
                    'is_allowed', p_reseller.all_products or x.product_id is not null,
                    'auto_fulfilled', coalesce(x.auto_fulfilled, true),
                    'min_quantity', x.min_quantity, 'max_quantity', x.max_quantity,
                    'custom_fields', p.custom_fields,
                    'discount_bp', case when x.wholesale_minor is null then rate.bp end,
                    'variant', (
                        select jsonb_build_object(
                            'id', o.id, 'merchant_id', o.merchant_id, 'name', o.name, 'sku', o.sku, 'upc', o.upc,
                            'origin', o.origin, 'image', o.image, 'vat_bp', o.vat_bp,
                            'is_sold', p.enabled and o.enabled and o.visible,
                            'has_serials', is_serial_variant(s.id, o.id, p.virtual, p.sold_without_stock, o.managed),
                            'available', greatest(o.own, 0), 'base_minor', o.price_minor,
                            'unit_minor', wholesale_price(o.price_minor, x.wholesale_minor, rate.bp))
                        from offers(s.id, null, s.currency, null, false, true, p_now) o
                        where o.product_id = p.id and (p_variant_id is null or o.id = p_variant_id)
                        order by o.enabled desc, o.place, o.id limit 1))
                from products p
                left join reseller_products x
                  on x.shop_id = p.shop_id and x.reseller_id = p_reseller.id and x.product_id = p.id
                cross join lateral (select coalesce(p_reseller.discount_bp, g.default_discount_bp, 0) as bp) rate
                where p.shop_id = s.id and p.id = p_product_id))
        from shops s left join reseller_programs g on g.shop_id = s.id
        where s.id = p_reseller.shop_id);
end $$;
