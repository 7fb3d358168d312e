-- The owner of a relationship's prepaid account, as `prepaid_owner` in crediting.py writes it.
create or replace function reseller_owner(p_reseller_id bigint) returns text language sql immutable as $$
    select 'reseller:' || p_reseller_id
$$;

-- The prepaid balance of a relationship; 0 where nothing was ever posted.
create or replace function prepaid_balance(p_shop_id bigint, p_reseller_id bigint, p_currency char(3))
returns bigint language sql stable as $$
    select coalesce((
        select a.balance_minor from accounts a
        where a.shop_id = p_shop_id and a.kind = 'prepaid' and a.owner = reseller_owner(p_reseller_id)
          and a.currency = p_currency), 0)
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
    return reseller_buying(v_reseller, reseller_used(v_reseller, p_now), p_product_id, p_variant_id, p_now) || (
        select jsonb_build_object('balance_minor', prepaid_balance(s.id, v_reseller.id, s.currency))
        from shops s where s.id = p_shop_id);
end $$;

-- Place the order of a fulfilment, an OrderDraft, and record what it delivered to the reseller; returns the fulfilment's
-- id. The order holds the lock of the account then, whose balance is what is left. Raises what place_order raises.
create or replace function deliver_fulfilment(p_shop_id bigint, p_order jsonb, p_facts jsonb, p_now timestamptz)
returns bigint language plpgsql as $$
declare
    v_order_id bigint;
    v_made reseller_fulfilments;
begin
    select p.order_id into v_order_id from place_order(p_order, p_now) p;
    assert fail_point('deliver_fulfilment:placed');
    insert into reseller_fulfilments (shop_id, reseller_id, order_id, key, external_order_id, product_id, variant_id,
                                      asked_variant_id, quantity, customer_email, product_name, variant_name,
                                      unit_minor, total_minor, currency, balance_after_minor, created_at)
    select p_shop_id, f.reseller_id, v_order_id, f.key, f.external_order_id, f.product_id, f.variant_id,
           f.asked_variant_id, f.quantity, f.customer_email, f.product_name, f.variant_name, f.unit_minor,
           f.unit_minor * f.quantity, f.currency, prepaid_balance(p_shop_id, f.reseller_id, f.currency), p_now
    from jsonb_to_record(p_facts) as f (
        reseller_id bigint, key text, external_order_id text, product_id bigint, variant_id bigint,
        asked_variant_id bigint, quantity bigint, customer_email text, product_name text, variant_name text,
        unit_minor bigint, currency char(3))
    returning * into v_made;
    assert fail_point('deliver_fulfilment:recorded');
    perform write_event(p_shop_id, 'reseller.api_fulfilment_delivered', v_made.id, jsonb_build_object(
        'reseller_id', v_made.reseller_id, 'email', p_facts ->> 'email',
        'external_order_id', v_made.external_order_id, 'product_id', v_made.product_id,
        'variant_id', v_made.asked_variant_id, 'quantity', v_made.quantity,
        'customer_email', v_made.customer_email, 'total_minor', v_made.total_minor,
        'currency', v_made.currency), p_now);
    return v_made.id;
end $$;
