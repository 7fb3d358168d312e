-- Confirm verified calls of protocols without a nonce: is the credential still as it was read,
-- and is the caller within its limit? One row per call, in order: live, stale or limited.
create or replace function confirm_calls(
    p_credential_ids bigint[], p_revisions bigint[], p_limits integer[], p_now timestamptz
) returns table (place integer, outcome text) language plpgsql as $$
#variable_conflict use_column
begin
    return query
    with asked as (
        select a.place::integer as place, a.credential_id, a.revision, a.max_calls
        from unnest(p_credential_ids, p_revisions, p_limits) with ordinality
            as a (credential_id, revision, max_calls, place)
    ), live as (
        select a.*, row_number() over (partition by a.credential_id order by a.place desc) - 1 as later
        from asked a
        join credentials c on c.id = a.credential_id and c.disabled_at is null
        join partners p on p.id = c.partner_id and p.active and p.revision = a.revision
    ), counted as (
        insert into rate_windows (credential_id, window_start, calls)
        select l.credential_id, date_trunc('minute', p_now), count(*)
        from live l where l.max_calls > 0
        group by l.credential_id order by l.credential_id
        on conflict (credential_id, window_start) do update set calls = rate_windows.calls + excluded.calls
        returning credential_id, calls
    )
    select a.place,
           case when l.place is null then 'stale'
                when l.max_calls > 0 and c.calls - l.later > l.max_calls then 'limited'
                else 'live' end
    from asked a
    left join live l on l.place = a.place
    left join counted c on c.credential_id = a.credential_id
    order by a.place;
end $$;
