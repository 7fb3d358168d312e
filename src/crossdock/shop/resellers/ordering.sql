-- Lock the caller's relationship and read all that an order of several items is decided by; null if the partner has
-- none. p_items: [{product_id, variant_id}]. Orders and fulfilments of a relationship follow each other from here on,
-- so that a repetition finds the first one: of such, only `existing_id` and `is_same` are set.
create or replace function prepare_reseller_order(
    p_shop_id bigint, p_partner_id bigint, p_items jsonb, p_key text, p_request_hash bytea, p_now timestamptz
) returns jsonb language plpgsql as $$
declare
    v_reseller resellers;
    v_known identities;
    v_used jsonb;
begin
    select r.* into v_reseller from resellers r
    where r.shop_id = p_shop_id and r.partner_id = p_partner_id for no key update;
    if not found then
        return null;
    end if;
    select i.* into v_known from identities i
    where i.shop_id = p_shop_id and i.namespace = 'reseller order:' || v_reseller.id and i.key = p_key;
    if found then
        return jsonb_build_object('reseller_id', v_reseller.id, 'status', v_reseller.status,
                                  'existing_id', v_known.order_id, 'is_same', v_known.request_hash = p_request_hash);
    end if;
    v_used := reseller_used(v_reseller, p_now);
    return jsonb_build_object(
        'reseller_id', v_reseller.id, 'status', v_reseller.status, 'email', v_reseller.email,
        'balance_minor', coalesce((
            select a.balance_minor from accounts a join shops s on s.id = a.shop_id and s.currency = a.currency
            where a.shop_id = p_shop_id and a.kind = 'prepaid' and a.owner = 'reseller:' || v_reseller.id), 0),
        'items', (
            select jsonb_agg(reseller_buying(v_reseller, v_used, (i.item ->> 'product_id')::bigint,
                                             (i.item ->> 'variant_id')::bigint, p_now) order by i.place)
            from jsonb_array_elements(p_items) with ordinality i (item, place)));
end $$;
