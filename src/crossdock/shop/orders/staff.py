"""Orders entered by staff, on account or by card."""

import contextlib
from collections.abc import Sequence
from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import CrossdockError, NotFound, Refused, Unavailable
from crossdock.shop.catalogue import Offer, offers
from crossdock.shop.customers import assign_sales_rep
from crossdock.shop.orders.asking import Placing, draft_for, read_context
from crossdock.shop.orders.draft import DraftLine, Identity, OrderDraft, Placed, Snapshot
from crossdock.shop.orders.model import OrderItem, OrderRequest
from crossdock.shop.orders.placing import STAFF_NAMESPACE, place, refuse_second
from crossdock.shop.orders.rules import (
    Asked,
    Rule,
    amount_is_in_range,
    billing_is_complete,
    customer_is_active,
    origin_rule,
    variants_are_known,
    what_is_shipped_has_an_address,
)
from crossdock.shop.partners import Partner
from crossdock.shop.payments import Card, Paying, Payment, authorise, provider_for, void
from crossdock.shop.shops import Shop
from crossdock.shop.stock import hold_stock, release_hold

CHANNEL = "staff"
HOLD_S = 600
_RULES: tuple[Rule, ...] = (
    customer_is_active,
    billing_is_complete,
    what_is_shipped_has_an_address,
    variants_are_known,
    origin_rule,
    amount_is_in_range,
)


class StaffOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as staff enter it. With a `number` of their own placing is idempotent.

    Without one `once`, a text that nobody sees, does the same for a form that is sent twice.
    """

    customer_id: int
    items: tuple[OrderItem, ...]
    number: str = ""
    comments: str = ""
    shipping_minor: int = 0
    once: str = ""


async def place_on_account(service: Placing, *, shop: Shop, order: StaffOrder) -> Placed:
    """Place an order to be paid later; its total is posted as a receivable of the customer.

    Raises what the rules raise (customer_..., billing_incomplete, shipping_incomplete, variant_not_found,
    stock_limit_exceeded, order_amount_not_allowed) and Conflict `partner_order_exists`.
    """
    draft = await _draft(service, shop=shop, order=order)
    async with service.db.begin() as tx:
        placed = await place(
            tx,
            draft=msgspec.structs.replace(draft, payment_state="awaiting"),
            now=service.clock.now(),
        )
    refuse_second(placed)
    return placed


async def place_with_card(
    service: Placing, paying: Paying, *, shop: Shop, order: StaffOrder, card: Card, provider: str
) -> Placed:
    """Place an order with its total authorised on the card (core.md, 'Payments').

    The stock is held, then the amount is authorised, then one transaction writes the order with both.
    If it fails, the holds are released and the payment is voided. Raises as `place_on_account` and `authorise`
    do, and Invalid `invalid_input` for an unknown provider.
    """
    provider = provider_for(paying.providers, provider, is_test=False)
    draft = await _draft(service, shop=shop, order=order)
    draft = await _with_holds(service, draft)
    try:
        payment = await authorise(
            paying,
            shop_id=shop.id,
            provider=provider,
            card=card,
            amount_minor=draft.total_minor,
            currency=draft.currency,
            payer=f"customer:{order.customer_id}",
        )
    except CrossdockError:
        await _release(service, draft)
        raise
    draft = msgspec.structs.replace(draft, payment_state="authorised", payment_id=payment.id)
    try:
        async with service.db.begin() as tx:
            placed = await place(tx, draft=draft, now=service.clock.now())
        refuse_second(placed)
    except Unavailable:
        raise  # it may have been placed: what was not is let go of by the runs for holds and payments
    except CrossdockError:
        await _lose(service, paying, draft, payment)
        raise
    return placed


async def staff_offers(
    service: Placing, *, shop: Shop, variant_ids: Sequence[int]
) -> dict[int, Offer]:
    """What staff may order of these variants, at which price, by variant; what the shop lacks is absent."""
    async with service.db.statement() as tx:
        found = await offers(
            tx,
            partner=_shop_s_own_terms(shop, customer_id=None),
            variant_ids=variant_ids,
            now=service.clock.now(),
            own_requires_stock=service.own_requires_stock,
        )
    return {offer.id: offer for offer in found}


async def _draft(service: Placing, *, shop: Shop, order: StaffOrder) -> OrderDraft:
    terms = _shop_s_own_terms(shop, customer_id=order.customer_id)
    request = OrderRequest(
        partner_order_id=order.number, items=order.items, source=CHANNEL, comments=order.comments
    )
    if not order.items:
        raise Refused("order_amount_not_allowed", "An order has at least one line.")
    async with service.db.statement() as tx:
        context = await read_context(tx, partner=terms, request=request, now=service.clock.now())
    asked = Asked(
        partner=terms,
        request=request,
        context=context,
        own_requires_stock=service.own_requires_stock,
    )
    for rule in _RULES:
        rule(asked)
    assignment = await assign_sales_rep(
        service.assigning,
        shop_id=shop.id,
        customer_id=asked.customer.id,
        email=asked.customer.email,
        sales_rep_id=asked.customer.sales_rep_id,
    )
    draft = draft_for(service, asked, assignment=assignment)
    key = order.number or order.once
    first, *others = draft.lines
    first = msgspec.structs.replace(first, shipping_minor=order.shipping_minor)
    return msgspec.structs.replace(
        draft,
        partner_id=None,
        identity=Identity(namespace=STAFF_NAMESPACE, key=key) if key else None,
        lines=(first, *others),
    )


def _shop_s_own_terms(shop: Shop, *, customer_id: int | None) -> Partner:
    """The terms of staff orders: the shop's own stock and prices, for any customer."""
    return Partner(
        shop_id=shop.id,
        id=0,
        channel=CHANNEL,
        name=shop.name,
        permissions=frozenset(),
        backorder=False,
        currency=shop.currency,
        min_amount_minor=None,
        max_amount_minor=None,
        visible_merchants=None,
        price_list_id=None,
        customer_id=customer_id,
        settings={},
        revision=0,
        time_zone=shop.time_zone,
    )


async def _with_holds(service: Placing, draft: OrderDraft) -> OrderDraft:
    """The draft with all its stock held. Raises Refused `stock_limit_exceeded`, and then holds nothing."""
    now = service.clock.now()
    places = sorted(range(len(draft.lines)), key=lambda n: _variant_id(draft.lines[n]))
    lines = list(draft.lines)
    async with service.db.begin() as tx:
        for n in places:
            lines[n] = await _held(tx, shop_id=draft.shop_id, line=lines[n], now=now)
    return msgspec.structs.replace(draft, lines=tuple(lines))


async def _held(tx: Transaction, *, shop_id: int, line: DraftLine, now: datetime) -> DraftLine:
    if line.take is None:
        return line
    hold = await hold_stock(
        tx,
        shop_id=shop_id,
        variant_id=_variant_id(line),
        quantity=line.quantity,
        ttl_s=HOLD_S,
        now=now,
        reference="staff order",
    )
    return msgspec.structs.replace(line, take="hold", hold_id=hold.id)


def _variant_id(line: DraftLine) -> int:
    assert isinstance(line.variant, Snapshot)  # draft_for names no variants
    return line.variant.variant_id


async def _release(service: Placing, draft: OrderDraft) -> None:
    """Release the open holds; expired ones have been released already."""
    for line in draft.lines:
        if line.hold_id is None:
            continue
        with contextlib.suppress(NotFound):
            async with service.db.begin() as tx:
                await release_hold(
                    tx, shop_id=draft.shop_id, hold_id=line.hold_id, now=service.clock.now()
                )


async def _lose(service: Placing, paying: Paying, draft: OrderDraft, payment: Payment) -> None:
    """No order was placed: release the holds and void the payment."""
    await _release(service, draft)
    with contextlib.suppress(CrossdockError):  # the run that settles payments tries again
        await void(paying, shop_id=draft.shop_id, payment_id=payment.id)
