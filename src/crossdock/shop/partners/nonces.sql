-- Spend nonces of verified requests, many at once. Answers one row per request, in order:
--   spent      the nonce is now used
--   reused     it was used before and its time is not over
--   stale      the partner or its credential changed since it was read: read again
--   limited    the credential's calls of this minute are used up (the nonce is used all the same)
create or replace function spend_nonces(
    p_credential_ids bigint[], p_revisions bigint[], p_nonces text[], p_expires_at timestamptz[],
    p_limits integer[], p_now timestamptz
) returns table (place integer, outcome text) language plpgsql as $$
#variable_conflict use_column
begin
    return query
    with asked as (
        select a.place::integer as place, a.credential_id, a.revision, a.nonce, a.expires_at, a.max_calls
        from unnest(p_credential_ids, p_revisions, p_nonces, p_expires_at, p_limits) with ordinality
            as a (credential_id, revision, nonce, expires_at, max_calls, place)
    ), live as (
        select a.* from asked a
        join credentials c on c.id = a.credential_id and c.disabled_at is null
        join partners p on p.id = c.partner_id and p.active and p.revision = a.revision
    ), first as (
        select distinct on (l.credential_id, l.nonce) l.* from live l order by l.credential_id, l.nonce, l.place
    ), spent as (
        insert into nonces (credential_id, nonce, expires_at)
        select f.credential_id, f.nonce, f.expires_at from first f order by f.credential_id, f.nonce
        on conflict (credential_id, nonce) do update set expires_at = excluded.expires_at
            where nonces.expires_at < p_now
        returning credential_id, nonce
    ), calls as (
        select g.credential_id, count_calls(g.credential_id, g.calls, p_now) as calls
        from (
            select f.credential_id, count(*) as calls
            from first f join spent s using (credential_id, nonce)
            where f.max_calls > 0
            group by f.credential_id order by f.credential_id
        ) g
    )
    select a.place,
           case when l.place is null then 'stale'
                when s.nonce is null or f.place is null then 'reused'
                when a.max_calls > 0 and c.calls - s.rank_in_batch > a.max_calls then 'limited'
                else 'spent' end
    from asked a
    left join live l on l.place = a.place
    left join first f on f.place = a.place
    left join (
        select f2.place, s2.credential_id, s2.nonce,
               row_number() over (partition by s2.credential_id order by f2.place desc) - 1 as rank_in_batch
        from spent s2 join first f2 using (credential_id, nonce)
    ) s on s.place = f.place
    left join calls c on c.credential_id = a.credential_id
    order by a.place;
end $$;

-- The same, without waiting for the disk: for a request whose own transaction follows. The log is
-- written in order, so the nonce is on the disk before any later commit that does wait is answered.
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

-- For a request that ends without a transaction of its own: a commit that waits for the disk, and so
-- for every nonce spent before it.
create or replace function settle_nonces() returns void language plpgsql as $$
begin
    perform pg_logical_emit_message(true, 'crossdock', '');
end $$;
