-- Commit stock to an order. p_takes: rows of {variant_id, quantity, take, hold_id}. A row whose `take` is null takes
-- nothing; all rows of a variant have the same `take`:
--   own_capped  own pool, never below what is available
--   own         own pool, which may go below zero (backorder)
--   supplier    supplier pool, which may go below zero (backorder)
--   own_first   own pool while it lasts, the rest from the supplier pool (backorder)
--   serials     the oldest serials in stock, which are delivered at once
--   hold        the stock of the hold `hold_id`, which must match in variant and quantity and still be open
-- Answers the id of the event, null if nothing is taken.
create or replace function take_stock(p_shop_id bigint, p_order_id bigint, p_takes jsonb, p_now timestamptz)
returns bigint language plpgsql as $$
declare
    v_postings stock_posting[];
    v_is_special boolean := p_takes @? '$[*].take ? (@ == "serials" || @ == "own_first" || @ == "hold")';
begin
    if v_is_special and p_takes @? '$[*] ? (@.take == "serials")' then
        perform deliver_serials(p_shop_id, p_order_id, p_takes, p_now);
        return null;
    end if;
    if v_is_special and p_takes @? '$[*] ? (@.take == "own_first")' then
        perform lock_levels(p_shop_id, wanted.variant_id, wanted.pools)
        from (
            select x.variant_id, array_agg(distinct p.pool order by p.pool) as pools
            from jsonb_to_recordset(p_takes) as x (variant_id bigint, take text)
            cross join unnest(array['own', 'supplier']) as p (pool)
            where x.take = 'own_first' or (p.pool = 'supplier') = (x.take = 'supplier')
            group by x.variant_id order by x.variant_id
        ) wanted;
        assert fail_point('take_stock:locked');
    end if;

    select array_agg(row(t.variant_id, p.pool, 'commit', 0, 0, p.quantity, t.take = 'own_capped', null,
                         null)::stock_posting
                     order by t.variant_id, p.pool)
    into v_postings
    from (
        select x.variant_id, sum(x.quantity)::bigint as quantity, min(x.take) as take
        from jsonb_to_recordset(p_takes) as x (variant_id bigint, quantity bigint, take text)
        where x.take <> 'hold'
        group by x.variant_id
    ) t
    cross join lateral (
        select case t.take
               when 'supplier' then 0
               when 'own_first' then least(t.quantity, coalesce(greatest((
                   select l.available from stock_levels l
                   where l.shop_id = p_shop_id and l.variant_id = t.variant_id and l.pool = 'own'), 0), 0))
               else t.quantity end as quantity
    ) own
    cross join lateral (
        values ('own', own.quantity), ('supplier', t.quantity - own.quantity)
    ) p (pool, quantity)
    where p.quantity > 0;
    if v_postings is not null then
        insert into order_allocations (shop_id, order_id, variant_id, pool, quantity)
        select p_shop_id, p_order_id, p.variant_id, p.pool, p.committed from unnest(v_postings) as p;
        assert fail_point('take_stock:shares');
    end if;
    if v_is_special and p_takes @? '$[*] ? (@.take == "hold")' then
        v_postings := v_postings || convert_holds(p_shop_id, p_order_id, p_takes, p_now);
    end if;
    if v_postings is null then
        return null;
    end if;
    assert fail_point('take_stock:allocated');

    return post_entries(p_shop_id, v_postings, 'order placed', p_order_id, p_now);
end $$;

-- Deliver serials to the lines of an order while it is placed; the lines take nothing else. See take_serials.
create or replace function deliver_serials(p_shop_id bigint, p_order_id bigint, p_takes jsonb, p_now timestamptz)
returns void language plpgsql as $$
declare
    v_line record;
begin
    for v_line in
        select x.line_no, x.variant_id, x.quantity
        from jsonb_to_recordset(p_takes) as x (line_no smallint, variant_id bigint, quantity bigint)
        order by x.variant_id, x.line_no
    loop
        perform take_serials(p_shop_id, p_order_id, v_line.line_no, v_line.variant_id, v_line.quantity, p_now);
        assert fail_point('deliver_serials:taken');
    end loop;
    insert into order_allocations (shop_id, order_id, variant_id, pool, quantity, status, shipped)
    select p_shop_id, p_order_id, x.variant_id, 'own', sum(x.quantity), 'shipped', sum(x.quantity)
    from jsonb_to_recordset(p_takes) as x (variant_id bigint, quantity bigint) group by x.variant_id;
    assert fail_point('deliver_serials:allocated');
end $$;

-- Convert holds into an order's committed stock; returns the postings. Raises CD003 if a hold is gone, has expired,
-- or does not match its line.
create or replace function convert_holds(p_shop_id bigint, p_order_id bigint, p_takes jsonb, p_now timestamptz)
returns stock_posting[] language plpgsql as $$
declare
    v_holds jsonb := jsonb_path_query_array(p_takes, '$[*] ? (@.take == "hold")');
    v_postings stock_posting[];
begin
    with closed as (
        select * from close_holds(p_shop_id, v_holds, p_now)
    ), allocated as (
        insert into order_allocations as a (shop_id, order_id, variant_id, pool, quantity)
        select p_shop_id, p_order_id, variant_id, pool, sum(quantity) from closed group by variant_id, pool
        on conflict (shop_id, order_id, variant_id, pool) do update set quantity = a.quantity + excluded.quantity
    )
    select array_agg(row(variant_id, pool, 'commit', 0, -quantity, quantity, false, id, null)::stock_posting
                     order by variant_id, pool, id)
    into v_postings from closed;
    if coalesce(cardinality(v_postings), 0) <> jsonb_array_length(v_holds) then
        raise exception 'a hold of the order is not there any more' using errcode = 'CD003';
    end if;
    assert fail_point('convert_holds:closed');
    return v_postings;
end $$;
