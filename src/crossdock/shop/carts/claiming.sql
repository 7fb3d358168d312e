-- Claim a cart for one checkout until p_until, and answer it as `cart_view` does; null where the partner has none.
-- One that is ordered, or claimed already, stays as it is: `claimed` is false.
create or replace function claim_cart(
    p_shop_id bigint, p_cart_id uuid, p_partner_id bigint, p_terms jsonb, p_until timestamptz, p_now timestamptz,
    out cart text, out claimed boolean
) language plpgsql as $$
begin
    perform 1 from carts c
    where c.shop_id = p_shop_id and c.id = p_cart_id and c.partner_id = p_partner_id for no key update;
    update carts c set claimed_until = p_until, revision = c.revision + 1
    where c.shop_id = p_shop_id and c.id = p_cart_id and c.partner_id = p_partner_id
      and c.order_id is null and (c.claimed_until is null or c.claimed_until <= p_now);
    claimed := found;
    cart := cart_view(p_shop_id, p_cart_id, p_partner_id, p_terms, p_now);
end $$;

-- A claimed cart becomes an order: whether it still was what the checkout claimed. It is emptied.
create or replace function close_cart(
    p_shop_id bigint, p_cart_id uuid, p_revision bigint, p_order_id bigint, p_now timestamptz
) returns boolean language plpgsql as $$
begin
    update carts c set order_id = p_order_id, claimed_until = null, hold_ids = '{}', updated_at = p_now
    where c.shop_id = p_shop_id and c.id = p_cart_id and c.revision = p_revision and c.order_id is null;
    if not found then
        return false;
    end if;
    assert fail_point('close_cart:ordered');
    delete from cart_lines l where l.shop_id = p_shop_id and l.cart_id = p_cart_id;
    return true;
end $$;
