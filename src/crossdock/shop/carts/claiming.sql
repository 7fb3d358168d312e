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
        assert fail_point('release_stale_holds:forgotten');
        perform release_all(p_shop_id, v_hold_ids, p_now);
    end if;
end $$;

-- Claim a cart for one checkout until p_until, and hold stock for it until p_held_until, all of it or none: p_wanted is
-- [{variant_id, quantity}]. Answers the holds in their order; null where the cart is not as it was read, at p_revision:
-- it was changed or ordered, another checkout has it, or one still holds stock for it. A claim is over at p_until, so
-- that one whose program died stops nobody for long. Raises CD001 with the shortages (see post_stock).
-- Sequential scans are off, for the reason given at write_order.
create or replace function claim_cart(
    p_shop_id bigint, p_cart_id uuid, p_revision bigint, p_wanted jsonb, p_until timestamptz, p_held_until timestamptz,
    p_now timestamptz
) returns bigint[] language plpgsql set enable_seqscan = off as $$
declare
    v_hold_ids bigint[] := '{}';
begin
    perform 1 from carts c
    where c.shop_id = p_shop_id and c.id = p_cart_id and c.revision = p_revision and c.order_id is null
      and (c.claimed_until is null or c.claimed_until <= p_now) and c.hold_ids = '{}'
    for no key update;
    if not found then
        return null;
    end if;
    if p_wanted <> '[]' then
        v_hold_ids := hold_all(p_shop_id, p_wanted, 'checkout', p_held_until, p_now);
        assert fail_point('claim_cart:held');
    end if;
    update carts c set claimed_until = p_until, revision = c.revision + 1, hold_ids = v_hold_ids
    where c.shop_id = p_shop_id and c.id = p_cart_id;
    assert fail_point('claim_cart:claimed');
    return v_hold_ids;
end $$;

-- Give a claim back, unless another checkout has the cart by now or it was ordered, and release what was held.
create or replace function unclaim_cart(
    p_shop_id bigint, p_cart_id uuid, p_revision bigint, p_hold_ids bigint[], p_now timestamptz
) returns void language plpgsql as $$
begin
    update carts c set claimed_until = null, hold_ids = '{}'
    where c.shop_id = p_shop_id and c.id = p_cart_id and c.revision = p_revision and c.order_id is null;
    assert fail_point('unclaim_cart:unclaimed');
    perform release_all(p_shop_id, p_hold_ids, p_now);
end $$;

-- Make the order of a cart that still is as the checkout claimed it, close the cart, and record both the approval of its
-- payment's authorisation, which the provider gave before, and the request to capture it, which the caller makes then;
-- p_attempt_id is null where there is nothing to pay. p_order is an OrderDraft; the outcome is place_order's, or `lost`
-- where another checkout has the cart by now. Unless it is `created`, nothing but the approval is written. The cart is
-- locked before the order's rows are.
-- Sequential scans are off, for the reason given at write_order.
create or replace function order_cart(
    p_shop_id bigint, p_cart_id uuid, p_revision bigint, p_order jsonb, p_attempt_id bigint, p_code text,
    p_capture_key text, p_look_up_at timestamptz, p_now timestamptz,
    out order_id bigint, out order_key text, out outcome text, out attempt_id bigint
) language plpgsql set enable_seqscan = off as $$
begin
    perform 1 from carts c
    where c.shop_id = p_shop_id and c.id = p_cart_id and c.revision = p_revision and c.order_id is null
    for no key update;
    if not found then
        outcome := 'lost';
        return;
    end if;
    if p_attempt_id is not null then
        perform record_answer(p_shop_id, p_attempt_id, true, p_code, '', p_now);
        assert fail_point('order_cart:approved');
    end if;
    select p.order_id, p.order_key, p.outcome into order_id, order_key, outcome from place_order(p_order, p_now) p;
    if outcome <> 'created' then
        return;
    end if;
    assert fail_point('order_cart:placed');
    update carts c set order_id = order_cart.order_id, claimed_until = null, hold_ids = '{}', updated_at = p_now
    where c.shop_id = p_shop_id and c.id = p_cart_id;
    assert fail_point('close_cart:ordered');
    delete from cart_lines l where l.shop_id = p_shop_id and l.cart_id = p_cart_id;
    assert fail_point('close_cart:emptied');
    if p_attempt_id is not null then
        attempt_id := ask_payment(p_shop_id, (p_order ->> 'payment_id')::bigint, 'capture',
                                  (p_order ->> 'total_minor')::bigint, p_capture_key, p_look_up_at, p_now);
    end if;
end $$;
