-- A step at which tests make a write path break, to prove that it leaves nothing half done.
create or replace function fail_point(step text) returns void language plpgsql as $$
begin
    if current_setting('crossdock.fail_point', true) = step then
        raise exception 'fail point %', step using errcode = 'CD099';
    end if;
end $$;

-- Post entries to levels: lock the levels in one order, change them, write the entries and one event.
-- p_postings: [{variant_id, pool, kind, on_hand, held, committed, floor, hold_id}], absent numbers are 0.
-- floor: the posting takes capacity, so what stays available may not be below zero.
-- Raises CD001 with the shortages as its detail; a CHECK is the wall behind it.
create or replace function post_stock(
    p_shop_id bigint, p_postings jsonb, p_reason text, p_order_id bigint, p_now timestamptz
) returns void language plpgsql as $$
declare
    v_wanted integer;
    v_locked integer;
    v_shortages jsonb;
    v_levels jsonb;
begin
    select count(distinct (x.variant_id, x.pool)) into v_wanted
    from jsonb_to_recordset(p_postings) as x (variant_id bigint, pool text);

    for attempt in 1..2 loop
        select count(*) into v_locked from (
            select 1 from stock_levels l
            where l.shop_id = p_shop_id
              and (l.variant_id, l.pool) in (
                  select x.variant_id, x.pool from jsonb_to_recordset(p_postings) as x (variant_id bigint, pool text))
            order by l.variant_id, l.pool
            for no key update
        ) locked;
        exit when v_locked = v_wanted;
        perform fail_point('post_stock:missing_level');
        insert into stock_levels (shop_id, variant_id, pool)
        select distinct p_shop_id, x.variant_id, x.pool
        from jsonb_to_recordset(p_postings) as x (variant_id bigint, pool text)
        order by 2, 3
        on conflict do nothing;
    end loop;
    perform fail_point('post_stock:locked');

    with posting as (
        select x.variant_id, x.pool, x.kind, coalesce(x.on_hand, 0) as on_hand, coalesce(x.held, 0) as held,
               coalesce(x.committed, 0) as committed, coalesce(x.floor, false) as floor, x.hold_id
        from jsonb_to_recordset(p_postings) as x (
            variant_id bigint, pool text, kind text, on_hand bigint, held bigint, committed bigint,
            floor boolean, hold_id bigint)
    ), summed as (
        select p.variant_id, p.pool, sum(p.on_hand) as on_hand, sum(p.held) as held,
               sum(p.committed) as committed, bool_or(p.floor) as floor
        from posting p group by p.variant_id, p.pool
    ), entry as (
        insert into stock_entries (shop_id, variant_id, pool, kind, on_hand_delta, held_delta, committed_delta,
                                   reason, order_id, hold_id, created_at)
        select p_shop_id, p.variant_id, p.pool, p.kind, p.on_hand, p.held, p.committed,
               p_reason, p_order_id, p.hold_id, p_now
        from posting p
    ), changed as (
        update stock_levels l
        set on_hand = l.on_hand + s.on_hand, held = l.held + s.held, committed = l.committed + s.committed,
            updated_at = p_now
        from summed s
        where l.shop_id = p_shop_id and l.variant_id = s.variant_id and l.pool = s.pool
        returning l.variant_id, l.pool, l.available, s.floor, s.on_hand - s.held - s.committed as delta
    )
    select jsonb_agg(jsonb_build_object('variant_id', c.variant_id, 'pool', c.pool,
                                        'available', greatest(c.available - c.delta, 0)))
               filter (where c.floor and c.available < 0),
           jsonb_agg(jsonb_build_array(c.variant_id, c.pool, c.available))
    into v_shortages, v_levels
    from changed c;

    if v_shortages is not null then
        raise exception 'not enough stock' using errcode = 'CD001', detail = v_shortages::text;
    end if;
    perform fail_point('post_stock:posted');

    insert into events (shop_id, kind, subject_id, payload, created_at)
    values (p_shop_id, 'stock.changed', p_order_id, jsonb_build_object('levels', v_levels, 'reason', p_reason), p_now);
end $$;
