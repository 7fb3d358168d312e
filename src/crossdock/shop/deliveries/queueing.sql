-- Queue a delivery: one insert, in the transaction of what it tells of. Answers its id, or null where the same
-- subject was queued for the same target before, unless that one was withdrawn: then it is queued again.
-- p_done_by_hand: people do it, so it is written as sent and nothing is called.
-- p_object_key: what is kept in order where the kind asks for it; the caller holds the object's lock, so that ids
-- stand in the order of the commits.
-- It is due by the database's clock, which the workers go by, however far ahead the shop's clock p_now is.
create or replace function queue_delivery(
    p_shop_id bigint, p_kind text, p_target text, p_subject_id bigint, p_payload jsonb, p_done_by_hand boolean,
    p_now timestamptz, p_object_key text default null
) returns bigint language plpgsql as $$
#variable_conflict use_column
declare
    v_id bigint;
begin
    insert into deliveries as d (shop_id, kind, target, subject_id, object_key, payload, status, result,
                                 next_attempt_at, queued_at, sent_at, updated_at)
    values (p_shop_id, p_kind, p_target, p_subject_id, p_object_key, coalesce(p_payload, '{}'),
            case when p_done_by_hand then 'sent' else 'queued' end,
            case when p_done_by_hand then 'manual' end,
            case when not p_done_by_hand then least(p_now, now()) end,
            p_now,
            case when p_done_by_hand then p_now end,
            p_now)
    on conflict (shop_id, kind, subject_id, target) do update
    set status = excluded.status, payload = excluded.payload, result = excluded.result, attempts = 0,
        next_attempt_at = excluded.next_attempt_at, queued_at = excluded.queued_at, sent_at = excluded.sent_at,
        updated_at = excluded.updated_at
    where d.status = 'withdrawn'
    returning d.id into v_id;
    return v_id;
end $$;
