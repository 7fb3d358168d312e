-- Enter a web shop's order, and release it if that is wanted: one statement, one transaction.
-- p_order as place_order reads it, but that each line names its good by `kind` and `text` (see find_good)
-- and has a name of its own only where the caller gave one. p_look as release_order has it.
-- Answers the order's id and key, whether it was made now, and the state that it is in; of an order that was
-- there before the state is null. Where lines name no good of the partner's, nothing is written and
-- `unknown` has their numbers.
-- Without sequential scans for the same reason as place_order.
create or replace function enter_order(
    p_order jsonb, p_merchant_ids bigint[], p_release boolean, p_look boolean, p_now timestamptz
) returns table (order_id bigint, order_key text, created boolean, state text, unknown smallint[])
language plpgsql set enable_seqscan = off as $$
declare
    v_shop_id bigint := (p_order ->> 'shop_id')::bigint;
    v_lines jsonb;
    v_unknown smallint[];
    v_placed record;
    v_state text;
begin
    select jsonb_agg(l.line || jsonb_build_object(
               'variant_id', g.variant_id, 'product_id', g.product_id, 'merchant_id', g.merchant_id,
               'name', coalesce(l.line ->> 'name', g.name), 'sku', g.sku, 'upc', g.upc, 'origin', g.origin,
               'vat_bp', g.vat_bp)),
           array_agg((l.line ->> 'line_no')::smallint) filter (where g.variant_id is null)
    into v_lines, v_unknown
    from jsonb_array_elements(p_order -> 'lines') as l (line)
    left join lateral find_good(v_shop_id, p_merchant_ids, l.line ->> 'kind', l.line ->> 'text') g on true;
    if v_unknown is not null then
        return query select null::bigint, null::text, false, null::text, v_unknown;
        return;
    end if;

    select p.order_id, p.order_key, p.created into v_placed
    from place_order(p_order || jsonb_build_object('lines', v_lines), p_now) p;
    perform fail_point('enter_order:placed');
    if v_placed.created then
        v_state := p_order ->> 'state';
    end if;
    if v_placed.created and p_release then
        v_state := release_order(v_shop_id, v_placed.order_id, p_look, p_now);
        perform fail_point('enter_order:released');
    end if;
    return query select v_placed.order_id, v_placed.order_key, v_placed.created, v_state, null::smallint[];
end $$;
