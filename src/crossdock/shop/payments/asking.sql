-- Open a payment with the request to authorise it, before the provider is asked; in a transaction of its own.
-- Sequential scans are off, for the reason given at write_order.
create or replace function open_payment(
    p_shop_id bigint, p_provider text, p_reference text, p_payer text, p_currency text, p_amount_minor bigint,
    p_card_brand text, p_card_last4 text, p_capture_at timestamptz, p_key text, p_look_up_at timestamptz,
    p_now timestamptz, out payment_id bigint, out attempt_id bigint
) language plpgsql set enable_seqscan = off as $$
begin
    assert fail_point('ask_payment:authorise');
    with opened as (
        insert into payments (shop_id, provider, reference, payer, state, currency, amount_minor, card_brand, card_last4,
                              capture_at, created_at, updated_at)
        values (p_shop_id, p_provider, p_reference, p_payer, 'asked', p_currency, p_amount_minor, p_card_brand,
                p_card_last4, p_capture_at, p_now, p_now)
        returning id
    )
    insert into payment_attempts (shop_id, payment_id, action, amount_minor, key, next_look_up_at, asked_at)
    select p_shop_id, opened.id, 'authorise', p_amount_minor, p_key, p_look_up_at, p_now from opened
    returning payment_attempts.payment_id, id into payment_id, attempt_id;
end $$;

-- Record a request to a provider before it is made, in a transaction of its own; returns the attempt's id. A
-- refund's amount is reserved, so that concurrent refunds cannot exceed the capture.
-- Raises CD005 if the payment's state does not allow it or another request is open, CD004 if more would be
-- refunded than was captured.
create or replace function ask_payment(
    p_shop_id bigint, p_payment_id bigint, p_action text, p_amount_minor bigint, p_key text, p_look_up_at timestamptz,
    p_now timestamptz
) returns bigint language plpgsql as $$
declare
    v_state text;
    v_attempt_id bigint;
begin
    assert fail_point('ask_payment:' || p_action);
    select p.state into v_state from payments p where p.shop_id = p_shop_id and p.id = p_payment_id for no key update;
    if v_state is null
       or p_action = 'authorise' and v_state <> 'asked'
       or p_action in ('capture', 'void') and v_state <> 'authorised'
       or p_action = 'refund' and v_state not in ('captured', 'partially_refunded') then
        raise exception 'a payment that is % cannot be asked for %', v_state, p_action using errcode = 'CD005';
    end if;
    if p_action = 'refund' then
        update payments p set refunding_minor = p.refunding_minor + p_amount_minor, updated_at = p_now
        where p.shop_id = p_shop_id and p.id = p_payment_id
          and p.refunding_minor + p.refunded_minor + p.refund_due_minor + p_amount_minor <= p.captured_minor;
        if not found then
            raise exception 'more would be refunded than was captured' using errcode = 'CD004';
        end if;
        assert fail_point('ask_payment:set_aside');
    elsif exists (
        select 1 from payment_attempts a
        where a.shop_id = p_shop_id and a.payment_id = p_payment_id and a.outcome = 'asked'
    ) then
        raise exception 'the payment is being asked something else' using errcode = 'CD005';
    end if;
    insert into payment_attempts (shop_id, payment_id, action, amount_minor, key, next_look_up_at, asked_at)
    values (p_shop_id, p_payment_id, p_action, p_amount_minor, p_key, p_look_up_at, p_now)
    returning id into v_attempt_id;
    return v_attempt_id;
end $$;

-- The provider's number of a payment's authorisation; '' without one.
create or replace function authorisation_of(p_shop_id bigint, p_payment_id bigint)
returns text language plpgsql stable as $$
begin
    return coalesce((
        select a.code from payment_attempts a
        where a.shop_id = p_shop_id and a.payment_id = p_payment_id and a.action = 'authorise' and a.outcome = 'done'
        order by a.id desc limit 1), '');
end $$;

-- Have an amount of what was captured for an order refunded by the run that settles payments, the oldest payment
-- first: how much of it is left to be refunded, null where nothing was captured.
create or replace function plan_refund(p_shop_id bigint, p_order_id bigint, p_amount_minor bigint, p_now timestamptz)
returns bigint language plpgsql as $$
declare
    v_payment record;
    v_part bigint;
    v_planned bigint;
begin
    for v_payment in
        select p.id, p.captured_minor - p.refunding_minor - p.refunded_minor - p.refund_due_minor as left_minor
        from payments p
        where p.shop_id = p_shop_id and p.order_id = p_order_id and p.captured_minor > 0
        order by p.id for no key update
    loop
        v_planned := coalesce(v_planned, 0);
        v_part := least(v_payment.left_minor, p_amount_minor - v_planned);
        update payments p set refund_due_minor = p.refund_due_minor + v_part, updated_at = p_now
        where p.shop_id = p_shop_id and p.id = v_payment.id and v_part > 0;
        assert fail_point('plan_refund:part');
        v_planned := v_planned + v_part;
    end loop;
    assert fail_point('plan_refund:planned');
    return v_planned;
end $$;

-- As ask_payment, for a refund that is due: it is due no more, until it turns out that it was not made.
-- Raises CD005 where so much is not due.
create or replace function ask_due_refund(
    p_shop_id bigint, p_payment_id bigint, p_amount_minor bigint, p_key text, p_look_up_at timestamptz,
    p_now timestamptz
) returns bigint language plpgsql as $$
declare
    v_attempt_id bigint;
begin
    update payments p set refund_due_minor = p.refund_due_minor - p_amount_minor
    where p.shop_id = p_shop_id and p.id = p_payment_id and p_amount_minor between 1 and p.refund_due_minor;
    if not found then
        raise exception 'the refund is not due' using errcode = 'CD005';
    end if;
    assert fail_point('ask_due_refund:taken');
    v_attempt_id := ask_payment(p_shop_id, p_payment_id, 'refund', p_amount_minor, p_key, p_look_up_at, p_now);
    assert fail_point('ask_due_refund:asked');
    update payment_attempts a set is_due = true where a.shop_id = p_shop_id and a.id = v_attempt_id;
    return v_attempt_id;
end $$;

-- Refund what is due of an order's payments that no provider is asked about: bank transfers, and what a partner
-- collected. Returns the state of the last one that was refunded, null without any.
create or replace function refund_by_hand(p_shop_id bigint, p_order_id bigint, p_now timestamptz)
returns text language plpgsql as $$
declare
    v_payment payments;
    v_attempts bigint;
    v_state text;
begin
    for v_payment in
        select p.* from payments p
        where p.shop_id = p_shop_id and p.order_id = p_order_id and p.provider in ('transfer', 'partner')
          and p.refund_due_minor > 0
        order by p.id for no key update
    loop
        select count(*) into v_attempts from payment_attempts a
        where a.shop_id = p_shop_id and a.payment_id = v_payment.id;
        perform answer_payment(
            p_shop_id,
            ask_due_refund(p_shop_id, v_payment.id, v_payment.refund_due_minor,
                           format('%s-refund-%s', v_payment.reference, v_attempts + 1), p_now, p_now),
            true, 'by hand', '', p_now);
        assert fail_point('refund_by_hand:refunded');
        select p.state into v_state from payments p where p.shop_id = p_shop_id and p.id = v_payment.id;
    end loop;
    return v_state;
end $$;

-- Record the answer: move the payment, and post what was captured or refunded to the ledger. Idempotent per
-- attempt; returns whether this call was the first, and the payment after it.
-- Sequential scans are off, for the reason given at write_order.
create or replace function record_answer(
    p_shop_id bigint, p_attempt_id bigint, p_approved boolean, p_code text, p_reason text, p_now timestamptz,
    out is_first boolean, out payment payments
) language plpgsql set enable_seqscan = off as $$
declare
    v_attempt payment_attempts;
begin
    select p.* into payment from payments p
    where p.shop_id = p_shop_id
      and p.id = (select a.payment_id from payment_attempts a where a.shop_id = p_shop_id and a.id = p_attempt_id)
    for no key update;
    update payment_attempts a
    set outcome = case when p_approved then 'done' else 'refused' end, code = p_code, reason = p_reason,
        answered_at = p_now
    where a.shop_id = p_shop_id and a.id = p_attempt_id and a.outcome = 'asked'
    returning a.* into v_attempt;
    is_first := found;
    if not is_first then
        return;
    end if;
    assert fail_point('answer_payment:attempt');
    assert fail_point('answer_payment:' || v_attempt.action);

    update payments p
    set state = payment_state_after(p, v_attempt, p_approved, p_reason),
        captured_minor = p.captured_minor
            + case when p_approved and v_attempt.action = 'capture' then v_attempt.amount_minor else 0 end,
        refunding_minor = p.refunding_minor - case when v_attempt.action = 'refund' then v_attempt.amount_minor else 0 end,
        refunded_minor = p.refunded_minor
            + case when p_approved and v_attempt.action = 'refund' then v_attempt.amount_minor else 0 end,
        refund_due_minor = p.refund_due_minor
            + case when not p_approved and v_attempt.is_due then v_attempt.amount_minor else 0 end,
        reason = case when p_approved then '' else p_reason end,
        updated_at = p_now
    where p.shop_id = p_shop_id and p.id = v_attempt.payment_id
    returning p.* into payment;
    assert fail_point('answer_payment:payment');

    if p_approved and v_attempt.action in ('capture', 'refund') then
        perform post_payment(p_shop_id, payment, v_attempt.action, v_attempt.amount_minor, v_attempt.key, p_now);
    end if;
end $$;

-- As record_answer; whether this call was the first.
create or replace function answer_payment(
    p_shop_id bigint, p_attempt_id bigint, p_approved boolean, p_code text, p_reason text, p_now timestamptz
) returns boolean language sql as $$
    select r.is_first from record_answer(p_shop_id, p_attempt_id, p_approved, p_code, p_reason, p_now) r
$$;

-- The state of a payment after the answer to an attempt; the current one if nothing changes.
create or replace function payment_state_after(
    p payments, p_attempt payment_attempts, p_approved boolean, p_reason text
) returns text language sql immutable as $$
    select case
        when p_attempt.action = 'authorise' then
            case when p_approved then 'authorised' when p_reason = 'never_arrived' then 'abandoned' else 'declined' end
        when not p_approved then p.state
        when p_attempt.action = 'capture' then 'captured'
        when p_attempt.action = 'void' then 'voided'
        when p.refunded_minor + p_attempt.amount_minor = p.captured_minor then 'refunded'
        else 'partially_refunded' end
$$;

-- Post a capture or refund to the ledger.
create or replace function post_payment(
    p_shop_id bigint, p_payment payments, p_kind text, p_amount_minor bigint, p_reason text, p_now timestamptz
) returns void language plpgsql as $$
declare
    v_money jsonb := case when p_payment.provider = 'transfer' then '{"kind": "bank", "owner": ""}'::jsonb
                     else jsonb_build_object('kind', 'clearing', 'owner', p_payment.provider) end;
    v_debit jsonb := case when p_kind = 'refund' then '{"kind": "refunds", "owner": ""}'::jsonb else v_money end;
    v_credit jsonb := case when p_kind = 'refund' then v_money
                      else jsonb_build_object('kind', 'receivable', 'owner', p_payment.payer) end;
begin
    perform post_transfers(
        p_shop_id,
        jsonb_build_array(jsonb_build_object(
            'debit', v_debit, 'credit', v_credit, 'amount_minor', p_amount_minor, 'currency', p_payment.currency,
            'kind', p_kind, 'reason', p_reason, 'payment_id', p_payment.id)),
        p_payment.order_id, p_now);
end $$;

-- Assign an authorised payment to the order or the invoice that it pays. Raises CD005 if it is not authorised, has
-- another amount or currency, pays something already, or has an open request.
create or replace function claim_payment(
    p_shop_id bigint, p_payment_id bigint, p_order_id bigint, p_invoice_id bigint, p_amount_minor bigint,
    p_currency text, p_now timestamptz
) returns void language plpgsql as $$
begin
    update payments p set order_id = p_order_id, invoice_id = p_invoice_id, updated_at = p_now
    where p.shop_id = p_shop_id and p.id = p_payment_id and p.state = 'authorised'
      and num_nonnulls(p.order_id, p.invoice_id) = 0 and num_nonnulls(p_order_id, p_invoice_id) = 1
      and p.amount_minor = p_amount_minor and p.currency = p_currency
      and not exists (select 1 from payment_attempts a where a.shop_id = p_shop_id and a.payment_id = p_payment_id
                      and a.outcome = 'asked');
    if not found then
        raise exception 'the payment cannot pay this' using errcode = 'CD005';
    end if;
end $$;

-- Claim attempts whose answer is overdue and postpone their next look-up; the caller looks them up.
create or replace function due_attempts(p_limit integer, p_next_at timestamptz, p_now timestamptz)
returns setof payment_attempts language sql as $$
    update payment_attempts a set next_look_up_at = p_next_at, look_ups = a.look_ups + 1
    from (select shop_id, id from payment_attempts where outcome = 'asked' and next_look_up_at <= p_now
          order by next_look_up_at limit p_limit for update skip locked) due
    where a.shop_id = due.shop_id and a.id = due.id
    returning a.*
$$;

-- An authorised payment of which this capture was refused is not captured by itself any more.
create or replace function stop_capture(p_shop_id bigint, p_attempt_id bigint) returns void language sql as $$
    update payments p set capture_at = null
    from payment_attempts a
    where a.shop_id = p_shop_id and a.id = p_attempt_id and a.action = 'capture'
      and p.shop_id = a.shop_id and p.id = a.payment_id and p.state = 'authorised'
$$;
