-- Record money that came in without a provider, for an order or an invoice: captured from the start, and posted to the
-- ledger. p_reference is unique in the shop; raises CD005 if it is recorded already. Returns the payment's id.
create or replace function record_transfer(
    p_shop_id bigint, p_provider text, p_reference text, p_order_id bigint, p_invoice_id bigint, p_payer text,
    p_currency text, p_amount_minor bigint, p_now timestamptz
) returns bigint language plpgsql as $$
declare
    v_payment payments;
begin
    insert into payments (shop_id, provider, reference, order_id, invoice_id, payer, state, currency, amount_minor,
                          captured_minor, created_at, updated_at)
    values (p_shop_id, p_provider, p_reference, p_order_id, p_invoice_id, p_payer, 'captured', p_currency, p_amount_minor,
            p_amount_minor, p_now, p_now)
    on conflict (shop_id, reference) do nothing returning * into v_payment;
    if not found then
        raise exception 'a payment with this reference is recorded already' using errcode = 'CD005';
    end if;
    assert fail_point('record_transfer:recorded');
    perform post_payment(p_shop_id, v_payment, 'capture', p_amount_minor, p_reference, p_now);
    return v_payment.id;
end $$;
