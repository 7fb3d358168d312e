-- Pay all that is owed for an order with a charge of its partner's: the order is locked, the charge claimed for ever,
-- the payment axis moved, and the payment recorded as one that the partner collected.
-- Returns
--   paid      the order is paid by this call
--   replayed  this charge paid it before, whatever became of it since
--   used      this charge has paid another order
--   expired   it was not paid in time, whether or not it was cancelled for that yet
--   closed    it is paid otherwise, cancelled, or was never to be paid like this
--   unknown   the partner has no such order
-- Raises CD005 if a payment that somebody else recorded has the charge's reference.
create or replace function charge_order(
    p_shop_id bigint, p_partner_id bigint, p_order_id bigint, p_charge text, p_now timestamptz
) returns text language plpgsql as $$
declare
    v_namespace text := 'charge:' || p_partner_id;
    v_order orders;
    v_owed_minor bigint;
    v_paid_id bigint;
begin
    select o.* into v_order from orders o
    where o.shop_id = p_shop_id and o.id = p_order_id and o.partner_id = p_partner_id for no key update;
    if not found then
        return 'unknown';
    end if;
    select i.order_id into v_paid_id from identities i
    where i.shop_id = p_shop_id and i.namespace = v_namespace and i.key = p_charge;
    if found then
        return case when v_paid_id = p_order_id then 'replayed' else 'used' end;
    end if;
    if v_order.payment_state = 'expired'
       or v_order.payment_state = 'awaiting' and v_order.expires_at <= p_now then
        return 'expired';
    end if;
    if v_order.payment_state <> 'awaiting' or v_order.fulfilment_state = 'cancelled' then
        return 'closed';
    end if;
    insert into identities (shop_id, namespace, key, order_id, created_at)
    values (p_shop_id, v_namespace, p_charge, p_order_id, p_now) on conflict do nothing;
    if not found then
        return 'used';
    end if;
    assert fail_point('charge_order:claimed');
    perform move_order(p_shop_id, p_order_id, 'payment', null, 'paid', null, p_now);
    assert fail_point('charge_order:moved');
    v_owed_minor := v_order.total_minor - cancelled_total(p_shop_id, p_order_id);
    if v_owed_minor > 0 then
        perform record_transfer(
            p_shop_id, 'partner', format('partner:%s:%s', p_partner_id, p_charge), p_order_id, null,
            order_payer(v_order), v_order.currency, v_owed_minor, p_now);
    end if;
    return 'paid';
end $$;
