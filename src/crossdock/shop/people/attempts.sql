-- Count a sign-in attempt as failed before it is checked, so that parallel attempts count too.
-- p_keys: what is counted (account, source); p_free: the number of failures of each without a wait.
-- Returns 0 if the attempt was counted and may proceed, else the seconds until the next attempt.
create or replace function begin_sign_in_attempt(
    p_keys bytea[], p_free integer[], p_first_wait_s integer, p_longest_wait_s integer,
    p_kept interval, p_now timestamptz
) returns integer language plpgsql as $$
declare
    v_wait integer;
begin
    -- A blocked attempt writes nothing, however many accounts are tried.
    select ceil(extract(epoch from max(blocked_until) - p_now)) into v_wait
    from sign_in_attempts where key_hash = any(p_keys);
    if v_wait > 0 then
        return least(v_wait, p_longest_wait_s);
    end if;

    insert into sign_in_attempts (key_hash, failures, blocked_until, last_at)
    select k, 0, p_now, p_now from unnest(p_keys) as k order by k
    on conflict do nothing;
    assert fail_point('begin_sign_in_attempt:noted');
    perform 1 from sign_in_attempts where key_hash = any(p_keys) order by key_hash for no key update;

    select ceil(extract(epoch from max(blocked_until) - p_now)) into v_wait
    from sign_in_attempts where key_hash = any(p_keys);
    if v_wait > 0 then  -- blocked by a concurrent attempt: delete the rows inserted above
        delete from sign_in_attempts where key_hash = any(p_keys) and failures = 0;
        return least(v_wait, p_longest_wait_s);
    end if;

    update sign_in_attempts a
    set failures = n.failures,
        last_at = p_now,
        blocked_until = p_now + make_interval(secs => case
            when n.failures < n.free then 0
            else least(p_longest_wait_s, p_first_wait_s * 2.0 ^ least(n.failures - n.free, 20))
        end)
    from (
        select s.key_hash, k.free,
               case when s.last_at < p_now - p_kept then 1 else s.failures + 1 end as failures
        from unnest(p_keys, p_free) as k (key_hash, free)
        join sign_in_attempts s using (key_hash)
    ) as n
    where a.key_hash = n.key_hash;
    return 0;
end $$;
