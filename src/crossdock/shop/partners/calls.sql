-- Count more calls of a credential in the minute of p_now; how many there are now. Every kind of call
-- is counted here, and nowhere else. Ask for several credentials in the order of their ids.
create or replace function count_calls(p_credential_id bigint, p_calls bigint, p_now timestamptz)
returns integer language plpgsql as $$
declare
    v_calls integer;
begin
    insert into rate_windows as w (credential_id, window_start, calls)
    values (p_credential_id, date_trunc('minute', p_now), p_calls)
    on conflict (credential_id, window_start) do update set calls = w.calls + excluded.calls
    returning w.calls into v_calls;
    return v_calls;
end $$;

-- Confirm proven calls that spend no nonce: is the credential still as it was read, and is the caller
-- within its limit? One row per call, in order: live, stale or limited.
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
        select g.credential_id, count_calls(g.credential_id, g.calls, p_now) as calls
        from (
            select l.credential_id, count(*) as calls from live l where l.max_calls > 0
            group by l.credential_id order by l.credential_id
        ) g
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
