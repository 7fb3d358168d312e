-- Give committed events their sequence numbers. Only committed rows are seen here and the shop's
-- row is locked, so numbers are dense, and a reader of "after N" never skips or repeats one.
-- One by one, each by its key: a join of the events with themselves is planned for as few of them as there
-- were when the connection first did it, and took seconds for a thousand in a young shop.
create or replace function number_events(p_shop_id bigint, p_limit integer default 5000)
returns bigint language plpgsql set enable_seqscan = off as $$
declare
    v_base bigint;
    v_last bigint;
    v_id bigint;
begin
    select last_sequence into v_base from shops where id = p_shop_id for no key update;
    v_last := v_base;
    for v_id in
        select id from events where shop_id = p_shop_id and sequence is null order by id limit p_limit
    loop
        v_last := v_last + 1;
        update events set sequence = v_last where shop_id = p_shop_id and id = v_id;
        assert fail_point('number_events:numbered');
    end loop;
    if v_last > v_base then
        insert into event_topics as t (shop_id, topic, numbered)
        select p_shop_id, e.topic, count(*) from events e
        where e.shop_id = p_shop_id and e.sequence > v_base group by e.topic
        on conflict (shop_id, topic) do update set numbered = t.numbered + excluded.numbered;
        assert fail_point('number_events:counted');
        -- tidy: allow tables_have_one_writer because the counter is the shop's row, which numbering locks
        update shops set last_sequence = v_last where id = p_shop_id;
    end if;
    return v_last - v_base;
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
        assert fail_point('number_all_events:shop');
    end loop;
    return v_total;
end $$;

-- How many events of these topics are visible in this snapshot. Every change that a topic tells of writes one
-- in its own transaction, so equal versions mean equal content.
create or replace function topic_version(p_shop_id bigint, variadic p_topics text[])
returns bigint language sql stable as $$
    select coalesce((select sum(t.numbered) from event_topics t
                     where t.shop_id = p_shop_id and t.topic = any(p_topics)), 0)::bigint
           + (select count(*) from events e
              where e.shop_id = p_shop_id and e.sequence is null and e.topic = any(p_topics))
$$;

-- The version of what callers are told of goods: their texts, prices, and whether they can be bought.
create or replace function catalogue_version(p_shop_id bigint) returns bigint language sql stable as $$
    select topic_version(p_shop_id, 'catalogue', 'price', 'stock')
$$;
