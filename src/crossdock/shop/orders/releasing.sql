-- The quantities of stock-managed variants that an order needs, which a release commits.
-- The lines are sorted because only the index by order gives that order. Otherwise a plan that was made in a new shop
-- without lines might use another index from then on, and read all lines of the shop.
create or replace function order_demand(p_shop_id bigint, p_order_id bigint)
returns table (variant_id bigint, quantity bigint) language sql stable as $$
    select l.variant_id, sum(l.quantity)::bigint
    from (
        select o.variant_id, o.quantity - o.cancelled as quantity from order_lines o
        where o.shop_id = p_shop_id and o.order_id = p_order_id and o.cancelled < o.quantity order by o.line_no
    ) l
    join variants v on v.shop_id = p_shop_id and v.id = l.variant_id
    join products p on p.shop_id = v.shop_id and p.id = v.product_id
    where can_run_out(v.shop_id, v.id, v.stock_managed, p.sold_without_stock, p.virtual)
    group by l.variant_id
$$;

-- Release an order: commit its stock, unless placing it did, and queue its dispatches; or reserve it without stock.
-- p_look false releases without a check, so that own stock may go below zero.
-- Returns the order's new state; an order that is neither waiting nor reserved is not changed, nor is one that no
-- warehouse delivers.
create or replace function release_order(
    p_shop_id bigint, p_order_id bigint, p_look boolean, p_now timestamptz
) returns text language plpgsql as $$
declare
    v_state text;
    v_policy text;
    v_takes jsonb;
begin
    select fulfilment_state, release_policy into v_state, v_policy
    from orders where shop_id = p_shop_id and id = p_order_id for no key update;
    if v_state is null or v_state not in ('waiting_for_release', 'reserved') or v_policy = 'delivered' then
        return v_state;
    end if;
    if not exists (
        select 1 from order_allocations a
        where a.shop_id = p_shop_id and a.order_id = p_order_id and a.status = 'committed'
    ) then
        select coalesce(jsonb_agg(jsonb_build_object(
            'variant_id', wanted.variant_id, 'quantity', wanted.quantity,
            'take', case when p_look then 'own_capped' else 'own' end) order by wanted.variant_id), '[]'::jsonb)
        into v_takes
        from order_demand(p_shop_id, p_order_id) wanted;
        assert fail_point('release_order:read');
        begin
            perform take_stock(p_shop_id, p_order_id, v_takes, p_now);
        exception when sqlstate 'CD001' then
            if v_state <> 'reserved' then
                perform move_order(p_shop_id, p_order_id, 'fulfilment', null, 'reserved', null, p_now);
            end if;
            return 'reserved';
        end;
        assert fail_point('release_order:taken');
    end if;
    perform move_order(p_shop_id, p_order_id, 'fulfilment', null, 'processing', null, p_now);
    assert fail_point('release_order:processing');
    perform queue_delivery(p_shop_id, 'dispatch', routes.route, p_order_id, null,
                           coalesce(c.kind = 'manual', false), p_now)
    from (select distinct p.route from order_parts p
          where p.shop_id = p_shop_id and p.order_id = p_order_id and p.route is not null) routes
    left join connectors c on c.shop_id = p_shop_id and c.name = routes.route;
    assert fail_point('release_order:moved');
    return 'processing';
end $$;
