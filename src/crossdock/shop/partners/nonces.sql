-- Spend the nonce of a verified request:
--   spent      the nonce is now used
--   reused     it was used before and its time is not over
--   stale      the partner or its credential changed since it was read: read again
create or replace function spend_nonce(
    p_credential_id bigint, p_revision bigint, p_nonce text, p_expires_at timestamptz, p_now timestamptz
) returns text language plpgsql as $$
begin
    perform 1 from credentials c
    join partners p on p.id = c.partner_id and p.active and p.revision = p_revision
    where c.id = p_credential_id and c.disabled_at is null;
    if not found then
        return 'stale';
    end if;
    insert into nonces (credential_id, nonce, expires_at) values (p_credential_id, p_nonce, p_expires_at)
    on conflict (credential_id, nonce) do update set expires_at = excluded.expires_at
        where nonces.expires_at < p_now;
    return case when found then 'spent' else 'reused' end;
end $$;

-- Spend nonces of verified requests, many at once; of two equal ones the first is spent. One at a time, in the order
-- of their keys, so that no two batches wait for each other. Answers one row per request, in order, as spend_nonce,
-- or `limited` where the credential's calls of this minute are used up (the nonce is used all the same).
create or replace function spend_nonces(
    p_credential_ids bigint[], p_revisions bigint[], p_nonces text[], p_expires_at timestamptz[],
    p_limits integer[], p_now timestamptz
) returns table (place integer, outcome text) language plpgsql as $$
#variable_conflict use_column
declare
    v_outcomes text[];
    v_place integer;
begin
    for v_place in
        select a.place from unnest(p_credential_ids, p_nonces) with ordinality as a (credential_id, nonce, place)
        order by a.credential_id, a.nonce, a.place
    loop
        v_outcomes[v_place] := spend_nonce(p_credential_ids[v_place], p_revisions[v_place], p_nonces[v_place],
                                           p_expires_at[v_place], p_now);
        assert fail_point('spend_nonces:spent');
    end loop;
    return query
        select l.place, l.outcome from limit_calls(p_credential_ids, p_limits, v_outcomes, 'spent', p_now) l;
end $$;

-- The same with an asynchronous commit, for a request whose own transaction follows. The WAL is written in
-- order, so the nonce is on disk as soon as any later synchronous commit returns.
create or replace function spend_nonces_early(
    p_credential_ids bigint[], p_revisions bigint[], p_nonces text[], p_expires_at timestamptz[],
    p_limits integer[], p_now timestamptz
) returns table (place integer, outcome text) language plpgsql as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    return query
        select s.place, s.outcome
        from spend_nonces(p_credential_ids, p_revisions, p_nonces, p_expires_at, p_limits, p_now) s;
end $$;

-- For a request without a transaction of its own: a synchronous commit, which also flushes every nonce spent
-- before it.
create or replace function settle_nonces() returns void language plpgsql as $$
begin
    perform pg_logical_emit_message(true, 'crossdock', '');
end $$;
