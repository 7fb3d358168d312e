"""Place an order for a partner's customer: read the context, apply the rules, place."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Refused
from crossdock.kit.clock import Clock
from crossdock.kit.ids import Ids
from crossdock.shop.customers import Assigning, Assignment, assign_sales_rep
from crossdock.shop.orders.draft import DraftLine, Identity, OrderDraft, Placed
from crossdock.shop.orders.model import (
    OrderContext,
    OrderItem,
    OrderRequest,
    OrderVariant,
    snapshot_of,
)
from crossdock.shop.orders.notes import item_note
from crossdock.shop.orders.placing import number_namespace, place, refuse_second
from crossdock.shop.orders.rules import Asked, Rule, take_of
from crossdock.shop.partners import Partner, Spending

_ATTEMPTS = 3
_ID_MAX = 2**63 - 1


class Placing(msgspec.Struct, frozen=True, kw_only=True):
    """The dependencies of placing, set once in compose.py.

    `assigning` may call out, so it runs between the reading and the writing transaction;
    `note_template` makes the note that an outside system gets with each line.
    """

    db: Database
    clock: Clock
    ids: Ids
    assigning: Assigning
    note_template: str
    own_requires_stock: bool = False


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules of an order look at, as it was at `now`."""

    context: OrderContext
    now: datetime


async def open_order(
    service: Placing, *, partner: Partner, request: OrderRequest, spending: Spending
) -> tuple[str, Opened | None]:
    """Spend the nonce of the call that brought the order and read its context, in one statement.

    The outcome is as in `Signatures.spend_early`; there is a context only where it is `spent`.
    """
    now = service.clock.now()
    async with service.db.statement() as tx:
        row = await tx.one(
            "select * from open_order(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                spending.credential.id,
                spending.credential.partner.revision,
                spending.nonce,
                spending.expires_at,
                spending.limit,
                *_context_parameters(partner, request, now),
            ),
        )
    assert row is not None  # the function answers one row, always
    outcome, text = row
    if text is None:
        return outcome, None
    return outcome, Opened(context=msgspec.json.decode(text, type=OrderContext), now=now)


async def place_for_customer(
    service: Placing,
    *,
    partner: Partner,
    request: OrderRequest,
    rules: Sequence[Rule],
    opened: Opened | None = None,
) -> Placed:
    """Place the order once every rule has passed; returns the committed order.

    `opened` is from `open_order`; without it the context is read first. Raises what the rules raise,
    and Conflict `partner_order_exists` with the existing order. If another order takes stock between
    reading and writing, it starts over, so that the rules refuse the order for the stock that is left.
    """
    shortage = Refused("stock_limit_exceeded")
    for _ in range(_ATTEMPTS):
        if opened is None:
            now = service.clock.now()
            async with service.db.statement() as tx:
                context = await read_context(tx, partner=partner, request=request, now=now)
            opened = Opened(context=context, now=now)
        asked = Asked(
            partner=partner,
            request=request,
            context=opened.context,
            own_requires_stock=service.own_requires_stock,
        )
        for rule in rules:
            rule(asked)
        assignment = await assign_sales_rep(
            service.assigning,
            shop_id=partner.shop_id,
            customer_id=asked.customer.id,
            email=asked.customer.email,
            sales_rep_id=asked.customer.sales_rep_id,
        )
        draft = draft_for(service, asked, assignment=assignment)
        try:
            async with service.db.statement() as tx:
                placed = await place(tx, draft=draft, now=opened.now)
        except Refused as refused:
            shortage, opened = refused, None
        else:
            refuse_second(placed)
            return placed
    raise shortage


async def read_context(
    tx: Transaction, *, partner: Partner, request: OrderRequest, now: datetime
) -> OrderContext:
    """Everything the rules need, in one query; a hidden variant is treated as unknown."""
    text = await tx.value(
        "select order_context(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        _context_parameters(partner, request, now),
    )
    return msgspec.json.decode(text, type=OrderContext)


def _context_parameters(
    partner: Partner, request: OrderRequest, now: datetime
) -> tuple[object, ...]:
    merchants = partner.visible_merchants
    return (
        partner.shop_id,
        number_namespace(partner.id),
        request.partner_order_id,
        partner.customer_id,
        sorted({i.variant_id for i in request.items if i.variant_id <= _ID_MAX}),
        None if merchants is None else list(merchants),
        partner.price_list_id,
        partner.currency,
        now,
    )


def draft_for(service: Placing, asked: Asked, *, assignment: Assignment) -> OrderDraft:
    """The draft of an order that passed the rules; it takes stock and has no payment."""
    partner, request, customer = asked.partner, asked.request, asked.customer
    note = item_note(request.partner_order_id, request.comments, service.note_template)
    return OrderDraft(
        shop_id=partner.shop_id,
        channel=partner.channel,
        order_key=service.ids.order_key(),
        identity=Identity(namespace=number_namespace(partner.id), key=request.partner_order_id),
        partner_id=partner.id,
        partner_order_id=request.partner_order_id,
        customer_id=customer.id,
        currency=partner.currency,
        billing=customer.billing,
        shipping=customer.shipping,
        comments=request.comments,
        tax_id=request.tax_id,
        resale_tax=request.resale_tax,
        sales_rep_id=assignment.sales_rep_id,
        sales_rep_source=assignment.source,
        source=request.source,
        is_test=request.is_test,
        connector=asked.context.connector,
        lines=_lines(asked, note=note),
    )


def _lines(asked: Asked, *, note: str) -> tuple[DraftLine, ...]:
    variants, backorder = asked.variants, asked.partner.backorder
    return tuple(
        _line(item, variant=variants[item.variant_id], backorder=backorder, note=note)
        for item in asked.request.items
    )


def _line(item: OrderItem, *, variant: OrderVariant, backorder: bool, note: str) -> DraftLine:
    return DraftLine(
        variant=snapshot_of(variant),
        name=variant.name,
        quantity=item.quantity,
        unit_price_minor=variant.price_minor,
        take=take_of(variant.availability(), backorder=backorder),
        note=note,
    )
