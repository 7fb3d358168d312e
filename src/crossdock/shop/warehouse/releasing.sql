-- The goods of an order that are counted, each with how many of it: what a release commits.
-- The lines are asked for in their order because only the index by order has it. Otherwise a plan made while
-- there were no lines yet, as in a young shop, may read all lines of the shop by another index ever after.
create or replace function order_goods(p_shop_id bigint, p_order_id bigint)
returns table (variant_id bigint, quantity bigint) language sql stable as $$
    select l.variant_id, sum(l.quantity)::bigint
    from (
        select o.variant_id, o.quantity from order_lines o
        where o.shop_id = p_shop_id and o.order_id = p_order_id order by o.line_no
    ) l
    join variants v on v.shop_id = p_shop_id and v.id = l.variant_id
    join products p on p.shop_id = v.shop_id and p.id = v.product_id
    where is_counted(v.stock_managed, p.sold_without_stock, p.virtual)
    group by l.variant_id
$$;

-- Release an order to the warehouse: all its goods are committed, or it is reserved and keeps none.
-- p_look false releases without looking (release mode 'immediate'): own stock may go below zero.
-- Answers the order's state afterwards; an order that is neither waiting nor reserved stays as it is.
create or replace function release_order(
    p_shop_id bigint, p_order_id bigint, p_look boolean, p_now timestamptz
) returns text language plpgsql as $$
declare
    v_state text;
    v_takes jsonb;
begin
    select state into v_state from orders where shop_id = p_shop_id and id = p_order_id for no key update;
    if v_state is null or v_state not in ('waiting_for_release', 'reserved') then
        return v_state;
    end if;
    select coalesce(jsonb_agg(jsonb_build_object(
        'variant_id', wanted.variant_id, 'quantity', wanted.quantity,
        'mode', case when p_look then 'own_capped' else 'own' end) order by wanted.variant_id), '[]'::jsonb)
    into v_takes
    from order_goods(p_shop_id, p_order_id) wanted;
    assert fail_point('release_order:read');

    begin
        perform take_stock(p_shop_id, p_order_id, v_takes, p_now);
    exception when sqlstate 'CD001' then
        if v_state <> 'reserved' then
            update orders set state = 'reserved', updated_at = p_now where shop_id = p_shop_id and id = p_order_id;
            insert into events (shop_id, kind, subject_id, created_at)
            values (p_shop_id, 'order.reserved', p_order_id, p_now);
        end if;
        return 'reserved';
    end;
    assert fail_point('release_order:taken');

    update orders set state = 'processing', updated_at = p_now where shop_id = p_shop_id and id = p_order_id;
    assert fail_point('release_order:moved');
    insert into events (shop_id, kind, subject_id, created_at)
    values (p_shop_id, 'order.released', p_order_id, p_now);
    return 'processing';
end $$;
