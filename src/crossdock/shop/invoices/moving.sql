-- The account that owes an invoice's amount once it is paid or to be paid: nothing is posted before.
create or replace function invoice_payer(p_invoice_id bigint) returns text language sql immutable as $$
    select 'invoice:' || p_invoice_id
$$;

-- What every event of an invoice says.
create or replace function invoice_facts(p_invoice invoices) returns jsonb language sql immutable as $$
    select jsonb_build_object('purpose', p_invoice.purpose, 'subject_id', p_invoice.subject_id,
                              'total_minor', p_invoice.total_minor, 'currency', p_invoice.currency)
$$;

-- Make an invoice of p_draft, which holds the columns of its table that somebody chooses; answers its id.
create or replace function create_invoice(p_shop_id bigint, p_draft jsonb, p_now timestamptz)
returns bigint language plpgsql as $$
declare
    v_invoice invoices;
begin
    insert into invoices (shop_id, token, purpose, subject_id, title, quantity, unit_minor, total_minor, currency, email,
                          state, proceeds_kind, proceeds_owner, return_url, cancel_url, metadata, is_test, expires_at,
                          created_at, updated_at)
    select p_shop_id, d.token, d.purpose, d.subject_id, d.title, d.quantity, d.unit_minor, d.unit_minor * d.quantity,
           d.currency, d.email, 'pending', d.proceeds_kind, d.proceeds_owner, d.return_url, d.cancel_url, d.metadata,
           d.is_test, d.expires_at, p_now, p_now
    from jsonb_to_record(p_draft) as d (
        token text, purpose text, subject_id bigint, title text, quantity bigint, unit_minor bigint, currency char(3),
        email text, proceeds_kind text, proceeds_owner text, return_url text, cancel_url text, metadata jsonb,
        is_test boolean, expires_at timestamptz)
    returning * into v_invoice;
    assert fail_point('create_invoice:written');
    perform write_event(p_shop_id, 'invoice.created', v_invoice.id, invoice_facts(v_invoice), p_now);
    return v_invoice.id;
end $$;

-- Complete an invoice whose row is locked and whose payment, if its total is not 0, is captured: credit what it is for.
create or replace function complete_invoice(
    p_shop_id bigint, p_invoice_id bigint, p_payment_id bigint, p_note text, p_by_hand boolean, p_now timestamptz
) returns void language plpgsql as $$
declare
    v_invoice invoices;
begin
    update invoices i
    set state = 'completed', payment_id = p_payment_id, note = p_note, paid_at = p_now, updated_at = p_now
    where i.shop_id = p_shop_id and i.id = p_invoice_id
    returning i.* into v_invoice;
    assert fail_point('complete_invoice:moved');
    perform write_event(p_shop_id, 'invoice.paid', p_invoice_id,
                        invoice_facts(v_invoice) || jsonb_build_object('by_hand', p_by_hand), p_now);
    assert fail_point('complete_invoice:told');
    perform post_transfers(
        p_shop_id,
        jsonb_build_array(jsonb_build_object(
            'debit', jsonb_build_object('kind', 'receivable', 'owner', invoice_payer(p_invoice_id)),
            'credit', jsonb_build_object('kind', v_invoice.proceeds_kind, 'owner', v_invoice.proceeds_owner),
            'amount_minor', v_invoice.total_minor, 'currency', v_invoice.currency, 'kind', 'invoice',
            'reason', v_invoice.title, 'payment_id', p_payment_id)),
        null, p_now);
end $$;

-- Void an invoice whose row is locked; p_reason: 'by_hand' or 'expired'.
create or replace function void_invoice(p_shop_id bigint, p_invoice_id bigint, p_reason text, p_now timestamptz)
returns void language plpgsql as $$
declare
    v_invoice invoices;
begin
    update invoices i set state = 'voided', void_reason = p_reason, voided_at = p_now, updated_at = p_now
    where i.shop_id = p_shop_id and i.id = p_invoice_id
    returning i.* into v_invoice;
    assert fail_point('void_invoice:moved');
    perform write_event(p_shop_id, 'invoice.voided', p_invoice_id,
                        invoice_facts(v_invoice) || jsonb_build_object('reason', p_reason), p_now);
end $$;

-- Void a pending invoice that has run out; whether it was. One that somebody works on is left alone.
create or replace function expire_invoice(p_shop_id bigint, p_invoice_id bigint, p_now timestamptz)
returns boolean language plpgsql as $$
begin
    perform 1 from invoices i
    where i.shop_id = p_shop_id and i.id = p_invoice_id and i.state = 'pending' and i.expires_at <= p_now
    for no key update skip locked;
    if not found then
        return false;
    end if;
    perform void_invoice(p_shop_id, p_invoice_id, 'expired', p_now);
    return true;
end $$;

-- Have an authorised payment pay an invoice, in the transaction that claims the payment. Raises CD005 if the invoice
-- is not pending, or has run out.
create or replace function claim_invoice(p_shop_id bigint, p_invoice_id bigint, p_payment_id bigint, p_now timestamptz)
returns void language plpgsql as $$
declare
    v_invoice invoices;
begin
    update invoices i set state = 'confirming', payment_id = p_payment_id, updated_at = p_now
    where i.shop_id = p_shop_id and i.id = p_invoice_id and i.state = 'pending'
      and (i.expires_at is null or i.expires_at > p_now)
    returning i.* into v_invoice;
    if not found then
        raise exception 'the invoice is not to be paid' using errcode = 'CD005';
    end if;
    assert fail_point('claim_invoice:moved');
    perform claim_payment(p_shop_id, p_payment_id, null, p_invoice_id, v_invoice.total_minor, v_invoice.currency, p_now);
end $$;

-- Record a provider's answer as record_answer does, with what follows for the invoice: completed after a capture,
-- pending again after a refused one, refunded after a refund. What is captured for an invoice that is voided by then
-- is told by an alert; nothing else follows, and a refund of it takes back what is owed to the payer.
-- The invoice is locked before the payment and the accounts.
create or replace function answer_invoice_payment(
    p_shop_id bigint, p_attempt_id bigint, p_approved boolean, p_code text, p_reason text, p_now timestamptz,
    out is_first boolean, out payment payments
) language plpgsql as $$
declare
    v_invoice invoices;
    v_attempt payment_attempts;
    v_recorded record;
begin
    select a.* into v_attempt from payment_attempts a where a.shop_id = p_shop_id and a.id = p_attempt_id;
    select i.* into v_invoice from invoices i
    where i.shop_id = p_shop_id
      and i.id = (select p.invoice_id from payments p where p.shop_id = p_shop_id and p.id = v_attempt.payment_id)
    for no key update;
    select * into v_recorded from record_answer(p_shop_id, p_attempt_id, p_approved, p_code, p_reason, p_now);
    is_first := v_recorded.is_first;
    payment := v_recorded.payment;
    if not is_first then
        return;
    end if;
    assert fail_point('answer_invoice_payment:recorded');
    if v_attempt.action = 'capture' and not p_approved then
        update invoices i set state = 'pending', payment_id = null, updated_at = p_now
        where i.shop_id = p_shop_id and i.id = v_invoice.id and i.state = 'confirming' and i.payment_id = payment.id;
    elsif v_attempt.action = 'capture' and v_invoice.state = 'confirming' and v_invoice.payment_id = payment.id then
        perform complete_invoice(p_shop_id, v_invoice.id, payment.id, '', false, p_now);
    elsif v_attempt.action = 'capture' then
        update invoices i set paid_late_at = p_now, updated_at = p_now
        where i.shop_id = p_shop_id and i.id = v_invoice.id and i.state = 'voided';
        assert fail_point('answer_invoice_payment:late');
        perform raise_alert(
            p_shop_id, 'invoice_paid_late',
            format('Invoice %s was paid after it was voided; refund payment %s.', v_invoice.id, payment.id),
            null, p_now, 'payment:' || payment.id);
    elsif v_attempt.action = 'refund' and p_approved then
        perform refund_invoice(p_shop_id, v_invoice, payment, v_attempt.amount_minor, p_now);
    end if;
end $$;

-- What follows when an amount of an invoice's payment is refunded.
create or replace function refund_invoice(
    p_shop_id bigint, p_invoice invoices, p_payment payments, p_amount_minor bigint, p_now timestamptz
) returns void language plpgsql as $$
begin
    if p_invoice.state in ('completed', 'partially_refunded') and p_invoice.payment_id = p_payment.id then
        if p_payment.state <> p_invoice.state then
            update invoices i set state = p_payment.state, updated_at = p_now
            where i.shop_id = p_shop_id and i.id = p_invoice.id;
        end if;
        assert fail_point('refund_invoice:moved');
        perform write_event(p_shop_id, 'invoice.refunded', p_invoice.id, invoice_facts(p_invoice)
            || jsonb_build_object('amount_minor', p_amount_minor, 'state', p_payment.state), p_now);
    else
        -- It was never credited to anything: it is owed to the payer, and now given back.
        perform post_transfers(
            p_shop_id,
            jsonb_build_array(jsonb_build_object(
                'debit', jsonb_build_object('kind', 'receivable', 'owner', p_payment.payer),
                'credit', jsonb_build_object('kind', 'refunds', 'owner', ''),
                'amount_minor', p_amount_minor, 'currency', p_payment.currency, 'kind', 'invoice',
                'reason', 'a late payment is given back', 'payment_id', p_payment.id)),
            null, p_now);
    end if;
end $$;
