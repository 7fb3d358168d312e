-- Give an owner an image: the id that it has for these bytes, a new one if it has none.
-- p_file: {place, format, width, height, color, size_bytes}, files that were written; null looks whether the shop has
-- the bytes already. No row where it has not. If the shop got the same bytes meanwhile, its files stay and those of
-- p_file are left over. Raises CD061 where other bytes have this checksum, CD062 for a new image of a partner who has
-- p_unused_max that nothing refers to.
create or replace function keep_image(
    p_shop_id bigint, p_partner_id bigint, p_checksum text, p_digest bytea, p_file jsonb,
    p_unused_max bigint, p_now timestamptz
) returns table (
    id bigint, checksum text, format text, width integer, height integer, color text, partner_id bigint,
    size_bytes integer
) language plpgsql as $$
#variable_conflict use_column
declare
    v_file image_files;
    v_id bigint;
begin
    if p_partner_id is not null
       and not exists (select from images i where i.shop_id = p_shop_id and i.partner_id = p_partner_id
                       and i.checksum = p_checksum)
       and (select count(*) from images i where i.shop_id = p_shop_id and i.partner_id = p_partner_id
            and not i.is_used) >= p_unused_max then
        raise exception 'partner % has % unused images', p_partner_id, p_unused_max using errcode = 'CD062';
    end if;
    loop
        if p_file is not null then
            insert into image_files (shop_id, checksum, digest, place, format, width, height, color, size_bytes,
                                     created_at)
            select p_shop_id, p_checksum, p_digest, f.place, f.format, f.width, f.height, f.color, f.size_bytes, p_now
            from jsonb_to_record(p_file) as f (
                place text, format text, width integer, height integer, color text, size_bytes integer)
            on conflict do nothing;
            assert fail_point('keep_image:file');
        end if;
        -- Waits for a purge of the row, and keeps the next one away.
        select f.* into v_file from image_files f
        where f.shop_id = p_shop_id and f.checksum = p_checksum for key share;
        exit when found;
        if p_file is null then
            return;
        end if;
    end loop;
    if exists (select from image_files f where f.checksum = p_checksum and f.digest <> p_digest) then
        raise exception 'other bytes have the checksum %', p_checksum using errcode = 'CD061';
    end if;
    delete from image_leftovers l where l.place = v_file.place;
    assert fail_point('keep_image:kept');
    insert into images as i (shop_id, partner_id, checksum, unused_since)
    values (p_shop_id, p_partner_id, p_checksum, p_now)
    on conflict (shop_id, partner_id, checksum) do update set unused_since = excluded.unused_since
    returning i.id into v_id;
    return query select v_id, v_file.checksum::text, v_file.format, v_file.width, v_file.height,
                        v_file.color::text, p_partner_id, v_file.size_bytes;
end $$;

-- Delete images that nothing has referred to since p_before, of at most p_limit, and contents without any image; their
-- files are left over. A shop's own image is in use while a product shows it, or while it is the shop's logo. Returns how many images
-- were looked at, and how many went. A content is locked before its images, as an upload of the same bytes locks it.
create or replace function purge_images(
    p_before timestamptz, p_now timestamptz, p_limit integer, out looked integer, out gone integer
) language plpgsql as $$
declare
    v_ids bigint[];
    v_shown bigint[];
    v_shops bigint[];
    v_checksums text[];
begin
    select array_agg(c.id) into v_ids from (
        select i.id from images i join image_files f on f.shop_id = i.shop_id and f.checksum = i.checksum
        where i.unused_since < p_before and not i.is_used
        order by i.unused_since limit p_limit for update of f skip locked
    ) c;
    looked := coalesce(cardinality(v_ids), 0);
    gone := 0;
    if looked = 0 then
        return;
    end if;
    select coalesce(array_agg(s.id), '{}') into v_shown from (
        select i.id
        from products p cross join jsonb_array_elements(p.images) e
        join images i on i.shop_id = p.shop_id and i.id = (e.value #>> '{media,id}')::bigint
        where p.shop_id in (select k.shop_id from images k where k.id = any(v_ids) and k.partner_id is null)
          and e.value ? 'media' and i.id = any(v_ids)
        union
        select i.id from images i join shops o on o.id = i.shop_id and starts_with(o.logo, i.checksum)
        where i.id = any(v_ids) and i.partner_id is null
    ) s;
    update images i set unused_since = p_now where i.id = any(v_shown);
    assert fail_point('purge_images:shown');
    with lost as (
        delete from images i
        where i.id = any(v_ids) and i.id <> all(v_shown) and i.unused_since < p_before and not i.is_used
        returning i.shop_id, i.checksum
    )
    select count(*), array_agg(l.shop_id), array_agg(l.checksum::text) into gone, v_shops, v_checksums from lost l;
    assert fail_point('purge_images:images');
    delete from image_files f using unnest(v_shops, v_checksums) as l (shop_id, checksum)
    where f.shop_id = l.shop_id and f.checksum = l.checksum
      and not exists (select from images i where i.shop_id = f.shop_id and i.checksum = f.checksum);
end $$;

-- Delete videos that no product has had since p_before, of at most p_limit; their files are left over, and their covers
-- are unused from now on. One that a product has gets another term.
create or replace function purge_videos(
    p_before timestamptz, p_now timestamptz, p_limit integer, out looked integer, out gone integer
) language plpgsql as $$
declare
    v_ids bigint[];
    v_covers bigint[];
begin
    select array_agg(c.id) into v_ids from (
        select v.id from videos v where v.unused_since < p_before
        order by v.unused_since limit p_limit for update skip locked
    ) c;
    looked := coalesce(cardinality(v_ids), 0);
    gone := 0;
    if looked = 0 then
        return;
    end if;
    update videos v set unused_since = p_now
    where v.id = any(v_ids) and exists (
        select from products p
        where p.shop_id = v.shop_id and (p.video #>> '{media,id}')::bigint = v.id and p.video ? 'media');
    assert fail_point('purge_videos:shown');
    with lost as (
        delete from videos v where v.id = any(v_ids) and v.unused_since < p_before returning v.cover_id
    )
    select count(*), array_agg(l.cover_id) into gone, v_covers from lost l;
    assert fail_point('purge_videos:videos');
    update images i set is_used = false, unused_since = p_now
    where i.id = any(v_covers) and not exists (
        select from videos v where v.shop_id = i.shop_id and v.cover_id = i.id);
end $$;
