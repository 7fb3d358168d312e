-- Give committed events their sequence numbers. Only committed rows are seen here and the shop's
-- row is locked, so numbers are dense, and a reader of "after N" never skips or repeats one.
create or replace function number_events(p_shop_id bigint, p_limit integer default 5000)
returns bigint language plpgsql as $$
declare
    v_base bigint;
    v_count bigint;
begin
    select last_sequence into v_base from shops where id = p_shop_id for no key update;
    with pending as (
        select e.id, row_number() over (order by e.id) as rank
        from (select id from events where shop_id = p_shop_id and sequence is null order by id limit p_limit) e
    ), numbered as (
        update events e set sequence = v_base + p.rank
        from pending p where e.shop_id = p_shop_id and e.id = p.id
        returning 1
    )
    select count(*) into v_count from numbered;
    if v_count > 0 then
        update shops set last_sequence = v_base + v_count where id = p_shop_id;
    end if;
    return v_count;
end $$;

create or replace function number_all_events(p_limit integer default 5000)
returns bigint language plpgsql as $$
declare
    v_shop_id bigint;
    v_total bigint := 0;
begin
    for v_shop_id in select id from shops where exists (
        select 1 from events e where e.shop_id = shops.id and e.sequence is null) order by id
    loop
        v_total := v_total + number_events(v_shop_id, p_limit);
    end loop;
    return v_total;
end $$;

-- How many events of the shop are visible in this snapshot. Every change of catalogue or stock
-- writes one in its own transaction, so equal versions mean equal content.
create or replace function shop_version(p_shop_id bigint) returns bigint language sql stable as $$
    select s.last_sequence + (select count(*) from events e where e.shop_id = s.id and e.sequence is null)
    from shops s where s.id = p_shop_id
$$;
