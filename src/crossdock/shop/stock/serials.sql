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

create or replace function refuse_few_serials(p_variant_id bigint, p_left bigint) returns void language plpgsql as $$
begin
    raise exception 'not enough serials' using errcode = 'CD001', detail = jsonb_build_array(jsonb_build_object(
        'variant_id', p_variant_id, 'pool', 'own', 'available', greatest(p_left, 0)))::text;
end $$;
