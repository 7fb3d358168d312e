-- Record the outcome of an attempt: the delivery's state and a line of its log; returns whether the state changed.
-- 'sent' is recorded even if the claim was lost, because the other side has it; any other status only while the
-- claim is held. A success after the claim was lost ends the newer claim, whose sender may have been killed and
-- is not waited for any more, so the log gets a line for that claim too.
-- p_wait_s: seconds until a requeued delivery is due, from p_due or the database's clock. p_error: null keeps the
-- last one. p_log: {outcome, started_at, took_ms, http_status, error, answer}, or null if no call was made.
create or replace function record_delivery(
    p_shop_id bigint, p_id bigint, p_attempt integer, p_status text, p_wait_s integer, p_result text, p_error text,
    p_log jsonb, p_due timestamptz, p_now timestamptz
) returns boolean language plpgsql as $$
declare
    v_newer integer;
    v_changed boolean;
begin
    update deliveries d
    set status = p_status, result = coalesce(p_result, d.result), last_error = coalesce(p_error, d.last_error),
        next_attempt_at = case when p_status = 'queued'
                               then coalesce(p_due, now()) + make_interval(secs => p_wait_s) end,
        sent_at = case when p_status = 'sent' then p_now end, updated_at = p_now
    from (select b.status, b.attempts from deliveries b
          where b.shop_id = p_shop_id and b.id = p_id for no key update) before
    where d.shop_id = p_shop_id and d.id = p_id
      and case when p_status = 'sent' then before.status in ('queued', 'sending')
               else before.status = 'sending' and before.attempts = p_attempt end
    returning case when before.status = 'sending' and before.attempts <> p_attempt then before.attempts end
    into v_newer;
    v_changed := found;
    assert fail_point('record_delivery:moved');
    if p_log is not null then
        insert into delivery_attempts (shop_id, delivery_id, attempt, outcome, started_at, took_ms, http_status,
                                       error, answer, request_headers, answer_headers)
        select p_shop_id, p_id, p_attempt, l.outcome, l.started_at, l.took_ms, l.http_status, l.error, l.answer,
               l.request_headers, l.answer_headers
        from jsonb_to_record(p_log) as l (
            outcome text, started_at timestamptz, took_ms bigint, http_status integer, error text, answer text,
            request_headers jsonb, answer_headers jsonb);
        assert fail_point('record_delivery:logged');
    end if;
    if v_newer is not null then
        insert into delivery_attempts (shop_id, delivery_id, attempt, outcome, error)
        values (p_shop_id, p_id, v_newer, 'lost', 'an earlier attempt was answered first');
    end if;
    return v_changed;
end $$;
