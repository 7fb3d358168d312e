-- The products that a partner may sell now or later, and that match: of a merchant it sees, with a variant that has a
-- price in its currency. Whether a variant has a price does not depend on the moment: none is listed without a retail
-- price. A filter that is null is none. One `select`, which the planner puts in place of the call.
create or replace function assorted(
    p_shop_id bigint, p_merchant_ids bigint[], p_currency char(3), p_created_from timestamptz,
    p_created_to timestamptz, p_updated_from timestamptz, p_updated_to timestamptz, p_enabled boolean,
    p_category_ids bigint[]
) returns setof products language sql stable as $$
    select p.* from products p join merchants m on m.shop_id = p.shop_id and m.id = p.merchant_id
    where p.shop_id = p_shop_id and sees_merchant(p_merchant_ids, p.merchant_id)
      and exists (select 1 from variants x where x.shop_id = p.shop_id and x.product_id = p.id
                  and x.currency = p_currency and x.retail_minor is not null)
      and p.created_at between coalesce(p_created_from, '-infinity') and coalesce(p_created_to, 'infinity')
      and p.updated_at between coalesce(p_updated_from, '-infinity') and coalesce(p_updated_to, 'infinity')
      and (p_enabled is null or (p.enabled and m.enabled) = p_enabled)
      and (p_category_ids is null or exists (
          select 1 from product_categories pc where pc.shop_id = p.shop_id and pc.product_id = p.id
            and pc.category_id = any(p_category_ids)))
$$;

-- The ids of up to p_size of them between two places, from the newest on, or with p_is_last from the oldest. Planned for
-- each call: whether few of many products match decides how they are found, and no plan is good for both.
create or replace function assorted_page(
    p_shop_id bigint, p_merchant_ids bigint[], p_currency char(3), p_created_from timestamptz,
    p_created_to timestamptz, p_updated_from timestamptz, p_updated_to timestamptz, p_enabled boolean,
    p_category_ids bigint[], p_after_time timestamptz, p_after_id bigint, p_before_time timestamptz,
    p_before_id bigint, p_size integer, p_is_last boolean
) returns bigint[] language plpgsql stable set plan_cache_mode = force_custom_plan as $$
begin
    if p_is_last then
        return array(
            select p.id from assorted(p_shop_id, p_merchant_ids, p_currency, p_created_from, p_created_to,
                                      p_updated_from, p_updated_to, p_enabled, p_category_ids) p
            where (p.created_at, p.id) < (p_after_time, p_after_id)
              and (p.created_at, p.id) > (p_before_time, p_before_id)
            order by p.created_at, p.id limit p_size);
    end if;
    return array(
        select p.id from assorted(p_shop_id, p_merchant_ids, p_currency, p_created_from, p_created_to,
                                  p_updated_from, p_updated_to, p_enabled, p_category_ids) p
        where (p.created_at, p.id) < (p_after_time, p_after_id) and (p.created_at, p.id) > (p_before_time, p_before_id)
        order by p.created_at desc, p.id desc limit p_size);
end $$;

-- Products with these ids as a partner gets them, in that order: the JSON of AssortedProduct (assortment.py), of which
-- p_parts are told. Whether the partner sees a product, the caller has decided; its variants and prices are those of
-- offers (offers.sql), and a quantity is what the origin rule shows: what is not sold to the partner is none.
-- In plpgsql and with one plan for all values, because planning takes longer than reading: every row is found by its
-- key, whoever asks and for however many.
create or replace function assorted_products(
    p_shop_id bigint, p_merchant_ids bigint[], p_currency char(3), p_price_list_id bigint, p_backorder boolean,
    p_own_requires_stock boolean, p_now timestamptz, p_product_ids bigint[], p_parts text[]
) returns setof text language plpgsql stable set plan_cache_mode = force_generic_plan as $$
begin
    return query
    select '{' || concat_ws(',', own.fields, texts.fields, shipping.fields, images.fields, categories.fields,
                            variants.fields) || '}'
    from unnest(p_product_ids) with ordinality wanted (id, place)
    join products p on p.shop_id = p_shop_id and p.id = wanted.id
    join merchants m on m.shop_id = p.shop_id and m.id = p.merchant_id
    cross join lateral (select fields_of(json_build_object(
        'id', p.id, 'handle', p.handle, 'name', p.name, 'brand', p.brand, 'tags', p.tags,
        'enabled', p.enabled and m.enabled, 'own_enabled', p.enabled, 'target_users', p.target_users,
        'merchant_id', m.id, 'merchant', m.name, 'created_at', p.created_at, 'updated_at', p.updated_at)) as fields) own
    cross join lateral (select case when 'texts' = any(p_parts) then fields_of(json_build_object(
        'description', p.description, 'attributes', p.attributes, 'features', p.features)) end as fields) texts
    cross join lateral (select case when 'shipping' = any(p_parts) then fields_of(json_build_object(
        'shipping_each_minor', p.shipping_minor, 'free_shipping', is_shipped_free(p),
        'shipping_days', p.shipping_days, 'shipping_terms', p.shipping_terms,
        'ships_to', countries_served(p))) end as fields) shipping
    cross join lateral (select case when 'images' = any(p_parts) then fields_of(json_build_object(
        'images', p.images, 'video', p.video)) end as fields) images
    cross join lateral (select case when 'categories' = any(p_parts) then '"categories":' || coalesce((
        select json_agg(json_build_object('id', c.id, 'path', (
            select json_agg(k.name order by k.depth) from categories k
            where k.shop_id = c.shop_id and k.id = any(c.id_path))) order by c.depth desc, c.id)
        from product_categories pc join categories c on c.shop_id = pc.shop_id and c.id = pc.category_id
        where pc.shop_id = p.shop_id and pc.product_id = p.id)::text, '[]') end as fields) categories
    cross join lateral (select case when 'variants' = any(p_parts) then '"variants":' || coalesce((
        select json_agg(json_build_object(
            'id', o.id, 'sku', o.sku, 'name', o.name, 'options', v.options, 'attributes', v.attributes,
            'image', o.image, 'weight_g', o.weight_g, 'length_mm', v.length_mm, 'width_mm', v.width_mm,
            'height_mm', v.height_mm, 'upc', o.upc, 'enabled', v.listed, 'price_minor', o.price_minor,
            'own_enabled', v.enabled and p.enabled, 'retail_minor', o.retail_minor, 'created_at', v.created_at,
            'updated_at', v.updated_at,
            'quantity', case when o.allowed and o.listed then coalesce(o.quantity, o.shown) else 0 end)
            order by o.place, o.id)
        from offers(p_shop_id, p_merchant_ids, p_currency, p_price_list_id, p_backorder, p_own_requires_stock,
                    p_now) o
        join variants v on v.shop_id = p_shop_id and v.id = o.id
        where o.product_id = p.id and v.currency = p_currency and o.retail_minor is not null)::text, '[]')
        end as fields) variants
    order by wanted.place;
end $$;

-- The fields of an object of JSON without its braces.
create or replace function fields_of(p_object json) returns text language sql immutable parallel safe as $$
    select left(substr(p_object::text, 2), -1)
$$;
