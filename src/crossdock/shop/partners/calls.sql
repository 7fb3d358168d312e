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
            assert fail_point('limit_calls:counted');
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

-- confirm_calls of readers of goods, each with the version of its shop's goods at that moment.
create or replace function confirm_readers(
    p_credential_ids bigint[], p_revisions bigint[], p_limits integer[], p_shop_ids bigint[], p_now timestamptz
) returns table (place integer, outcome text, version bigint) language plpgsql as $$
#variable_conflict use_column
begin
    return query
        select c.place, c.outcome, v.version
        from confirm_calls(p_credential_ids, p_revisions, p_limits, p_now) c
        join (select x.id, catalogue_version(x.id) as version
              from (select distinct s.id from unnest(p_shop_ids) as s (id)) x) v on v.id = p_shop_ids[c.place]
        order by c.place;
end $$;

-- Let calls of a credential through at a steady pace: so many a minute, and up to p_burst at once after a pause.
-- Returns how many of p_calls go through; those are counted. Each keeps the caller busy for its part of the minute,
-- and nobody is busy for longer than a burst, so that a clock that is set back stops nobody.
create or replace function pace_calls(
    p_credential_id bigint, p_calls integer, p_per_minute integer, p_burst integer, p_now timestamptz
) returns integer language plpgsql as $$
declare
    v_each interval := interval '1 minute' / p_per_minute;
    v_longest timestamptz := p_now + v_each * p_burst;
    v_until timestamptz;
    v_through integer;
begin
    insert into call_paces as c (credential_id, busy_until) values (p_credential_id, p_now)
    on conflict (credential_id) do update set busy_until = least(greatest(c.busy_until, p_now), v_longest)
    returning c.busy_until into v_until;
    v_through := least(p_calls, floor(
        extract(epoch from v_longest - v_until) / extract(epoch from v_each) + 0.001)::integer);
    if v_through > 0 then
        assert fail_point('pace_calls:seen');
        update call_paces set busy_until = v_until + v_each * v_through where credential_id = p_credential_id;
    end if;
    return v_through;
end $$;

-- confirm_calls at a steady pace: p_limits are calls a minute, 0 is none. The last calls of a batch are limited first.
create or replace function confirm_paced_calls(
    p_credential_ids bigint[], p_revisions bigint[], p_limits integer[], p_bursts integer[], p_now timestamptz
) returns table (place integer, outcome text) language sql as $$
    select m.place, m.outcome
    from confirm_metered_calls(p_credential_ids, p_revisions, p_limits, p_bursts, p_now) m order by m.place
$$;

-- The same, each with the moment until which the caller's calls keep it busy; null for one without a limit.
-- Calls of one credential with different limits share that moment, each at its own pace.
create or replace function confirm_metered_calls(
    p_credential_ids bigint[], p_revisions bigint[], p_limits integer[], p_bursts integer[], p_now timestamptz
) returns table (place integer, outcome text, busy_until timestamptz) language plpgsql as $$
#variable_conflict use_column
declare
    v_outcomes text[];
    v_caller record;
    v_through integer;
begin
    select array_agg(c.outcome order by c.place) into v_outcomes
    from confirm_calls(p_credential_ids, p_revisions, array_fill(0, array[cardinality(p_limits)]), p_now) c;
    for v_caller in
        select a.credential_id, a.max_calls, a.burst, array_agg(a.place order by a.place) as places
        from unnest(p_credential_ids, p_limits, p_bursts, v_outcomes) with ordinality
            as a (credential_id, max_calls, burst, outcome, place)
        where a.outcome = 'live' and a.max_calls > 0
        group by a.credential_id, a.max_calls, a.burst order by a.credential_id, a.max_calls, a.burst
    loop
        v_through := pace_calls(
            v_caller.credential_id, cardinality(v_caller.places), v_caller.max_calls, v_caller.burst, p_now);
        assert fail_point('confirm_metered_calls:paced');
        for v_last in v_through + 1..cardinality(v_caller.places) loop
            v_outcomes[v_caller.places[v_last]] := 'limited';
        end loop;
    end loop;
    return query
        select o.place::integer, o.outcome, case when p_limits[o.place] > 0 then p.busy_until end
        from unnest(v_outcomes) with ordinality as o (outcome, place)
        left join call_paces p on p.credential_id = p_credential_ids[o.place]
        order by o.place;
end $$;

-- confirm_paced_calls of readers of goods, each with the version of its shop's goods at that moment.
create or replace function confirm_paced_readers(
    p_credential_ids bigint[], p_revisions bigint[], p_limits integer[], p_bursts integer[], p_shop_ids bigint[],
    p_now timestamptz
) returns table (place integer, outcome text, version bigint) language plpgsql as $$
#variable_conflict use_column
begin
    return query
        select c.place, c.outcome, v.version
        from confirm_paced_calls(p_credential_ids, p_revisions, p_limits, p_bursts, p_now) c
        join (select x.id, catalogue_version(x.id) as version
              from (select distinct s.id from unnest(p_shop_ids) as s (id)) x) v on v.id = p_shop_ids[c.place]
        order by c.place;
end $$;

-- confirm_metered_calls of readers of goods, each with the version of its shop's goods at that moment.
create or replace function confirm_metered_readers(
    p_credential_ids bigint[], p_revisions bigint[], p_limits integer[], p_bursts integer[], p_shop_ids bigint[],
    p_now timestamptz
) returns table (place integer, outcome text, busy_until timestamptz, version bigint) language plpgsql as $$
#variable_conflict use_column
begin
    return query
        select c.place, c.outcome, c.busy_until, v.version
        from confirm_metered_calls(p_credential_ids, p_revisions, p_limits, p_bursts, p_now) c
        join (select x.id, catalogue_version(x.id) as version
              from (select distinct s.id from unnest(p_shop_ids) as s (id)) x) v on v.id = p_shop_ids[c.place]
        order by c.place;
end $$;
