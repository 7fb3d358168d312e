-- Add to the number of a credential's calls in the minute of p_now; returns the new number. All kinds of
-- calls are counted here. For several credentials, call it in the order of their ids (lock order).
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

-- Count the calls of a batch whose outcome is `p_counted`, and answer all outcomes in order: calls above the limit
-- of their credential become `limited`, the last ones first. A limit of 0 is none.
create or replace function limit_calls(
    p_credential_ids bigint[], p_limits integer[], p_outcomes text[], p_counted text, p_now timestamptz
) returns table (place integer, outcome text) language plpgsql as $$
#variable_conflict use_column
declare
    v_caller record;
    v_over integer;
begin
    if 0 < any (p_limits) then
        for v_caller in
            select a.credential_id, max(a.max_calls) as max_calls, array_agg(a.place order by a.place desc) as places
            from unnest(p_credential_ids, p_limits, p_outcomes) with ordinality
                as a (credential_id, max_calls, outcome, place)
            where a.outcome = p_counted and a.max_calls > 0
            group by a.credential_id order by a.credential_id
        loop
            v_over := count_calls(v_caller.credential_id, cardinality(v_caller.places), p_now) - v_caller.max_calls;
            for v_last in 1..least(v_over, cardinality(v_caller.places)) loop
                p_outcomes[v_caller.places[v_last]] := 'limited';
            end loop;
        end loop;
    end if;
    return query
        select o.place::integer, o.outcome from unnest(p_outcomes) with ordinality as o (outcome, place)
        order by o.place;
end $$;

-- Confirm proven calls that spend no nonce: is the credential still as it was read, and is the caller
-- within its limit? One row per call, in order: live, stale or limited.
create or replace function confirm_calls(
    p_credential_ids bigint[], p_revisions bigint[], p_limits integer[], p_now timestamptz
) returns table (place integer, outcome text) language plpgsql as $$
#variable_conflict use_column
declare
    v_outcomes text[];
begin
    select array_agg(case when p.id is null then 'stale' else 'live' end order by a.place) into v_outcomes
    from unnest(p_credential_ids, p_revisions) with ordinality as a (credential_id, revision, place)
    left join credentials c on c.id = a.credential_id and c.disabled_at is null
    left join partners p on p.id = c.partner_id and p.active and p.revision = a.revision;
    return query
        select l.place, l.outcome from limit_calls(p_credential_ids, p_limits, v_outcomes, 'live', p_now) l;
end $$;
