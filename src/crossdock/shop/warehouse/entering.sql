-- Enter a web shop's order, and release it if that is wanted: one statement, one transaction.
-- p_order as place_order reads it; p_look as release_order has it. Answers the order's id and key, whether
-- it was made now, and the state that it is in; of an order that was there before the state is null.
-- Without sequential scans for the same reason as place_order.
create or replace function enter_order(p_order jsonb, p_release boolean, p_look boolean, p_now timestamptz)
returns table (order_id bigint, order_key text, created boolean, state text)
language plpgsql set enable_seqscan = off as $$
declare
    v_placed record;
    v_state text;
begin
    select p.order_id, p.order_key, p.created into v_placed from place_order(p_order, p_now) p;
    perform fail_point('enter_order:placed');
    if v_placed.created then
        v_state := p_order ->> 'state';
    end if;
    if v_placed.created and p_release then
        v_state := release_order((p_order ->> 'shop_id')::bigint, v_placed.order_id, p_look, p_now);
        perform fail_point('enter_order:released');
    end if;
    return query select v_placed.order_id, v_placed.order_key, v_placed.created, v_state;
end $$;
