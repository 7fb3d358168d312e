-- Change a cart's lines and answer it as `cart_view` does; null where the partner has no such cart.
-- p_items: [{variant_id | kind, text, quantity}], items of one variant count as their sum. Set: a line has the asked
-- quantity, 0 takes it away. p_adds: the line has so many more. What the partner cannot buy now is skipped and leaves
-- a line of it as it is; a quantity above p_line_max, or above what can be bought, is lowered to it.
-- p_clears takes all lines away first. The cart's row is locked, so changes of one cart wait for each other.
-- An ordered cart, and one that a checkout has claimed, stays as it is: the answer tells. What a checkout that died
-- held for it is released first, so that it does not lower the quantities.
-- Raises CD022 where the cart would have more than p_lines_max lines.
create or replace function change_cart(
    p_shop_id bigint, p_cart_id uuid, p_partner_id bigint, p_terms jsonb, p_items jsonb, p_adds boolean,
    p_clears boolean, p_line_max bigint, p_lines_max bigint, p_expires_at timestamptz, p_empty_expires_at timestamptz,
    p_now timestamptz
) returns text language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    v_cart carts;
    v_lines bigint;
begin
    select c.* into v_cart from carts c
    where c.shop_id = p_shop_id and c.id = p_cart_id and c.partner_id = p_partner_id for no key update;
    if not found or v_cart.order_id is not null or v_cart.claimed_until > p_now then
        return cart_view(p_shop_id, p_cart_id, p_partner_id, p_terms, p_now);
    end if;
    perform release_stale_holds(p_shop_id, p_cart_id, p_partner_id, p_now);
    assert fail_point('change_cart:released');
    if p_clears then
        delete from cart_lines l where l.shop_id = p_shop_id and l.cart_id = p_cart_id;
    elsif not p_adds then
        delete from cart_lines l
        using cart_items(p_shop_id, p_terms, p_items) a
        where l.shop_id = p_shop_id and l.cart_id = p_cart_id and l.variant_id = a.variant_id and a.quantity = 0;
    end if;
    assert fail_point('change_cart:taken_away');
    insert into cart_lines as l (shop_id, cart_id, variant_id, quantity, added_at, updated_at)
    select p_shop_id, p_cart_id, a.variant_id,
           least(a.quantity + case when p_adds then coalesce(old.quantity, 0) else 0 end, p_line_max,
                 coalesce(o.quantity, p_line_max)), p_now, p_now
    from cart_items(p_shop_id, p_terms, p_items) a
    left join cart_lines old
      on old.shop_id = p_shop_id and old.cart_id = p_cart_id and old.variant_id = a.variant_id
    cross join lateral (
        select f.quantity
        from offers(p_shop_id, jsonb_to_bigints(p_terms -> 'merchants'), v_cart.currency,
                    (p_terms ->> 'price_list')::bigint, (p_terms ->> 'backorder')::boolean,
                    (p_terms ->> 'own_requires_stock')::boolean, p_now) f
        where f.id = a.variant_id and f.visible and f.allowed and coalesce(f.quantity, 1) > 0
        limit 1
    ) o
    where a.quantity > 0
    order by a.place
    on conflict (shop_id, cart_id, variant_id) do update set quantity = excluded.quantity, updated_at = p_now
    where l.quantity <> excluded.quantity;
    assert fail_point('change_cart:lines');

    select count(*) into v_lines from cart_lines l where l.shop_id = p_shop_id and l.cart_id = p_cart_id;
    if v_lines > p_lines_max then
        raise exception 'the cart would have % lines', v_lines using errcode = 'CD022';
    end if;
    update carts c
    set revision = c.revision + 1, updated_at = p_now,
        expires_at = case when v_lines = 0 then p_empty_expires_at else p_expires_at end
    where c.shop_id = p_shop_id and c.id = p_cart_id;
    return cart_view(p_shop_id, p_cart_id, p_partner_id, p_terms, p_now);
end $$;

-- Delete a cart and release what a checkout that died held for it. Answers whether it did: false where a checkout has
-- the cart, null where the partner has none.
create or replace function delete_cart(p_shop_id bigint, p_cart_id uuid, p_partner_id bigint, p_now timestamptz)
returns boolean language plpgsql as $$
declare
    v_cart carts;
begin
    select c.* into v_cart from carts c
    where c.shop_id = p_shop_id and c.id = p_cart_id and c.partner_id = p_partner_id for update;
    if not found then
        return null;
    end if;
    if v_cart.claimed_until > p_now then
        return false;
    end if;
    perform release_stale_holds(p_shop_id, p_cart_id, p_partner_id, p_now);
    assert fail_point('delete_cart:released');
    delete from carts c where c.shop_id = p_shop_id and c.id = p_cart_id;
    return true;
end $$;

-- The variants of a request, each once, with the sum of its quantities and the place of its first item.
create or replace function cart_items(p_shop_id bigint, p_terms jsonb, p_items jsonb)
returns table (variant_id bigint, quantity bigint, place bigint) language sql stable as $$
    select named.variant_id, sum(named.quantity)::bigint, min(named.place)
    from (
        select coalesce((x.item ->> 'variant_id')::bigint, variant_named(
                   p_shop_id, jsonb_to_bigints(p_terms -> 'merchants'), x.item ->> 'kind', x.item ->> 'text'))
                   as variant_id,
               (x.item ->> 'quantity')::bigint as quantity, x.place
        from jsonb_array_elements(p_items) with ordinality as x (item, place)
    ) named
    where named.variant_id is not null
    group by named.variant_id
$$;
