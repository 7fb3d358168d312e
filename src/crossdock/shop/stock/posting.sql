-- Post entries to levels: lock and change the levels in a fixed order, write the entries and one event:
-- `stock.changed`, or `inventory.moved` if no available quantity changed, for example when an order is shipped.
-- Answers the event's id, null if there is nothing to post. floor: refuse the posting if it leaves the available
-- quantity below zero.
-- Raises CD001 with the shortages as its detail; a CHECK constraint enforces the same.
-- Levels are changed one by one by their full key: the planner assumes many rows in an array, and for so many it
-- prefers to scan all levels of the shop. What is assigned here rather than performed is an expression, which costs
-- a tenth of a statement.
create or replace function post_entries(
    p_shop_id bigint, p_postings stock_posting[], p_reason text, p_order_id bigint, p_now timestamptz
) returns bigint language plpgsql as $$
declare
    v_change stock_posting;
    v_available bigint;
    v_shortages jsonb[];
    v_levels jsonb[];
    v_is_felt boolean := false;
begin
    if coalesce(cardinality(p_postings), 0) = 0 then
        return null;
    end if;
    foreach v_change in array level_changes(p_postings) loop
        update stock_levels l
        set on_hand = l.on_hand + v_change.on_hand, held = l.held + v_change.held,
            committed = l.committed + v_change.committed, updated_at = p_now
        where l.shop_id = p_shop_id and l.variant_id = v_change.variant_id and l.pool = v_change.pool
        returning l.available into v_available;
        if not found then
            assert fail_point('post_stock:missing_level');
            insert into stock_levels as l (shop_id, variant_id, pool, on_hand, held, committed, updated_at)
            values (p_shop_id, v_change.variant_id, v_change.pool, v_change.on_hand, v_change.held,
                    v_change.committed, p_now)
            on conflict (shop_id, variant_id, pool) do update
            set on_hand = l.on_hand + excluded.on_hand, held = l.held + excluded.held,
                committed = l.committed + excluded.committed, updated_at = p_now
            returning l.available into v_available;
        end if;
        if v_change.floor and v_available < 0 then
            v_shortages := v_shortages || jsonb_build_object(
                'variant_id', v_change.variant_id, 'pool', v_change.pool, 'available',
                greatest(v_available - v_change.on_hand + v_change.held + v_change.committed, 0));
        end if;
        assert fail_point('post_stock:level');
        v_is_felt := v_is_felt or v_change.on_hand <> v_change.held + v_change.committed;
        v_levels := v_levels || jsonb_build_array(v_change.variant_id, v_change.pool, v_available);
    end loop;
    if v_shortages is not null then
        raise exception 'not enough stock' using errcode = 'CD001', detail = to_jsonb(v_shortages)::text;
    end if;
    assert fail_point('post_stock:levels');

    insert into stock_entries (shop_id, variant_id, pool, kind, on_hand_delta, held_delta, committed_delta, reason,
                               order_id, hold_id, transfer_id, created_at)
    select p_shop_id, x.variant_id, x.pool, x.kind, x.on_hand, x.held, x.committed, p_reason, p_order_id, x.hold_id,
           x.transfer_id, p_now
    from unnest(p_postings) as x;
    assert fail_point('post_stock:posted');

    return write_event(
        p_shop_id, case when v_is_felt then 'stock.changed' else 'inventory.moved' end, p_order_id,
        jsonb_build_object('levels', to_jsonb(v_levels), 'reason', p_reason), p_now);
end $$;

-- One change for each level that postings name, in the order in which levels are locked. Postings that are so already
-- are answered as they are.
create or replace function level_changes(p_postings stock_posting[])
returns stock_posting[] language plpgsql immutable as $$
begin
    for v_place in 2..cardinality(p_postings) loop
        if (p_postings[v_place].variant_id, p_postings[v_place].pool)
           <= (p_postings[v_place - 1].variant_id, p_postings[v_place - 1].pool) then
            return (
                select array_agg(row(c.variant_id, c.pool, null, c.on_hand, c.held, c.committed, c.floor,
                                     null, null)::stock_posting order by c.variant_id, c.pool)
                from (
                    select x.variant_id, x.pool, sum(x.on_hand)::bigint as on_hand, sum(x.held)::bigint as held,
                           sum(x.committed)::bigint as committed, bool_or(x.floor) as floor
                    from unnest(p_postings) as x group by x.variant_id, x.pool
                ) c);
        end if;
    end loop;
    return p_postings;
end $$;

-- The same for postings as JSON: [{variant_id, pool, kind, on_hand, held, committed, floor, hold_id}], missing numbers
-- are 0.
create or replace function post_stock(
    p_shop_id bigint, p_postings jsonb, p_reason text, p_order_id bigint, p_now timestamptz
) returns void language plpgsql as $$
begin
    perform post_entries(p_shop_id, stock_postings(p_postings), p_reason, p_order_id, p_now);
end $$;

create or replace function stock_postings(p_postings jsonb) returns stock_posting[] language sql immutable as $$
    select array_agg(row(x.variant_id, x.pool, x.kind, coalesce(x.on_hand, 0), coalesce(x.held, 0),
                         coalesce(x.committed, 0), coalesce(x.floor, false), x.hold_id, null)::stock_posting)
    from jsonb_to_recordset(p_postings) as x (
        variant_id bigint, pool text, kind text, on_hand bigint, held bigint, committed bigint, floor boolean,
        hold_id bigint)
$$;

-- Lock a variant's levels, in the order of pools, before the quantities are divided between them. Missing levels are
-- created so that they can be locked. Lock several variants in the order of their ids.
create or replace function lock_levels(p_shop_id bigint, p_variant_id bigint, p_pools text[])
returns void language plpgsql as $$
begin
    insert into stock_levels (shop_id, variant_id, pool)
    select p_shop_id, p_variant_id, p.pool from unnest(p_pools) as p (pool) on conflict do nothing;
    perform 1 from stock_levels l
    where l.shop_id = p_shop_id and l.variant_id = p_variant_id order by l.pool for no key update;
end $$;
