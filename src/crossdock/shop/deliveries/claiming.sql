-- Claim up to p_limit due deliveries, spread over the targets so that a slow target does not delay others.
-- p_kinds: [{name, ordering, calls, claim_s}], the kinds that this worker can send; others are ignored.
--   ordering  'none'; 'in_order': after all earlier deliveries of the same object; 'newest_wins': only the newest
--             of an object, earlier ones are withdrawn; in both cases one delivery per object at a time
--   calls     the maximum of concurrent calls to one target, over all workers
-- p_shop_id: null for all shops. p_due: null for the database's clock. An advisory lock allows one claim at a time,
-- so that limit and order are exact; rows that are locked by others are skipped.
create or replace function claim_deliveries(
    p_kinds jsonb, p_limit integer, p_shop_id bigint, p_due timestamptz, p_now timestamptz
) returns table (shop_id bigint, id bigint, kind text, target text, subject_id bigint, object_key text,
                 payload jsonb, attempt integer, may_exist boolean)
language plpgsql set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_due timestamptz := coalesce(p_due, now());
begin
    perform pg_advisory_xact_lock(hashtextextended('claim_deliveries', 0));
    return query
    with recursive known as (
        select k.* from jsonb_to_recordset(p_kinds) as k (name text, ordering text, calls integer, claim_s integer)
    ), place as (
        (select d.shop_id, d.kind, d.target from deliveries d
         where d.status = 'queued' and (p_shop_id is null or d.shop_id = p_shop_id)
         order by d.shop_id, d.kind, d.target limit 1)
        union all
        select n.shop_id, n.kind, n.target from place p cross join lateral (
            select d.shop_id, d.kind, d.target from deliveries d
            where d.status = 'queued' and (d.shop_id, d.kind, d.target) > (p.shop_id, p.kind, p.target)
              and (p_shop_id is null or d.shop_id = p_shop_id)
            order by d.shop_id, d.kind, d.target limit 1
        ) n
    ), target as (
        select p.shop_id, p.kind, p.target, k.ordering, k.claim_s, k.calls, busy.count as busy
        from place p join known k on k.name = p.kind cross join lateral (
            select count(*) as count from deliveries s
            where s.status = 'sending' and s.shop_id = p.shop_id and s.kind = p.kind and s.target = p.target
        ) busy
        where busy.count < k.calls
    ), candidate as (
        select due.shop_id, due.id, due.next_attempt_at, due.is_outdated, t.ordering, t.claim_s,
               t.busy + row_number() over (partition by t.shop_id, t.kind, t.target
                                           order by due.next_attempt_at, due.id) as turn
        from target t cross join lateral (
            select d.shop_id, d.id, d.next_attempt_at, t.ordering = 'newest_wins' and exists (
                       select 1 from deliveries n
                       where n.shop_id = d.shop_id and n.kind = d.kind and n.target = d.target
                         and n.object_key = d.object_key and n.id > d.id and n.status in ('queued', 'sent')
                   ) as is_outdated
            from deliveries d
            where d.status = 'queued' and d.shop_id = t.shop_id and d.kind = t.kind and d.target = t.target
              and d.next_attempt_at <= v_due
              and (t.ordering = 'none' or d.object_key is null or not exists (
                  select 1 from deliveries e
                  where e.shop_id = d.shop_id and e.kind = d.kind and e.target = d.target
                    and e.object_key = d.object_key and e.status in ('queued', 'sending') and e.id <> d.id
                    and (e.status = 'sending' or t.ordering = 'in_order' and e.id < d.id)))
            order by d.next_attempt_at, d.id
            limit least(t.calls - t.busy, p_limit)
            for no key update skip locked
        ) due
    ), chosen as (
        select * from candidate order by turn, next_attempt_at, id limit p_limit
    ), taken as (
        update deliveries d
        set status = 'sending', attempts = d.attempts + 1, updated_at = p_now,
            next_attempt_at = v_due + make_interval(secs => c.claim_s)
        from chosen c
        where d.shop_id = c.shop_id and d.id = c.id and not c.is_outdated
        returning d.shop_id, d.id, d.kind, d.target, d.subject_id, d.object_key, d.payload, d.attempts,
                  d.attempts > 1 or d.last_error <> '' as may_exist, c.ordering, c.turn
    ), outdated as (
        select c.shop_id, c.id from chosen c where c.is_outdated
        union
        select e.shop_id, e.id from taken t join deliveries e
          on e.shop_id = t.shop_id and e.kind = t.kind and e.target = t.target and e.object_key = t.object_key
        where t.ordering = 'newest_wins' and e.id < t.id and e.status = 'queued'
    ), replaced as (
        update deliveries d
        set status = 'withdrawn', next_attempt_at = null, updated_at = p_now,
            last_error = 'a newer one of the same object took its place'
        from outdated o where d.shop_id = o.shop_id and d.id = o.id
    )
    select t.shop_id, t.id, t.kind, t.target, t.subject_id, t.object_key, t.payload, t.attempts, t.may_exist
    from taken t order by t.turn, t.id;
end $$;

-- Requeue deliveries whose claim has expired because their worker died; returns how many.
create or replace function requeue_lost_deliveries(p_due timestamptz, p_now timestamptz)
returns bigint language plpgsql set enable_seqscan = off as $$
declare
    v_due timestamptz := coalesce(p_due, now());
    v_count bigint;
begin
    with lost as (
        select d.shop_id, d.id from deliveries d
        where d.status = 'sending' and d.next_attempt_at < v_due
        order by d.shop_id, d.id for no key update skip locked
    ), queued as (
        update deliveries d set status = 'queued', next_attempt_at = least(v_due, now()), updated_at = p_now
        from lost l where d.shop_id = l.shop_id and d.id = l.id
        returning d.shop_id, d.id, d.attempts
    ), noted as (
        insert into delivery_attempts (shop_id, delivery_id, attempt, outcome, error)
        select q.shop_id, q.id, q.attempts, 'lost', 'its sender was not heard of again' from queued q
    )
    select count(*) into v_count from queued;
    return v_count;
end $$;
