-- Enter a web shop's order, and release it if that is wanted: one statement, one transaction.
-- p_order as place_order reads it, but that each line names its good by `kind` and `text` (see good_id)
-- and has a name of its own only where the caller gave one; `state` and `takes` are decided here.
-- p_release: the goods are committed if all are there, else the order is reserved and keeps none; with p_look
-- false (release mode 'immediate') they are committed without looking: own stock may go below zero.
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
    v_goods record;
    v_placed record;
    v_state text := 'waiting_for_release';
begin
    select * into v_goods from order_goods_of(v_shop_id, p_merchant_ids, p_order -> 'lines', p_look);
    if v_goods.unknown is not null then
        return query select null::bigint, null::text, false, null::text, v_goods.unknown;
        return;
    end if;

    if p_release then
        begin
            v_state := 'processing';
            select p.order_id, p.order_key, p.created into v_placed from place_order(
                p_order || jsonb_build_object('lines', v_goods.lines, 'takes', v_goods.takes, 'state', v_state),
                p_now) p;
        exception when sqlstate 'CD001' then
            v_state := 'reserved';
        end;
    end if;
    if v_state <> 'processing' then
        select p.order_id, p.order_key, p.created into v_placed from place_order(
            p_order || jsonb_build_object('lines', v_goods.lines, 'takes', '[]'::jsonb, 'state', v_state), p_now) p;
    end if;
    perform fail_point('enter_order:placed');
    if v_placed.created and p_release then
        insert into events (shop_id, kind, subject_id, created_at)
        values (v_shop_id, case v_state when 'reserved' then 'order.reserved' else 'order.released' end,
                v_placed.order_id, p_now);
        perform fail_point('enter_order:told');
    end if;
    return query select v_placed.order_id, v_placed.order_key, v_placed.created,
                        case when v_placed.created then v_state end, null::smallint[];
end $$;

-- The lines with the goods that they name, the numbers of those that name none (null where all do), and what
-- a release takes: the goods that are counted, each with how many of it.
-- Each line by itself, with `limit`: a join would be planned for a hundred lines, and for so many it is
-- cheaper to read all variants of a small shop.
create or replace function order_goods_of(
    p_shop_id bigint, p_merchant_ids bigint[], p_lines jsonb, p_look boolean
) returns table (lines jsonb, unknown smallint[], takes jsonb) language sql stable as $$
    with named as materialized (
        select l.line, g.* from jsonb_array_elements(p_lines) as l (line)
        left join lateral (
            select v.id, v.product_id, v.merchant_id, v.name, v.sku, v.upc, v.origin, v.vat_bp,
                   v.stock_managed and not p.sold_without_stock and not p.virtual as is_counted
            from variants v join products p on p.shop_id = v.shop_id and p.id = v.product_id
            where v.shop_id = p_shop_id
              and v.id = good_id(p_shop_id, p_merchant_ids, l.line ->> 'kind', l.line ->> 'text')
              and v.enabled and (p_merchant_ids is null or v.merchant_id = any(p_merchant_ids))
            limit 1
        ) g on true
    ), wanted as (
        select n.id, sum((n.line ->> 'quantity')::bigint) as quantity from named n where n.is_counted group by n.id
    )
    select (select jsonb_agg(n.line || jsonb_build_object(
                'variant_id', n.id, 'product_id', n.product_id, 'merchant_id', n.merchant_id,
                'name', coalesce(n.line ->> 'name', n.name), 'sku', n.sku, 'upc', n.upc, 'origin', n.origin,
                'vat_bp', n.vat_bp)) from named n),
           (select array_agg((n.line ->> 'line_no')::smallint) from named n where n.id is null),
           (select coalesce(jsonb_agg(jsonb_build_object(
                'variant_id', w.id, 'quantity', w.quantity,
                'mode', case when p_look then 'own_capped' else 'own' end)), '[]'::jsonb) from wanted w)
$$;
