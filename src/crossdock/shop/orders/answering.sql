-- Record a provider's answer as record_answer does, and with an approval move the payment axis of the order: to paid
-- after a capture, to voided after a void where it was authorised, as the payment after a refund; a further refund that
-- leaves a part is told of as well. A card that refused to pay an order which awaits its payment is not charged again
-- by itself. The order is locked before the payment and the accounts. Raises CD010 for a move
-- that is not allowed.
-- Sequential scans are off, for the reason given at write_order.
create or replace function answer_order_payment(
    p_shop_id bigint, p_attempt_id bigint, p_approved boolean, p_code text, p_reason text, p_now timestamptz,
    out is_first boolean, out payment payments
) language plpgsql set enable_seqscan = off as $$
declare
    v_payment_id bigint;
    v_order_id bigint;
    v_from text;
    v_to text;
    v_details jsonb;
    v_recorded record;
begin
    -- One row by one key each: a join planned while payments is almost empty reads all of the shop's payments later.
    select a.payment_id into v_payment_id from payment_attempts a where a.shop_id = p_shop_id and a.id = p_attempt_id;
    select p.order_id into v_order_id from payments p where p.shop_id = p_shop_id and p.id = v_payment_id;
    select o.payment_state into v_from from orders o where o.shop_id = p_shop_id and o.id = v_order_id
    for no key update;
    select * into v_recorded from record_answer(p_shop_id, p_attempt_id, p_approved, p_code, p_reason, p_now);
    assert fail_point('answer_order_payment:recorded');
    is_first := v_recorded.is_first;
    payment := v_recorded.payment;
    v_to := case payment.state when 'captured' then 'paid' else payment.state end;
    if is_first and not p_approved and v_from = 'awaiting' and p_reason <> 'never_arrived' then
        perform stop_capture(p_shop_id, p_attempt_id);
        assert fail_point('answer_order_payment:stopped');
    end if;
    if not is_first or not p_approved then
        return;
    end if;
    select jsonb_build_object('payment_id', a.payment_id, 'amount_minor', a.amount_minor) into v_details
    from payment_attempts a
    where a.shop_id = p_shop_id and a.id = p_attempt_id and a.action in ('capture', 'refund');
    -- A card that is let go of does not end an order that still awaits its payment.
    if v_to <> v_from and not (v_to = 'voided' and v_from <> 'authorised') then
        perform move_order(p_shop_id, v_order_id, 'payment', null, v_to, v_details, p_now);
    elsif v_to = v_from and v_to = 'partially_refunded' then
        perform tell_refund(p_shop_id, v_order_id, v_details, p_now);
    end if;
end $$;
