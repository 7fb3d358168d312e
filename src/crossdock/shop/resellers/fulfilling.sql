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

-- Units that a relationship bought since the day and since the month began, in UTC.
create or replace function reseller_units(
    p_shop_id bigint, p_reseller_id bigint, p_now timestamptz, out today bigint, out this_month bigint
) language sql stable as $$
    select coalesce(sum(f.quantity) filter (
               where f.created_at >= date_trunc('day', p_now at time zone 'UTC') at time zone 'UTC'), 0)::bigint,
           coalesce(sum(f.quantity), 0)::bigint
    from reseller_fulfilments f
    where f.shop_id = p_shop_id and f.reseller_id = p_reseller_id
      and f.created_at >= date_trunc('month', p_now at time zone 'UTC') at time zone 'UTC'
$$;

-- Lock the caller's relationship and read all that a fulfilment is decided by; null if the partner has none.
-- Fulfilments of a relationship follow each other from here on, so that a repetition finds the first one.
-- If there is one with the same identity, only `reseller_id`, `existing_id` and `is_same` are set (spec 7.5):
--   with a key     the fulfilment with this key, else one without a key for the same order, product and variant
--   without a key  the earliest for the same order, product and variant
create or replace function prepare_fulfilment(
    p_shop_id bigint, p_partner_id bigint, p_key text, p_external_order_id text, p_product_id bigint,
    p_variant_id bigint, p_quantity bigint, p_now timestamptz
) returns jsonb language plpgsql as $$
declare
    v_reseller resellers;
    v_found reseller_fulfilments;
    v_units record;
begin
    select r.* into v_reseller from resellers r
    where r.shop_id = p_shop_id and r.partner_id = p_partner_id for no key update;
    if not found then
        return null;
    end if;
    select f.* into v_found from reseller_fulfilments f
    where f.shop_id = p_shop_id and f.reseller_id = v_reseller.id and f.key = p_key;
    if not found then
        select f.* into v_found from reseller_fulfilments f
        where f.shop_id = p_shop_id and f.reseller_id = v_reseller.id
          and f.external_order_id = p_external_order_id and f.product_id = p_product_id
          and (f.variant_id = p_variant_id or p_variant_id is null and f.asked_variant_id is null)
          and (p_key is null or f.key is null)
        order by f.id limit 1;
    end if;
    if found then
        return jsonb_build_object(
            'reseller_id', v_reseller.id, 'status', v_reseller.status, 'existing_id', v_found.id,
            'is_same', v_found.external_order_id = p_external_order_id and v_found.product_id = p_product_id
                       and coalesce(v_found.variant_id = p_variant_id, v_found.asked_variant_id is null)
                       and v_found.quantity = p_quantity);
    end if;
    if v_reseller.limit_daily is not null or v_reseller.limit_monthly is not null then
        select u.today, u.this_month into v_units from reseller_units(p_shop_id, v_reseller.id, p_now) u;
    else
        select 0 as today, 0 as this_month into v_units;
    end if;
    return (
        select jsonb_build_object(
            'reseller_id', v_reseller.id, 'status', v_reseller.status, 'mode', v_reseller.mode,
            'email', v_reseller.email,
            'limit_daily', v_reseller.limit_daily, 'limit_monthly', v_reseller.limit_monthly,
            'units_today', v_units.today, 'units_this_month', v_units.this_month,
            'program_enabled', coalesce(g.enabled, false), 'currency', s.currency,
            'balance_minor', coalesce((
                select a.balance_minor from accounts a
                where a.shop_id = s.id and a.kind = 'prepaid' and a.owner = 'reseller:' || v_reseller.id
                  and a.currency = s.currency), 0),
            'product', (
                select jsonb_build_object(
                    'name', p.name, 'has_variants', has_variants(p),
                    'is_allowed', v_reseller.all_products or x.product_id is not null,
                    'auto_fulfilled', coalesce(x.auto_fulfilled, true),
                    'min_quantity', x.min_quantity, 'max_quantity', x.max_quantity,
                    'variant', (
                        select jsonb_build_object(
                            'id', o.id, 'merchant_id', o.merchant_id, 'name', o.name, 'sku', o.sku, 'upc', o.upc,
                            'origin', o.origin, 'image', o.image, 'vat_bp', o.vat_bp,
                            'is_sold', p.enabled and o.enabled and o.visible,
                            'has_serials', is_serial_variant(s.id, o.id, p.virtual, p.sold_without_stock, o.managed),
                            'unit_minor', wholesale_price(o.price_minor, x.wholesale_minor,
                                                          coalesce(v_reseller.discount_bp, g.default_discount_bp)))
                        from offers(s.id, null, s.currency, null, false, true, p_now) o
                        where o.product_id = p.id and (p_variant_id is null or o.id = p_variant_id)
                        order by o.enabled desc, o.place, o.id limit 1))
                from products p
                left join reseller_products x
                  on x.shop_id = p.shop_id and x.reseller_id = v_reseller.id and x.product_id = p.id
                where p.shop_id = s.id and p.id = p_product_id))
        from shops s left join reseller_programs g on g.shop_id = s.id
        where s.id = p_shop_id);
end $$;

-- Whether a product is sold as variants, so that one must be named, rather than as one thing.
create or replace function has_variants(p products) returns boolean language sql stable as $$
    select cardinality(p.option_names) > 0
           or (select count(*) > 1 from variants v
               where v.shop_id = p.shop_id and v.product_id = p.id and v.enabled)
$$;

-- Record what an order delivered to a reseller; returns the fulfilment's id. The caller has placed the order in this
-- transaction and so holds the lock of the account, whose balance is what is left.
create or replace function record_fulfilment(p_shop_id bigint, p_order_id bigint, p_facts jsonb, p_now timestamptz)
returns bigint language plpgsql as $$
declare
    v_made reseller_fulfilments;
begin
    insert into reseller_fulfilments (shop_id, reseller_id, order_id, key, external_order_id, product_id, variant_id,
                                      asked_variant_id, quantity, customer_email, product_name, variant_name,
                                      unit_minor, total_minor, currency, balance_after_minor, created_at)
    select p_shop_id, f.reseller_id, p_order_id, f.key, f.external_order_id, f.product_id, f.variant_id,
           f.asked_variant_id, f.quantity, f.customer_email, f.product_name, f.variant_name, f.unit_minor,
           f.unit_minor * f.quantity, f.currency, coalesce((
               select a.balance_minor from accounts a
               where a.shop_id = p_shop_id and a.kind = 'prepaid' and a.owner = 'reseller:' || f.reseller_id
                 and a.currency = f.currency), 0), p_now
    from jsonb_to_record(p_facts) as f (
        reseller_id bigint, key text, external_order_id text, product_id bigint, variant_id bigint,
        asked_variant_id bigint, quantity bigint, customer_email text, product_name text, variant_name text,
        unit_minor bigint, currency char(3))
    returning * into v_made;
    assert fail_point('record_fulfilment:recorded');
    perform write_event(p_shop_id, 'reseller.api_fulfilment_delivered', v_made.id, jsonb_build_object(
        'reseller_id', v_made.reseller_id, 'email', p_facts ->> 'email',
        'external_order_id', v_made.external_order_id, 'product_id', v_made.product_id,
        'variant_id', v_made.asked_variant_id, 'quantity', v_made.quantity,
        'customer_email', v_made.customer_email, 'total_minor', v_made.total_minor,
        'currency', v_made.currency), p_now);
    return v_made.id;
end $$;
