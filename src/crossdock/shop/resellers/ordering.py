"""Several goods for a reseller's own shop in one order: all delivered and debited at once, or none (spec 7.7)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, Refused
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids
from crossdock.shop.catalogue import require_answers
from crossdock.shop.customers import Address
from crossdock.shop.events import DeliveredLine, ResellerOrderDelivered, write_event
from crossdock.shop.orders import (
    DraftLine,
    Identity,
    OrderDraft,
    OrderView,
    place,
    read_order,
)
from crossdock.shop.partners import Partner
from crossdock.shop.resellers.buying import (
    Buying,
    LimitUnit,
    Product,
    Variant,
    require_bounds,
    require_mode,
    require_product,
    require_quantity,
    require_serials,
    serials_line,
)
from crossdock.shop.resellers.crediting import prepaid_owner
from crossdock.shop.resellers.model import Quantity, Status
from crossdock.shop.stock import read_bought_serials

SOURCE: Final = "reseller_order"
"""What such an order's `source` is; `reseller_bought` in buying.sql counts by it."""


class ResellerItem(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity of a product; `variant_id` is named where it has several.

    `custom_fields` is what the buyer filled in, by name; the order's line notes what the product asks for.
    """

    product_id: int
    quantity: Quantity
    variant_id: int | None = None
    custom_fields: Mapping[str, Any] = {}


class ResellerOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order with the serials of its lines by their numbers. Its repr hides them."""

    order: OrderView
    serials: dict[int, tuple[str, ...]]
    is_replayed: bool = False

    def __repr__(self) -> str:
        return f"ResellerOrder(order={self.order.id})"


async def order_for_reseller(
    tx: Transaction,
    *,
    partner: Partner,
    items: Sequence[ResellerItem],
    key: str | None,
    request_hash: bytes,
    ids: Ids,
    box: SecretBox,
    now: datetime,
    limits: LimitUnit = "units",
    is_test: bool = False,
) -> ResellerOrder:
    """Deliver all items and debit their sum in this transaction, or nothing. A `key` is good for one order, for ever.

    The same request with its key again is answered with the first order. The rules are those of `fulfil`, for each
    item; bounds of a product count all items of it, limits the whole order. Raises as `fulfil` does, Invalid with the
    `field` of the item; nothing is written then.
    """
    facts = await _read(
        tx, partner=partner, items=items, key=key, request_hash=request_hash, now=now
    )
    if facts is None or facts.status != "active":
        raise Refused("credential_unknown")
    if facts.existing_id is not None:
        if not facts.is_same:
            raise Conflict("idempotency_key_used")
        order_id = facts.existing_id
    else:
        lines = _lines(facts, items, limits=limits)
        for place_no, (item, buying) in enumerate(zip(items, facts.items, strict=True)):
            await require_answers(
                tx,
                fields=require_product(buying).custom_fields,
                answers=item.custom_fields,
                within=f"items[{place_no}].custom_fields",
            )
        draft = _draft(
            facts, lines, partner=partner, key=key, request_hash=request_hash, ids=ids, test=is_test
        )
        order_id = (await place(tx, draft=draft, now=now)).id
        told = _told(facts, items, lines)
        await write_event(tx, shop_id=partner.shop_id, event=told, subject_id=order_id, now=now)
    found = await read_reseller_order(
        tx, shop_id=partner.shop_id, partner_id=partner.id, order_id=order_id, box=box
    )
    return msgspec.structs.replace(found, is_replayed=facts.existing_id is not None)


async def read_reseller_order(
    tx: Transaction, *, shop_id: int, partner_id: int, order_id: int, box: SecretBox
) -> ResellerOrder:
    """An order of the partner's relationship with its serials. Raises NotFound `order_not_found`."""
    order = await read_order(
        tx,
        shop_id=shop_id,
        partner_id=partner_id,
        order_id=order_id,
        sections=("lines", "has_variants"),
    )
    bought = await read_bought_serials(tx, shop_id=shop_id, order_id=order_id, box=box)
    serials = {
        line_no: tuple(each.serial for each in line if not each.is_replaced)
        for line_no, line in bought.items()
    }
    return ResellerOrder(order=order, serials=serials)


class _Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What `prepare_reseller_order` reads."""

    reseller_id: int
    status: Status
    existing_id: int | None = None
    is_same: bool = False
    email: str = ""
    balance_minor: int = 0
    items: list[Buying] = []


async def _read(
    tx: Transaction,
    *,
    partner: Partner,
    items: Sequence[ResellerItem],
    key: str | None,
    request_hash: bytes,
    now: datetime,
) -> _Facts | None:
    asked = [{"product_id": each.product_id, "variant_id": each.variant_id} for each in items]
    found = await tx.value(
        "select prepare_reseller_order(%s, %s, %s, %s, %s, %s)",
        (partner.shop_id, partner.id, Jsonb(asked), key, request_hash, now),
    )
    return msgspec.convert(found, _Facts) if found else None


def _lines(
    facts: _Facts, items: Sequence[ResellerItem], *, limits: LimitUnit
) -> tuple[DraftLine, ...]:
    """The lines, if every rule allows all of them."""
    wanted: Counter[int] = Counter()
    for item in items:
        wanted[item.product_id] += item.quantity
    lines: list[DraftLine] = []
    units = total_minor = 0
    for place_no, (item, buying) in enumerate(zip(items, facts.items, strict=True)):
        product, variant = _require(buying, item, place_no=place_no)
        require_bounds(product, quantity=wanted[item.product_id])
        line_minor = require_serials(variant) * item.quantity
        require_quantity(
            _after(buying, units=units, minor=total_minor),
            msgspec.structs.replace(product, min_quantity=None, max_quantity=None),
            quantity=item.quantity,
            total_minor=line_minor,
            limits=limits,
        )
        units, total_minor = units + item.quantity, total_minor + line_minor
        line = serials_line(variant, product_id=item.product_id, quantity=item.quantity)
        lines.append(msgspec.structs.replace(line, note=_note(product, item)))
    if facts.balance_minor < total_minor:
        raise Refused("balance_insufficient")
    return tuple(lines)


def _note(product: Product, item: ResellerItem) -> str:
    """What was filled in, a line each."""
    given = [(each.name, item.custom_fields.get(each.name)) for each in product.custom_fields]
    return "\n".join(f"{name}: {answer}" for name, answer in given if answer not in (None, ""))


def _require(buying: Buying, item: ResellerItem, *, place_no: int) -> tuple[Product, Variant]:
    if not buying.program_enabled:
        raise Refused("program_disabled")
    require_mode(buying)
    product = require_product(buying)
    variant = product.variant
    if variant is None or (product.has_variants and item.variant_id is None):
        field = f"items[{place_no}].variant_id"
        raise Invalid("invalid_input", "Name a variant of the product.", {"field": field})
    if not product.is_allowed or not product.auto_fulfilled:
        raise Refused("product_not_allowed")
    require_serials(variant)
    return product, variant


def _after(buying: Buying, *, units: int, minor: int) -> Buying:
    """The facts once so much was bought by the items before."""
    return msgspec.structs.replace(
        buying,
        units_today=buying.units_today + units,
        units_this_month=buying.units_this_month + units,
        minor_today=buying.minor_today + minor,
        minor_this_month=buying.minor_this_month + minor,
    )


def _told(
    facts: _Facts, items: Sequence[ResellerItem], lines: Sequence[DraftLine]
) -> ResellerOrderDelivered:
    return ResellerOrderDelivered(
        reseller_id=facts.reseller_id,
        email=facts.email,
        currency=facts.items[0].currency,
        lines=[
            DeliveredLine(
                product_id=item.product_id,
                variant_id=item.variant_id,
                quantity=item.quantity,
                total_minor=line.unit_price_minor * item.quantity,
            )
            for item, line in zip(items, lines, strict=True)
        ],
    )


def _draft(
    facts: _Facts,
    lines: tuple[DraftLine, ...],
    *,
    partner: Partner,
    key: str | None,
    request_hash: bytes,
    ids: Ids,
    test: bool,
) -> OrderDraft:
    identity = None
    if key is not None:
        namespace = f"reseller order:{facts.reseller_id}"
        identity = Identity(namespace=namespace, key=key, request_hash=request_hash)
    return OrderDraft(
        shop_id=partner.shop_id,
        channel=partner.channel,
        order_key=ids.order_key(),
        identity=identity,
        partner_id=partner.id,
        partner_order_id="",
        currency=facts.items[0].currency,
        billing=Address(),
        shipping=Address(),
        lines=lines,
        source=SOURCE,
        state="completed",
        payment_state="paid",
        prepaid_owner=prepaid_owner(facts.reseller_id),
        is_test=test,
    )
