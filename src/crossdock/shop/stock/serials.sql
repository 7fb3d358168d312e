-- Whether a variant is sold by serials: it has some, or had.
create or replace function is_sold_by_serials(p_shop_id bigint, p_variant_id bigint)
returns boolean language sql stable as $$
    select exists (select from serials s where s.shop_id = p_shop_id and s.variant_id = p_variant_id)
$$;

-- Whether a variant can run out, as `is_counted`, where what is not shipped and sold by serials counts as what is.
create or replace function can_run_out(
    p_shop_id bigint, p_variant_id bigint, p_managed boolean, p_sold_without_stock boolean, p_virtual boolean
) returns boolean language sql stable as $$
    select is_counted(p_managed, p_sold_without_stock, p_virtual and not is_sold_by_serials(p_shop_id, p_variant_id))
$$;

-- How many serials of a variant are unsold, as far as `p_most`: a level also counts units that have none yet.
create or replace function count_unsold_serials(p_shop_id bigint, p_variant_id bigint, p_most bigint)
returns bigint language sql stable as $$
    select count(*) from (
        select from serials s
        where s.shop_id = p_shop_id and s.variant_id = p_variant_id and s.sold_at is null
        limit greatest(p_most, 0)
    ) found
$$;

-- Sell the oldest serials of a variant to an order's line and post them as shipped; returns their ids.
-- Call it after locking the order, and for several variants in the order of their ids, as levels are locked.
-- Raises CD001, as post_stock does, if there are fewer; nothing is sold then.
create or replace function take_serials(
    p_shop_id bigint, p_order_id bigint, p_line_no smallint, p_variant_id bigint, p_quantity bigint, p_now timestamptz
) returns setof bigint language plpgsql as $$
declare
    v_available bigint;
    v_ids bigint[];
begin
    select l.available into v_available from stock_levels l
    where l.shop_id = p_shop_id and l.variant_id = p_variant_id and l.pool = 'own' for no key update;
    if coalesce(v_available, 0) < p_quantity then
        perform refuse_few_serials(p_variant_id, coalesce(v_available, 0));
    end if;
    v_ids := sell_serials(p_shop_id, p_order_id, p_line_no, p_variant_id, p_quantity, p_now);
    perform post_stock(
        p_shop_id,
        jsonb_build_array(jsonb_build_object('variant_id', p_variant_id, 'pool', 'own', 'kind', 'ship',
                                             'on_hand', -p_quantity)),
        'serials sold', p_order_id, p_now);
    return query select x.id from unnest(v_ids) as x (id);
end $$;

-- Assign the oldest serials of a variant to an order's line; returns their ids. The caller has locked the level and
-- posts it. Raises CD001 if there are fewer. It waits for rows that are being re-encrypted with a new master key:
-- skipping them would refuse an order although its stock exists.
create or replace function sell_serials(
    p_shop_id bigint, p_order_id bigint, p_line_no smallint, p_variant_id bigint, p_quantity bigint, p_now timestamptz
) returns bigint[] language plpgsql as $$
declare
    v_ids bigint[];
begin
    select array_agg(found.id) into v_ids from (
        select s.id from serials s
        where s.shop_id = p_shop_id and s.variant_id = p_variant_id and s.sold_at is null
        order by s.id limit p_quantity for update
    ) found;
    if coalesce(cardinality(v_ids), 0) < p_quantity then
        perform refuse_few_serials(p_variant_id, coalesce(cardinality(v_ids), 0));
    end if;
    update serials s set sold_at = p_now where s.shop_id = p_shop_id and s.id = any(v_ids);
    assert fail_point('take_serials:sold');

    insert into serial_sales (shop_id, serial_id, order_id, line_no, sold_at)
    select p_shop_id, x.id, p_order_id, p_line_no, p_now from unnest(v_ids) as x (id);
    assert fail_point('take_serials:sale');
    return v_ids;
end $$;

-- Take the oldest serials of a variant out of the pool for a reseller's stock, in one entry; returns their ids, null if
-- fewer can be sold: nothing is written then. See sell_serials for rows that are being re-encrypted.
create or replace function draw_serials(
    p_shop_id bigint, p_variant_id bigint, p_quantity bigint, p_transfer_id bigint, p_now timestamptz
) returns bigint[] language plpgsql as $$
declare
    v_available bigint;
    v_ids bigint[];
begin
    perform lock_levels(p_shop_id, p_variant_id, '{own}');
    assert fail_point('draw_serials:locked');
    select l.available into v_available from stock_levels l
    where l.shop_id = p_shop_id and l.variant_id = p_variant_id and l.pool = 'own';
    select array_agg(found.id order by found.id) into v_ids from (
        select s.id from serials s
        where s.shop_id = p_shop_id and s.variant_id = p_variant_id and s.sold_at is null
        order by s.id limit p_quantity for update
    ) found;
    if v_available < p_quantity or coalesce(cardinality(v_ids), 0) < p_quantity then
        return null;
    end if;
    update serials s set sold_at = p_now where s.shop_id = p_shop_id and s.id = any(v_ids);
    assert fail_point('draw_serials:drawn');
    perform post_entries(
        p_shop_id,
        array[row(p_variant_id, 'own', 'transfer', -p_quantity, 0, 0, true, null, p_transfer_id)::stock_posting],
        'serials transferred', null, p_now);
    return v_ids;
end $$;

-- Put serials that were drawn back into their variant's pool, in one entry.
create or replace function return_serials(
    p_shop_id bigint, p_variant_id bigint, p_serial_ids bigint[], p_transfer_id bigint, p_now timestamptz
) returns void language plpgsql as $$
begin
    perform lock_levels(p_shop_id, p_variant_id, '{own}');
    assert fail_point('return_serials:locked');
    update serials s set sold_at = null where s.shop_id = p_shop_id and s.id = any(p_serial_ids);
    assert fail_point('return_serials:returned');
    perform post_entries(
        p_shop_id,
        array[row(p_variant_id, 'own', 'restock', cardinality(p_serial_ids), 0, 0, false, null,
                  p_transfer_id)::stock_posting],
        'serials returned', null, p_now);
end $$;

create or replace function refuse_few_serials(p_variant_id bigint, p_left bigint) returns void language plpgsql as $$
begin
    raise exception 'not enough serials' using errcode = 'CD001', detail = jsonb_build_array(jsonb_build_object(
        'variant_id', p_variant_id, 'pool', 'own', 'available', greatest(p_left, 0)))::text;
end $$;
