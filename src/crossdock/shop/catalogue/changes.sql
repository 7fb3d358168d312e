-- What changed in the goods of a shop since a reader last asked: it had read the events up to number p_last, and those
-- of p_seen, which had no number yet.
--   version      of this moment
--   last         the number of the last event that has one; unnumbered: the ids of the others of these topics
--   count        how many events are new to the reader, at most p_most; in the snapshot of the version, so that it has
--                missed none where its version and this number make the new version
--   listed       whether products may have come, gone or moved in lists: something of the catalogue itself changed
--   everything   whether any product may be another one now; else products has those that may be
--   changes_at   when a price next changes by the clock alone: a sale, a promotion or a coupon begins or ends
create or replace function goods_changes(
    p_shop_id bigint, p_last bigint, p_seen bigint[], p_most integer, p_now timestamptz
) returns table (
    version bigint, last bigint, unnumbered bigint[], count bigint, listed boolean, everything boolean,
    products bigint[], changes_at timestamptz
) language sql stable as $$
    with news as materialized (
        select n.kind, n.topic, n.payload from (
            select e.id, e.kind, e.topic, e.payload from events e
            where e.shop_id = p_shop_id and e.sequence > p_last and e.topic in ('catalogue', 'price', 'stock')
            union all
            select e.id, e.kind, e.topic, e.payload from events e
            where e.shop_id = p_shop_id and e.sequence is null and e.topic in ('catalogue', 'price', 'stock')
        ) n
        where n.id <> all (p_seen) limit p_most
    ), variants_changed as (
        select (l.value ->> 0)::bigint as id
        from news n, jsonb_array_elements(n.payload -> 'levels') l where n.kind = 'stock.changed'
        union
        select x.value::bigint
        from news n, jsonb_array_elements_text(n.payload -> 'variant_ids') x where n.kind = 'price.changed'
    )
    select catalogue_version(p_shop_id), s.last_sequence,
           array(select e.id from events e where e.shop_id = p_shop_id and e.sequence is null
                   and e.topic in ('catalogue', 'price', 'stock')),
           (select count(*) from news),
           (select coalesce(bool_or(n.topic = 'catalogue'), false) from news n),
           (select coalesce(bool_or(case n.kind
                when 'catalogue.changed' then n.payload -> 'product_ids' = '[]'
                when 'coupon.changed' then n.payload ->> 'product_id' is null
                else n.kind not in ('price.changed', 'stock.changed') end), false) from news n),
           array(
               select v.product_id from variants_changed c
               join variants v on v.shop_id = p_shop_id and v.id = c.id
               union
               select x.value::bigint from news n, jsonb_array_elements_text(n.payload -> 'product_ids') x
               where n.kind = 'catalogue.changed'
               union
               select (n.payload ->> 'product_id')::bigint from news n
               where n.kind = 'coupon.changed' and n.payload ->> 'product_id' is not null),
           least(
               (select min(v.sale_starts_at) from variants v where v.shop_id = p_shop_id and v.sale_starts_at > p_now),
               (select min(v.sale_ends_at) from variants v where v.shop_id = p_shop_id and v.sale_ends_at > p_now),
               (select min(q.starts_at) from promotions q where q.shop_id = p_shop_id and q.starts_at > p_now),
               (select min(q.ends_at) from promotions q where q.shop_id = p_shop_id and q.ends_at > p_now),
               (select min(q.starts_at) from coupons q
                where q.shop_id = p_shop_id and q.enabled and q.given = 'price' and q.starts_at > p_now),
               (select min(q.ends_at) from coupons q
                where q.shop_id = p_shop_id and q.enabled and q.given = 'price' and q.ends_at > p_now))
    from shops s where s.id = p_shop_id
$$;
