-- Delete up to p_limit deliveries that were sent before p_before, with their attempts; how many. Their once-keys are
-- kept. One stays while an earlier delivery of its object is there that was not sent: that one may be queued again,
-- and must then find the newer one.
create or replace function purge_sent_deliveries(p_before timestamptz, p_limit integer)
returns bigint language plpgsql set enable_seqscan = off as $$
declare
    v_count bigint;
begin
    with due as (
        select d.shop_id, d.id from deliveries d
        where d.status = 'sent' and d.sent_at < p_before and not exists (
            select 1 from deliveries e
            where e.shop_id = d.shop_id and e.kind = d.kind and e.target = d.target
              and e.object_key = d.object_key and e.id < d.id and e.status <> 'sent')
        order by d.sent_at limit p_limit
        for update skip locked
    ), gone as (
        delete from deliveries d using due u where d.shop_id = u.shop_id and d.id = u.id
        returning d.shop_id, d.kind, d.subject_id, d.target, d.result, d.sent_at
    ), kept as (
        insert into purged_deliveries (shop_id, kind, subject_id, target, result, sent_at)
        select g.shop_id, g.kind, g.subject_id, g.target, g.result, g.sent_at from gone g
        where g.subject_id is not null
    )
    select count(*) into v_count from gone;
    return v_count;
end $$;
