-- Record which relationship brought an order, in the transaction that placed it (spec shoppex_reseller 9.2, 14).
-- The code is the attribution code of a relationship or the public token of a campaign, in any case. The lines that earn
-- are those of goods that the relationship may sell and, by a campaign, that are the campaign's; each keeps the rate of
-- this moment: of the product, else of the relationship, else of the programme.
-- Nothing is recorded, and no row returned, without a line that earns; for an order that was attributed before or is a
-- test; and for a code that earns nothing now: because there is none, its campaign is not active, its relationship is not
-- active or buys stock only, or the programme is off.
create or replace function attribute_order(
    p_shop_id bigint, p_order_id bigint, p_code text, p_now timestamptz
) returns table (reseller_id bigint, campaign_id bigint) language plpgsql as $$
#variable_conflict use_column
declare
    v_code text := lower(btrim(p_code));
    v_reseller resellers;
    v_campaign embed_campaigns;
    v_default_bp integer;
    v_lines jsonb;
begin
    select c.* into v_campaign from embed_campaigns c where c.shop_id = p_shop_id and c.public_token = v_code;
    if v_campaign.status <> 'active' then
        return;
    end if;
    select r.* into v_reseller from resellers r
    where r.shop_id = p_shop_id and r.status = 'active' and r.mode in ('affiliate', 'both')
      and (r.id = v_campaign.reseller_id or v_campaign.id is null and r.attribution_code = v_code);
    select g.default_commission_bp into v_default_bp from reseller_programs g
    where g.shop_id = p_shop_id and g.enabled;
    if not found or v_reseller.id is null then
        return;
    end if;
    select jsonb_agg(jsonb_build_object(
               'line_no', l.line_no,
               'commission_bp', coalesce(x.commission_bp, v_reseller.commission_bp, v_default_bp, 0)))
    into v_lines
    from orders o
    join order_lines l on l.shop_id = o.shop_id and l.order_id = o.id
    left join reseller_products x
      on x.shop_id = o.shop_id and x.reseller_id = v_reseller.id and x.product_id = l.product_id
    where o.shop_id = p_shop_id and o.id = p_order_id and not o.is_test
      and (v_reseller.all_products or x.product_id is not null)
      and (v_campaign.id is null or campaign_has(v_campaign, l.product_id, l.variant_id));
    if v_lines is null then
        return;
    end if;
    return query
        with written as (
            insert into reseller_attributions as a (shop_id, order_id, reseller_id, campaign_id, created_at)
            values (p_shop_id, p_order_id, v_reseller.id, v_campaign.id, p_now)
            on conflict do nothing returning a.reseller_id, a.campaign_id
        ), lines as (
            insert into reseller_attributed_lines (shop_id, order_id, line_no, commission_bp)
            select p_shop_id, p_order_id, e.line_no, e.commission_bp
            from written, jsonb_to_recordset(v_lines) as e (line_no smallint, commission_bp integer)
        )
        select w.reseller_id, w.campaign_id from written w;
end $$;

-- Whether a campaign is for this variant of this product.
create or replace function campaign_has(c embed_campaigns, p_product_id bigint, p_variant_id bigint)
returns boolean language sql immutable as $$
    select p_product_id = any(c.product_ids) or p_variant_id = any(c.variant_ids)
           or cardinality(c.product_ids) + cardinality(c.variant_ids) = 0
$$;
