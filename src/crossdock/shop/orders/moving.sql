-- Change the state of an order or of its lines: lock the order, check the move, set the state, write the event.
-- Nothing else sets a state of orders, order_parts or order_lines.
-- p_axis: 'fulfilment' (parts in the same state move with the order), 'payment', or 'line' (p_lines; those already
-- in the state are skipped). p_details is added to the event's `from` and `to`.
-- Returns the former state, null for lines. Raises CD010 for a move that is not allowed, CD013 for an unknown order.
create or replace function move_order(
    p_shop_id bigint, p_order_id bigint, p_axis text, p_lines smallint[], p_to text, p_details jsonb,
    p_now timestamptz
) returns text language plpgsql as $$
declare
    v_fulfilment text;
    v_payment text;
    v_from text;
    v_moved jsonb;
begin
    select fulfilment_state, payment_state into v_fulfilment, v_payment
    from orders where shop_id = p_shop_id and id = p_order_id for no key update;
    if not found then
        raise exception 'there is no order %', p_order_id using errcode = 'CD013';
    end if;
    if p_axis = 'line' then
        select jsonb_object_agg(l.line_no, l.state) into v_moved from order_lines l
        where l.shop_id = p_shop_id and l.order_id = p_order_id and l.line_no = any(p_lines) and l.state <> p_to;
        if v_moved is null then
            return null;
        end if;
        update order_lines l set state = p_to
        where l.shop_id = p_shop_id and l.order_id = p_order_id and l.line_no = any(p_lines) and l.state <> p_to;
        assert fail_point('move_order:lines');
        perform write_event(p_shop_id, 'order.lines_moved', p_order_id,
                            jsonb_build_object('to', p_to, 'lines', v_moved), p_now);
        return null;
    end if;

    v_from := case p_axis when 'payment' then v_payment else v_fulfilment end;
    if v_from = p_to then
        raise exception 'the order is % already', p_to using errcode = 'CD010';
    end if;
    if p_axis = 'payment' then
        update orders
        set payment_state = p_to, updated_at = p_now,
            paid_at = case when p_to = 'paid' then p_now else paid_at end,
            release_at = case when p_to = 'paid' then p_now + release_after_s * interval '1 second' else release_at end
        where shop_id = p_shop_id and id = p_order_id;
    else
        update orders
        set fulfilment_state = p_to, updated_at = p_now,
            cancelled_at = case when p_to = 'cancelled' then p_now else cancelled_at end
        where shop_id = p_shop_id and id = p_order_id;
        assert fail_point('move_order:order');
        update order_parts set state = p_to
        where shop_id = p_shop_id and order_id = p_order_id and state = v_from;
    end if;
    assert fail_point('move_order:moved');
    perform write_event(p_shop_id, order_event(p_axis, p_to), p_order_id,
                        coalesce(p_details, '{}') || jsonb_build_object('from', v_from, 'to', p_to), p_now);
    return v_from;
end $$;

-- The kind of a move's event.
create or replace function order_event(p_axis text, p_to text) returns text language sql immutable as $$
    select case when p_axis = 'payment' then case p_to
        when 'authorised' then 'payment.authorised'
        when 'paid' then 'payment.paid'
        when 'partially_refunded' then 'payment.partially_refunded'
        when 'refunded' then 'payment.refunded'
        when 'voided' then 'payment.voided'
        when 'expired' then 'payment.expired' end
    else case p_to
        when 'waiting_for_release' then 'order.recalled'
        when 'reserved' then 'order.reserved'
        when 'processing' then 'order.released'
        when 'in_fulfilment' then 'order.in_fulfilment'
        when 'partially_shipped' then 'order.partially_shipped'
        when 'shipped' then 'order.shipped'
        when 'completed' then 'order.completed'
        when 'cancelled' then 'order.cancelled' end
    end
$$;

-- Tell of a further refund of an order of which a part stays paid: its payment state is the same before and after.
create or replace function tell_refund(p_shop_id bigint, p_order_id bigint, p_details jsonb, p_now timestamptz)
returns void language plpgsql as $$
begin
    update orders set updated_at = p_now where shop_id = p_shop_id and id = p_order_id;
    assert fail_point('tell_refund:updated');
    perform write_event(p_shop_id, order_event('payment', 'partially_refunded'), p_order_id,
                        coalesce(p_details, '{}')
                        || '{"from": "partially_refunded", "to": "partially_refunded"}', p_now);
end $$;
