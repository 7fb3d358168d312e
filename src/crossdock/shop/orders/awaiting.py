"""Place an order that awaits its payment: its stock is taken until it is paid or expires."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import CrossdockError, NotFound, Refused
from crossdock.shop.catalogue import unit_shipping
from crossdock.shop.customers import Address
from crossdock.shop.orders.asking import Placing
from crossdock.shop.orders.draft import DraftLine, Identity, OrderDraft, Placed
from crossdock.shop.orders.model import OrderContext, OrderItem, OrderRequest, snapshot_of
from crossdock.shop.orders.placing import number_namespace, place, refuse_second
from crossdock.shop.orders.rules import Asked, Rule, take_of
from crossdock.shop.partners import Partner

_ATTEMPTS = 3
_ID_MAX = 2**63 - 1

Depict = Callable[[Transaction, Sequence[int], datetime], Awaitable[Mapping[int, Any]]]
"""Reads how these variants are shown at that time, by id, which the lines keep as they were sold."""


class AwaitingTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How long an order awaits its payment, and how long after it its partner may take it back.

    Without `release_after_s` staff release it. Shipping is asked for each unit, or with
    `ships_per_line` once for a line.
    """

    pay_within_s: int
    release_after_s: int | None
    ships_per_line: bool = False


async def place_awaiting(
    service: Placing,
    *,
    partner: Partner,
    request: OrderRequest,
    request_hash: bytes,
    rules: Sequence[Rule],
    terms: AwaitingTerms,
    depict: Depict,
) -> Placed:
    """Place the partner's order once every rule has passed; the order that is committed.

    The same request again, by its hash, is answered with the first order, whatever became of it and of
    the goods since. Raises what the rules raise, and Conflict `partner_order_exists` for another request with
    the same number. If another order takes stock between reading and writing, it starts over.
    """
    shortage: CrossdockError = Refused("stock_limit_exceeded")
    for _ in range(_ATTEMPTS):
        now = service.clock.now()
        async with service.db.statement() as tx:
            context = await read_awaiting_context(
                tx, partner=partner, request=request, request_hash=request_hash, now=now
            )
        if context.existing is not None:
            return _first(context, request=request)
        asked = Asked(
            partner=partner,
            request=request,
            context=context,
            own_requires_stock=service.own_requires_stock,
        )
        for rule in rules:
            rule(asked)
        async with service.db.statement() as tx:
            shown = await depict(tx, sorted(asked.variants), now)
        if gone := sorted(asked.variants.keys() - shown.keys()):
            shortage = NotFound("variant_not_found", data={"variant_ids": gone})
            continue
        draft = _draft(service, asked, request_hash, terms=terms, shown=shown, now=now)
        try:
            async with service.db.statement() as tx:
                placed = await place(tx, draft=draft, now=now)
        except Refused as refused:
            shortage = refused
            continue
        if placed.outcome == "conflict":
            refuse_second(placed)
        return placed
    raise shortage


def _first(context: OrderContext, *, request: OrderRequest) -> Placed:
    """The order that has the number. Raises Conflict `partner_order_exists` if it was another request."""
    assert context.existing is not None  # its only caller looked
    placed = Placed(
        id=context.existing.id,
        order_key=context.existing.order_key,
        outcome="replayed" if context.existing.is_same_request else "conflict",
        state=None,
        total_minor=0,
    )
    if not context.existing.is_same_request:
        refuse_second(placed)
    return placed


async def read_awaiting_context(
    tx: Transaction,
    *,
    partner: Partner,
    request: OrderRequest,
    request_hash: bytes,
    now: datetime,
) -> OrderContext:
    """Everything the rules need of an order that is to await its payment, in one query."""
    text = await tx.value(
        "select awaiting_context(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            partner.shop_id,
            number_namespace(partner.id),
            request.partner_order_id,
            request_hash,
            partner.customer_id,
            sorted({i.variant_id for i in request.items if i.variant_id <= _ID_MAX}),
            partner.merchant_ids,
            partner.price_list_id,
            partner.currency,
            now,
        ),
    )
    return msgspec.json.decode(text, type=OrderContext)


def _draft(
    service: Placing,
    asked: Asked,
    request_hash: bytes,
    *,
    terms: AwaitingTerms,
    shown: Mapping[int, Any],
    now: datetime,
) -> OrderDraft:
    partner, request, customer = asked.partner, asked.request, asked.context.customer
    after_s = terms.release_after_s
    return OrderDraft(
        shop_id=partner.shop_id,
        channel=partner.channel,
        order_key=service.ids.order_key(),
        identity=Identity(
            namespace=number_namespace(partner.id),
            key=request.partner_order_id,
            request_hash=request_hash,
        ),
        partner_id=partner.id,
        partner_order_id=request.partner_order_id,
        customer_id=customer.id if customer else None,
        currency=partner.currency,
        billing=customer.billing if customer else asked.shipping,
        shipping=asked.shipping,
        comments=request.comments,
        source=request.source,
        is_test=request.is_test,
        channel_data=request.channel_data,
        state="waiting_for_release",
        release_policy="by_hand" if after_s is None else "after_payment",
        release_after_s=after_s,
        payment_state="awaiting",
        expires_at=now + timedelta(seconds=terms.pay_within_s),
        routes={variant.merchant_id: variant.route for variant in asked.context.variants},
        lines=tuple(
            _line(item, asked=asked, terms=terms, shown=shown, to=asked.shipping)
            for item in request.items
        ),
    )


def _line(
    item: OrderItem,
    *,
    asked: Asked,
    terms: AwaitingTerms,
    shown: Mapping[int, Any],
    to: Address,
) -> DraftLine:
    variant = asked.variants[item.variant_id]
    return DraftLine(
        variant=snapshot_of(variant),
        name=variant.name,
        quantity=item.quantity,
        unit_price_minor=variant.price_minor,
        shipping_minor=unit_shipping(
            to.country,
            each_minor=variant.shipping_each_minor,
            is_free=variant.free_shipping,
            terms=variant.shipping_terms,
        )
        * (1 if terms.ships_per_line else item.quantity),
        take=take_of(variant.availability(), backorder=asked.partner.backorder),
        as_sold=shown[item.variant_id],
    )
