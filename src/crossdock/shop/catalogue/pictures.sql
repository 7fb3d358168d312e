-- A product's pictures after a write: the new ones, with what is known of those that the shop holds itself, and those
-- that staff added, which no source knows: the ones before the first of the source stay before it.
create or replace function kept_pictures(p_new jsonb, p_old jsonb) returns jsonb language sql immutable as $$
    with old as (
        select o.value as picture, o.ordinality as place, o.value ->> 'url' as url, o.value ? 'added' as is_added
        from jsonb_array_elements(p_old) with ordinality o
    ), known as (
        select distinct on (url) url, jsonb_strip_nulls(jsonb_build_object(
                   'media', picture -> 'media', 'added', picture -> 'added')) as facts
        from old order by url, place
    ), shown as (
        select n.value || coalesce(k.facts, '{}') as picture, 1 as part, n.ordinality as place
        from jsonb_array_elements(p_new) with ordinality n left join known k on k.url = n.value ->> 'url'
        union all
        select o.picture,
               case when o.place < coalesce((select min(s.place) from old s where not s.is_added), 1) then 0 else 2 end,
               o.place
        from old o
        where o.is_added and not exists (
            select from jsonb_array_elements(p_new) n where n.value ->> 'url' = o.url)
    )
    select coalesce(jsonb_agg(picture order by part, place), '[]') from shown
$$;

-- Write into the products that show an address what is known of its image. p_found: [{product_id, url, media}].
-- Returns the ids of the products that changed.
create or replace function hold_pictures(p_shop_id bigint, p_found jsonb, p_now timestamptz)
returns table (product_id bigint) language sql as $$
    with found as (
        select f.product_id, f.url, f.media
        from jsonb_to_recordset(p_found) as f (product_id bigint, url text, media jsonb)
    )
    update products p set images = changed.images, updated_at = p_now
    from (
        select r.id, jsonb_agg(case when f.media is null then e.value else e.value || jsonb_build_object(
                   'media', f.media) end order by e.ordinality) as images
        from products r cross join jsonb_array_elements(r.images) with ordinality e
        left join found f on f.product_id = r.id and f.url = e.value ->> 'url'
        where r.shop_id = p_shop_id and r.id in (select x.product_id from found x)
        group by r.id
    ) changed
    where p.shop_id = p_shop_id and p.id = changed.id and p.images is distinct from changed.images
    returning p.id
$$;

-- Write into the products that show the address of a video what is known of it. p_found: [{product_id, url, media}].
-- Returns the ids of the products that changed.
create or replace function hold_videos(p_shop_id bigint, p_found jsonb, p_now timestamptz)
returns table (product_id bigint) language sql as $$
    update products p set video = p.video || jsonb_build_object('media', f.media), updated_at = p_now
    from jsonb_to_recordset(p_found) as f (product_id bigint, url text, media jsonb)
    where p.shop_id = p_shop_id and p.id = f.product_id and p.video ->> 'url' = f.url
      and p.video -> 'media' is distinct from f.media
    returning p.id
$$;
