-- Queue a delivery in the transaction of the change that it reports. Returns its id, or null if the same subject was
-- queued for the same target before; a withdrawn delivery is queued again. One that was sent
-- and purged counts as queued before.
-- p_done_by_hand: staff do the work, so the delivery is written as sent and no call is made.
-- p_object_key: the object whose deliveries stay in order, if the kind requires that; the caller holds the object's
-- lock, so that ids are in the order of the commits.
-- The due time follows the database's clock, as the workers do, even if the shop's clock p_now is ahead.
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
    -- Looked for afterwards, in a snapshot of its own: the insert may have waited for the purge of this very key.
    if v_id is not null and exists (
        select 1 from purged_deliveries p
        where p.shop_id = p_shop_id and p.kind = p_kind and p.subject_id = p_subject_id and p.target = p_target
    ) then
        assert fail_point('queue_delivery:queued');
        delete from deliveries d where d.shop_id = p_shop_id and d.id = v_id;
        return null;
    end if;
    return v_id;
end $$;

-- Queue many deliveries of one kind: [{target, object_key, payload}], each due after p_delay_s seconds; how many.
-- An object with one that waits for its first attempt gets no other, so that changes in a row are one call, made
-- when the first of them is due. The caller's transaction is the only one that queues for these objects.
create or replace function queue_deliveries(
    p_shop_id bigint, p_kind text, p_objects jsonb, p_delay_s integer, p_now timestamptz
) returns bigint language plpgsql set enable_seqscan = off as $$
declare
    v_count bigint;
begin
    insert into deliveries (shop_id, kind, target, object_key, payload, next_attempt_at, queued_at, updated_at)
    select p_shop_id, p_kind, o.target, o.object_key, o.payload,
           least(p_now, now()) + make_interval(secs => p_delay_s), p_now, p_now
    from jsonb_to_recordset(p_objects) as o (target text, object_key text, payload jsonb)
    where not exists (
        select 1 from deliveries d
        where d.shop_id = p_shop_id and d.kind = p_kind and d.target = o.target and d.object_key = o.object_key
          and d.status = 'queued' and d.attempts = 0);
    get diagnostics v_count = row_count;
    return v_count;
end $$;
