-- Enter a web shop's order, and release it if that is wanted: one statement, one transaction.
-- p_order as place_order reads it, but that each line names its good by `kind` and `text` (see variant_named)
-- and has a name of its own only where the caller gave one; `state` and `takes` are decided here.
-- p_release: the goods are committed if all are there, else the order is reserved and keeps none; with p_look
-- false (release mode 'immediate') they are committed without looking: own stock may go below zero.
-- Answers the order's id and key, whether it was made now, and the state that it is in; of an order that was
-- there before the state is null. Where lines name no good of the partner's, nothing is written and
-- `unknown` has their numbers.
-- Without sequential scans for the same reason as place_order.
create or replace function enter_order(
    p_order jsonb, p_merchant_ids bigint[], p_release boolean, p_look boolean, p_now timestamptz,
    out order_id bigint, out order_key text, out created boolean, out state text, out unknown smallint[]
) language plpgsql set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_shop_id bigint := (p_order ->> 'shop_id')::bigint;
    v_lines jsonb;
    v_takes jsonb;
begin
    select g.lines, g.unknown, g.takes into v_lines, unknown, v_takes
    from name_goods(v_shop_id, p_merchant_ids, p_order -> 'lines', p_look) g;
    created := false;
    if unknown is not null then
        return;
    end if;

    state := 'waiting_for_release';
    if p_release then
        begin
            state := 'processing';
            select p.order_id, p.order_key, p.created into order_id, order_key, created from place_order(
                p_order || jsonb_build_object('lines', v_lines, 'takes', v_takes, 'state', state), p_now) p;
        exception when sqlstate 'CD001' then
            state := 'reserved';
        end;
    end if;
    if state <> 'processing' then
        select p.order_id, p.order_key, p.created into order_id, order_key, created from place_order(
            p_order || jsonb_build_object('lines', v_lines, 'takes', '[]'::jsonb, 'state', state), p_now) p;
    end if;
    assert fail_point('enter_order:placed');
    if not created then
        state := null;
    elsif p_release then
        insert into events (shop_id, kind, subject_id, created_at)
        values (v_shop_id, case state when 'reserved' then 'order.reserved' else 'order.released' end, order_id,
                p_now);
        assert fail_point('enter_order:told');
    end if;
end $$;

-- The lines with the goods that they name, the numbers of those that name none (null where all do), and what
-- a release takes: a row for each line of a good that is counted.
-- Each line by itself, with `limit`: a join would be planned for a hundred lines, and for so many it is
-- cheaper to read all variants of a small shop.
create or replace function name_goods(
    p_shop_id bigint, p_merchant_ids bigint[], p_lines jsonb, p_look boolean,
    out lines jsonb, out unknown smallint[], out takes jsonb
) language sql stable as $$
    select jsonb_agg(l.line || jsonb_build_object(
               'variant_id', g.id, 'product_id', g.product_id, 'merchant_id', g.merchant_id,
               'name', coalesce(l.line ->> 'name', g.name), 'sku', g.sku, 'upc', g.upc, 'origin', g.origin,
               'vat_bp', g.vat_bp)),
           array_agg((l.line ->> 'line_no')::smallint) filter (where g.id is null),
           coalesce(jsonb_agg(jsonb_build_object(
               'variant_id', g.id, 'quantity', l.line -> 'quantity',
               'mode', case when p_look then 'own_capped' else 'own' end)) filter (where g.is_counted), '[]'::jsonb)
    from jsonb_array_elements(p_lines) as l (line)
    left join lateral (
        select v.id, v.product_id, v.merchant_id, v.name, v.sku, v.upc, v.origin, v.vat_bp,
               is_counted(v.stock_managed, p.sold_without_stock, p.virtual) as is_counted
        from variants v join products p on p.shop_id = v.shop_id and p.id = v.product_id
        where v.shop_id = p_shop_id
          and v.id = variant_named(p_shop_id, p_merchant_ids, l.line ->> 'kind', l.line ->> 'text')
          and v.enabled and (p_merchant_ids is null or v.merchant_id = any(p_merchant_ids))
        limit 1
    ) g on true
$$;
