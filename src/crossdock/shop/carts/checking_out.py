"""Check a cart out: one order of many merchants' parts, its stock held and its total authorised before.

| step | in one transaction | if the program dies after it |
|---|---|---|
| read | its lines are checked; what an earlier checkout that died held for it is released before | nothing is held |
| claim | the cart is claimed as it was read, its stock held | claim and holds run out |
| tax | - | the same |
| authorise | the request; the answer waits for the order | the run that settles payments looks it up and voids it |
| place | its answer, order, parts, stock, ledger, event; the cart is closed, the capture asked for | the run captures |
| capture | - (see payments) | the run looks the answer up |
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from crossdock.errors import Conflict, CrossdockError, DatabaseUnavailable, Refused
from crossdock.shop.carts.carts import (
    Carts,
    busy,
    lower_cart,
    read_raw,
    refuse_taken,
)
from crossdock.shop.carts.model import CartLine, CartView
from crossdock.shop.carts.ordering import Bill, bill_of
from crossdock.shop.carts.requiring import refused_as_short, require_currency, require_lines
from crossdock.shop.customers import Address
from crossdock.shop.orders import (
    ORDER_FOLLOWS,
    Identity,
    OrderDraft,
    Take,
    refusing_draft,
    require_billing,
    require_shipping,
    take_of,
)
from crossdock.shop.partners import Partner
from crossdock.shop.payments import (
    Approval,
    Asked,
    Card,
    Paying,
    ask_approval,
    capture_asked,
    capture_question,
    look_up_at,
    provider_for,
    record_approval,
    void,
)
from crossdock.shop.pricing import Destination, Taxes
from crossdock.shop.stock import refusing_shortage

NAMESPACE = "cart"
CLAIM_S = 120
_CLAIM_TRIES = 3
HOLD_S = 600
CAPTURE_AFTER_S = 60
"""How long whoever places the order has for capturing it before the run that settles payments does."""


class CheckingOut(msgspec.Struct, frozen=True, kw_only=True):
    """The dependencies of checking out, set once in compose.py."""

    carts: Carts
    paying: Paying
    taxes: Taxes


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """What a shopper gives to buy a cart. The card goes to the provider and is kept nowhere.

    With `expected_total_minor` another total is refused instead of charged, with `currency` a cart in
    another one. `accepted` are quantities by variant that the shopper was shown: where just that is left
    of a line, it is bought. `channel_data` is the channel's own, opaque to the core.
    """

    cart_id: str
    billing: Address
    shipping: Address
    card: Card
    provider: str
    source: str
    language: str = ""
    comments: str = ""
    is_test: bool = False
    currency: str = ""
    expected_total_minor: int | None = None
    accepted: Mapping[int, int] = {}
    channel_data: Any = {}


class CheckedOut(msgspec.Struct, frozen=True, kw_only=True):
    """The order that a cart became.

    Its payment is `paid`; or `authorised` where the provider did not answer or refused to capture: then
    it is settled later, or an alert tells staff.
    """

    order_id: int
    order_key: str
    total_minor: int
    payment_state: str


class _Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A cart that this checkout alone has, with its stock held: `holds` by variant."""

    partner: Partner
    cart: CartView
    holds: dict[int, int]


LineData = Callable[[CartView, CartLine], Mapping[str, Any]]
"""What a channel keeps with a line of the order."""


def no_line_data(_cart: CartView, _line: CartLine) -> Mapping[str, Any]:
    """What a channel keeps with a line that it has nothing to keep with."""
    return {}


async def check_out(
    service: CheckingOut,
    *,
    partner: Partner,
    checkout: Checkout,
    line_data: LineData = no_line_data,
) -> CheckedOut:
    """Make an order of the cart and pay it: all of it, or nothing (core.md, 'Payments').

    The order has a part for each merchant, with its shipping, tax and commission; it goes to the
    merchant's connector. `line_data` is what the channel keeps with each line.

    Raises Invalid `invalid_input` for an unknown provider, and with the cart's `currency` for another one
    than it has; NotFound `cart_not_found`;
    Conflict `cart_ordered` with the `order_id` for a cart that was
    checked out before; Unavailable `busy` while another checkout has it; Refused `cart_empty`,
    `billing_incomplete` and `shipping_incomplete` with the `fields`, `order_amount_not_allowed`,
    `stock_limit_exceeded` with the `lines` that are short (the cart is then lowered to what there is);
    Conflict `cart_changed` with the `total_minor` for another total than expected, and where a coupon that
    made its prices was used up meanwhile; Refused
    `payment_declined`, Unavailable `payment_unsettled`. Nothing stays held or authorised then.
    """
    provider = provider_for(service.paying.providers, checkout.provider, is_test=checkout.is_test)
    require_billing(checkout.billing)
    require_shipping(checkout.shipping)
    try:
        claimed = await _claim(service, partner=partner, checkout=checkout)
    except Refused as refusal:
        if refusal.code == "stock_limit_exceeded":
            with contextlib.suppress(CrossdockError):
                await lower_cart(service.carts, partner=partner, cart_id=checkout.cart_id)
        raise
    try:
        bill = await _bill(service, claimed, checkout)
        approval = await _authorise(service, claimed, checkout, bill=bill, provider=provider)
    except CrossdockError:
        await _let_go(service, claimed)
        raise
    try:
        draft = _draft(
            service, claimed, checkout, bill=bill, approval=approval, line_data=line_data
        )
    except Exception:  # such as one of the channel's own line_data
        await _undo(service, claimed, approval=approval)
        raise
    try:
        checked_out, asked = await _place(service, claimed, draft=draft, approval=approval)
    except DatabaseUnavailable:
        raise  # it may have been placed: what was not is let go of by the runs for holds and payments
    except CrossdockError as error:
        await _undo(service, claimed, approval=approval)
        if error.code == "coupon_refused":
            raise Conflict("cart_changed", "A coupon was used up meanwhile.") from error
        raise
    if asked is None:
        return checked_out
    return await _captured(service, checked_out, asked=asked, provider=provider)


async def _claim(service: CheckingOut, *, partner: Partner, checkout: Checkout) -> _Claimed:
    carts = service.carts
    for _ in range(_CLAIM_TRIES):
        now = carts.clock.now()
        raw = await read_raw(carts, partner=partner, cart_id=checkout.cart_id, now=now)
        refuse_taken(raw, now=now)
        cart = raw.seen(line_max=carts.rules.line_max)
        require_currency(cart, currency=checkout.currency)
        require_lines(cart, partner=partner, accepted=checkout.accepted)
        held = [line for line in cart.lines if _take(line, partner=partner) == "hold"]
        hold_ids = await _hold(service, cart, held, shop_id=partner.shop_id)
        if hold_ids is not None:
            claimed = msgspec.structs.replace(cart, revision=cart.revision + 1)
            holds = {line.variant_id: hold for line, hold in zip(held, hold_ids, strict=True)}
            return _Claimed(partner=partner, cart=claimed, holds=holds)
    raise busy()


async def _hold(
    service: CheckingOut, cart: CartView, lines: Sequence[CartLine], *, shop_id: int
) -> list[int] | None:
    """Claim the cart and hold the stock of these lines; None where it is not as it was read any more."""
    now = service.carts.clock.now()
    wanted = [{"variant_id": line.variant_id, "quantity": line.quantity} for line in lines]
    try:
        async with service.carts.db.statement() as tx:
            with refusing_shortage():
                hold_ids: list[int] | None = await tx.value(
                    "select claim_cart(%s, %s, %s, %s::jsonb, %s, %s, %s)",
                    (
                        shop_id,
                        cart.id,
                        cart.revision,
                        msgspec.json.encode(wanted).decode(),
                        now + timedelta(seconds=CLAIM_S),
                        now + timedelta(seconds=HOLD_S),
                        now,
                    ),
                )
    except Refused as refusal:
        raise refused_as_short(cart, variant_ids=refusal.data["variant_ids"]) from refusal
    return hold_ids


async def quote(
    service: CheckingOut, *, partner: Partner, cart: CartView, shipping: Address
) -> Bill:
    """What the cart costs as it was read, shipped to this address; nothing is held for it."""
    bill = bill_of(cart)
    taxes = await service.taxes.of_lines(
        shop_id=partner.shop_id,
        currency=cart.currency,
        to=Destination(country=shipping.country, state=shipping.state, postcode=shipping.postcode),
        lines=bill.taxables(),
    )
    return bill.taxed(taxes)


async def _bill(service: CheckingOut, claimed: _Claimed, checkout: Checkout) -> Bill:
    bill = await quote(
        service, partner=claimed.partner, cart=claimed.cart, shipping=checkout.shipping
    )
    if checkout.expected_total_minor not in {None, bill.total_minor}:
        raise Conflict("cart_changed", data={"total_minor": bill.total_minor})
    return bill


async def _authorise(
    service: CheckingOut, claimed: _Claimed, checkout: Checkout, *, bill: Bill, provider: str
) -> Approval | None:
    """The provider's approval; None where there is nothing to pay."""
    if not bill.total_minor:
        return None
    return await ask_approval(
        service.paying,
        shop_id=claimed.partner.shop_id,
        provider=provider,
        card=checkout.card,
        amount_minor=bill.total_minor,
        currency=claimed.cart.currency,
        payer=f"partner:{claimed.partner.id}",
        capture_at=service.paying.clock.now() + timedelta(seconds=CAPTURE_AFTER_S),
    )


def _draft(
    service: CheckingOut,
    claimed: _Claimed,
    checkout: Checkout,
    *,
    bill: Bill,
    approval: Approval | None,
    line_data: LineData,
) -> OrderDraft:
    partner, cart = claimed.partner, claimed.cart
    return OrderDraft(
        shop_id=partner.shop_id,
        channel=partner.channel,
        order_key=service.carts.ids.order_key(),
        identity=Identity(namespace=NAMESPACE, key=cart.id),
        partner_id=partner.id,
        partner_order_id="",
        currency=cart.currency,
        billing=checkout.billing,
        shipping=checkout.shipping,
        lines=tuple(
            billed.draft(
                take=_take(billed.line, partner=partner),
                hold_id=claimed.holds.get(billed.line.variant_id),
                channel_data=dict(line_data(cart, billed.line)),
            )
            for billed in bill.lines
        ),
        source=checkout.source,
        payment_state="paid" if approval is None else "authorised",
        payment_id=None if approval is None else approval.asked.payment_id,
        routes={merchant.id: merchant.route for merchant in cart.merchants},
        coupon_ids=tuple(
            sorted({line.coupon_id for line in cart.lines if line.coupon_id is not None})
        ),
        language=checkout.language,
        comments=checkout.comments,
        is_test=checkout.is_test,
        channel_data=checkout.channel_data,
    )


def _take(line: CartLine, *, partner: Partner) -> Take | None:
    return take_of(line.stock, backorder=partner.backorder, is_held=True)


async def _place(
    service: CheckingOut, claimed: _Claimed, *, draft: OrderDraft, approval: Approval | None
) -> tuple[CheckedOut, Asked | None]:
    """The order, and the request to capture its payment, which is recorded with it."""
    now = service.carts.clock.now()
    question = None if approval is None else capture_question(service.paying, approval)
    async with service.carts.db.statement() as tx:
        with refusing_draft():
            row = await tx.one(
                "select order_id, order_key, outcome, attempt_id"
                " from order_cart(%s, %s, %s, %s::jsonb, %s, %s, %s, %s, %s)",
                (
                    *(claimed.partner.shop_id, claimed.cart.id, claimed.cart.revision),
                    draft.encode(),
                    None if approval is None else approval.asked.attempt_id,
                    None if approval is None else approval.answer.code,
                    None if question is None else question.key,
                    look_up_at(now),
                    now,
                ),
            )
    assert row is not None  # the function answers one row, always
    order_id, order_key, outcome, attempt_id = row
    if outcome != "created":
        raise _no_order(outcome, order_id=order_id)
    checked_out = CheckedOut(
        order_id=order_id,
        order_key=order_key,
        total_minor=draft.total_minor,
        payment_state=draft.payment_state,
    )
    if approval is None or question is None:
        return checked_out, None
    return checked_out, Asked(
        attempt_id=attempt_id,
        payment_id=approval.asked.payment_id,
        order_id=order_id,
        question=question,
    )


def _no_order(outcome: str, *, order_id: int) -> Conflict:
    if outcome == "lost":
        return Conflict("cart_changed", "Another checkout has the cart by now.")
    return Conflict("cart_ordered", data={"order_id": order_id})


async def _captured(
    service: CheckingOut, checked_out: CheckedOut, *, asked: Asked, provider: str
) -> CheckedOut:
    """The order after its capture; what hinders that is no reason to tell the shopper that nothing was bought."""
    try:
        await capture_asked(service.paying, asked, provider=provider, follow=ORDER_FOLLOWS)
    except CrossdockError:
        return checked_out
    return msgspec.structs.replace(checked_out, payment_state="paid")


async def _undo(service: CheckingOut, claimed: _Claimed, *, approval: Approval | None) -> None:
    """Let go of the cart, and void what was authorised for it."""
    await _let_go(service, claimed)
    if approval is not None:
        with contextlib.suppress(CrossdockError):  # the run that settles payments tries again
            paid = await record_approval(service.paying, approval)
            await void(service.paying, shop_id=claimed.partner.shop_id, payment_id=paid.id)


async def _let_go(service: CheckingOut, claimed: _Claimed) -> None:
    """Give the claim back and release what was held; what fails here runs out by itself."""
    cart = claimed.cart
    with contextlib.suppress(CrossdockError):
        async with service.carts.db.begin() as tx:
            await tx.run(
                "select unclaim_cart(%s, %s, %s, %s::bigint[], %s)",
                (
                    claimed.partner.shop_id,
                    cart.id,
                    cart.revision,
                    list(claimed.holds.values()),
                    service.carts.clock.now(),
                ),
            )
