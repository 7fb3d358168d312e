-- Hold stock of own pools until p_expires_at, all of it or none: p_wanted is [{variant_id, quantity}]. Answers a row
-- for each, in their order. Raises CD001 with the shortages (see post_stock).
create or replace function hold_all(
    p_shop_id bigint, p_wanted jsonb, p_reference text, p_expires_at timestamptz, p_now timestamptz
) returns bigint[] language plpgsql as $$
declare
    v_ids bigint[];
    v_postings stock_posting[];
    v_event_id bigint;
begin
    insert into stock_levels (shop_id, variant_id, pool)
    select distinct p_shop_id, x.variant_id, 'own' from jsonb_to_recordset(p_wanted) as x (variant_id bigint)
    order by 2
    on conflict do nothing;
    assert fail_point('hold_all:levels');
    with wanted as (
        select x.variant_id, x.quantity, x.place, nextval(pg_get_serial_sequence('holds', 'id')) as id
        from rows from (jsonb_to_recordset(p_wanted) as (variant_id bigint, quantity bigint))
            with ordinality as x (variant_id, quantity, place)
    ), made as (
        insert into holds (shop_id, id, variant_id, pool, quantity, reference, expires_at, created_at)
        overriding system value
        select p_shop_id, w.id, w.variant_id, 'own', w.quantity, p_reference, p_expires_at, p_now from wanted w
    )
    select array_agg(w.id order by w.place),
           array_agg(row(w.variant_id, 'own', 'hold', 0, w.quantity, 0, true, w.id, null)::stock_posting
                     order by w.variant_id, w.id)
    into v_ids, v_postings from wanted w;
    assert fail_point('hold_all:made');
    v_event_id := post_entries(p_shop_id, v_postings, p_reference, null, p_now);
    return v_ids;
end $$;

-- Release those of these holds that are still held; answers how many.
create or replace function release_all(p_shop_id bigint, p_hold_ids bigint[], p_now timestamptz)
returns integer language plpgsql as $$
declare
    v_postings jsonb;
begin
    with due as (
        select h.id from holds h
        where h.shop_id = p_shop_id and h.id = any(p_hold_ids) and h.status = 'held' order by h.id for no key update
    ), closed as (
        update holds h set status = 'released', closed_at = p_now from due
        where h.shop_id = p_shop_id and h.id = due.id and h.status = 'held'
        returning h.id, h.variant_id, h.pool, h.quantity
    )
    select jsonb_agg(jsonb_build_object('variant_id', variant_id, 'pool', pool, 'kind', 'release',
                                        'held', -quantity, 'hold_id', id) order by id)
    into v_postings from closed;
    if v_postings is null then
        return 0;
    end if;
    assert fail_point('release_all:closed');
    perform post_stock(p_shop_id, v_postings, 'hold released', null, p_now);
    return jsonb_array_length(v_postings);
end $$;

-- Close holds that become somebody's share for good: those of p_holds ({hold_id, variant_id, quantity}) that are
-- still held, for that variant and quantity. The caller posts them; what is missing in the answer is gone.
create or replace function close_holds(p_shop_id bigint, p_holds jsonb, p_now timestamptz)
returns table (id bigint, variant_id bigint, pool text, quantity bigint) language sql as $$
    update holds h set status = 'committed', closed_at = p_now
    from (
        select x.hold_id, x.variant_id, x.quantity
        from jsonb_to_recordset(p_holds) as x (hold_id bigint, variant_id bigint, quantity bigint)
        order by x.hold_id
    ) w
    where h.shop_id = p_shop_id and h.id = w.hold_id and h.variant_id = w.variant_id
      and h.quantity = w.quantity and h.status = 'held' and h.expires_at > p_now
    returning h.id, h.variant_id, h.pool, h.quantity
$$;
