-- Release what a checkout that died held for a cart that is not claimed any more. Before a checkout it is done in a
-- transaction of its own: who releases and then holds locks levels in two rounds, and two of them can wait for each
-- other.
create or replace function release_stale_holds(
    p_shop_id bigint, p_cart_id uuid, p_partner_id bigint, p_now timestamptz
) returns void language plpgsql as $$
declare
    v_hold_ids bigint[];
begin
    select c.hold_ids into v_hold_ids from carts c
    where c.shop_id = p_shop_id and c.id = p_cart_id and c.partner_id = p_partner_id and c.hold_ids <> '{}'
      and c.order_id is null and (c.claimed_until is null or c.claimed_until <= p_now)
    for no key update;
    if found then
        update carts c set hold_ids = '{}' where c.shop_id = p_shop_id and c.id = p_cart_id;
        perform release_all(p_shop_id, v_hold_ids, p_now);
    end if;
end $$;

-- Claim a cart for one checkout until p_until and answer the cart as `cart_view` does; null where the partner has
-- none. A cart that is ordered, that another checkout has, or for which one still holds stock, stays as it is:
-- `claimed` is false. A claim is over at p_until, so that one whose program died stops nobody for long.
create or replace function claim_cart(
    p_shop_id bigint, p_cart_id uuid, p_partner_id bigint, p_terms jsonb, p_until timestamptz, p_now timestamptz,
    out cart text, out claimed boolean
) language plpgsql as $$
begin
    update carts c set claimed_until = p_until, revision = c.revision + 1
    where c.shop_id = p_shop_id and c.id = p_cart_id and c.partner_id = p_partner_id
      and c.order_id is null and (c.claimed_until is null or c.claimed_until <= p_now) and c.hold_ids = '{}';
    claimed := found;
    assert fail_point('claim_cart:claimed');
    cart := cart_view(p_shop_id, p_cart_id, p_partner_id, p_terms, p_now);
end $$;

-- Keep what a checkout held for the cart that it has claimed.
create or replace function note_holds(p_shop_id bigint, p_cart_id uuid, p_hold_ids bigint[])
returns void language sql as $$
    update carts c set hold_ids = p_hold_ids where c.shop_id = p_shop_id and c.id = p_cart_id
$$;

-- Give a claim back, unless another checkout has the cart by now or it was ordered, and release what was held.
create or replace function unclaim_cart(
    p_shop_id bigint, p_cart_id uuid, p_revision bigint, p_hold_ids bigint[], p_now timestamptz
) returns void language plpgsql as $$
begin
    update carts c set claimed_until = null, hold_ids = '{}'
    where c.shop_id = p_shop_id and c.id = p_cart_id and c.revision = p_revision and c.order_id is null;
    perform release_all(p_shop_id, p_hold_ids, p_now);
end $$;

-- Whether the cart still is as the checkout claimed it; its row is locked before the order's are.
create or replace function lock_claimed_cart(p_shop_id bigint, p_cart_id uuid, p_revision bigint)
returns boolean language plpgsql as $$
begin
    perform 1 from carts c
    where c.shop_id = p_shop_id and c.id = p_cart_id and c.revision = p_revision and c.order_id is null
    for no key update;
    return found;
end $$;

-- The cart has become this order: it is emptied.
create or replace function close_cart(p_shop_id bigint, p_cart_id uuid, p_order_id bigint, p_now timestamptz)
returns void language plpgsql as $$
begin
    update carts c set order_id = p_order_id, claimed_until = null, hold_ids = '{}', updated_at = p_now
    where c.shop_id = p_shop_id and c.id = p_cart_id;
    assert fail_point('close_cart:ordered');
    delete from cart_lines l where l.shop_id = p_shop_id and l.cart_id = p_cart_id;
end $$;
