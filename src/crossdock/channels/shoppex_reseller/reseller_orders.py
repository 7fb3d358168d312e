"""`/reseller/v1/orders`: several goods in one order from the prepaid balance (spec section 7.7)."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.custom_fields import read_custom_fields
from crossdock.channels.shoppex_reseller.endpoint import fingerprint
from crossdock.channels.shoppex_reseller.errors import NO_RESELLER, WireError
from crossdock.channels.shoppex_reseller.fields import Fields
from crossdock.channels.shoppex_reseller.happenings import order_status, variant_of
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.openapi import TEXT
from crossdock.channels.shoppex_reseller.routes import RESELLER, Route
from crossdock.channels.shoppex_reseller.wire import Reply, iso, one, text
from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Refused
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids
from crossdock.shop.orders import LineView
from crossdock.shop.resellers import (
    LimitUnit,
    ResellerItem,
    ResellerOrder,
    order_for_reseller,
    read_reseller_order,
)

PATH: Final = f"{RESELLER}/orders"
ITEMS_MAX: Final = 100
QUANTITY_MAX: Final = 1_000
_NOTHING: Final = -1  # no thing has this number


class ShownDeliverable(msgspec.Struct, frozen=True, kw_only=True):
    """What was delivered of one item."""

    product_id: str
    variant_id: str | None
    product_title: str
    quantity: int
    unit_price: str | None
    total: str | None
    delivered: bool
    serials: tuple[str, ...]


class ShownSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An order; `reused`: it was made by an earlier call with this key."""

    uniqid: str
    status: str
    total: str | None
    currency: str
    created_at: str | None
    reused: bool


class ShownResellerOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an order."""

    order: ShownSummary
    deliverables: list[ShownDeliverable]


class ShownLines(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was made before."""

    uniqid: str
    status: str
    total: str | None
    currency: str
    created_at: str | None
    lines: list[ShownDeliverable]


class ResellerOrders:
    """The calls of orders, in transactions that see to their repeats themselves: a key is good for ever."""

    def __init__(
        self, db: Database, *, ids: Ids, box: Callable[[], SecretBox], limits: LimitUnit
    ) -> None:
        self._db = db
        self._ids = ids
        self._box = box
        self._limits = limits

    def routes(self) -> tuple[Route, ...]:
        """The routes of this file."""
        item = {
            "type": "object",
            "required": ["product_id", "quantity"],
            "properties": {
                "product_id": TEXT,
                "variant_id": {"type": ["string", "null"]},
                "quantity": {"type": "integer", "minimum": 1, "maximum": QUANTITY_MAX},
                "custom_fields": {"type": ["object", "null"], "additionalProperties": True},
            },
        }
        items = {"type": "array", "items": item, "minItems": 1, "maxItems": ITEMS_MAX}
        return (
            Route(method="POST", path=PATH, name="createResellerOrder",
                  summary="Debit the balance and deliver several items, all or none", acts=self._post,
                  status=201, answer=ShownResellerOrder, body={"items": items}, required=("items",),
                  pace="fulfillments"),
            Route(method="GET", path=f"{PATH}/{{uniqid}}", name="getResellerOrder",
                  summary="One order of the caller's with its serials", reads=self._get,
                  answer=ShownLines),
        )  # fmt: skip

    async def _post(self, call: Call) -> Reply:
        items = _items(call)
        try:
            async with self._db.begin() as tx:
                made = await order_for_reseller(
                    tx,
                    partner=call.partner,
                    items=items,
                    key=call.key,
                    request_hash=fingerprint(call.body),
                    ids=self._ids,
                    box=self._box(),
                    now=call.now,
                    limits=self._limits,
                    is_test=call.credential.is_test,
                )
        except Refused as refused:
            if refused.code == "credential_unknown":  # suspended since the key was looked at
                raise WireError("UNAUTHORIZED", NO_RESELLER) from refused
            raise
        summary = ShownSummary(**_summary(call, made), reused=made.is_replayed)
        shown = ShownResellerOrder(order=summary, deliverables=_deliverables(call, made))
        return one(shown, status=200 if made.is_replayed else 201)

    async def _get(self, call: Call, tx: Transaction) -> Reply:
        found = await read_reseller_order(
            tx,
            shop_id=call.shop_id,
            partner_id=call.partner.id,
            order_id=call.number(Kind.ORDER, "uniqid"),
            box=self._box(),
        )
        return one(ShownLines(**_summary(call, found), lines=_deliverables(call, found)))


def _items(call: Call) -> list[ResellerItem]:
    fields = call.fields()
    given = fields.objects("items", most=ITEMS_MAX)
    if given == []:
        fields.refuse("items", "must not be empty")
    elif not fields.given("items"):
        fields.refuse("items", "is required")
    items = [_item(call, each) for each in given or ()]
    fields.check()
    return items


def _item(call: Call, item: Fields) -> ResellerItem:
    product = item.text("product_id", required=True)
    variant = item.text("variant_id", nullable=True)
    quantity = item.whole("quantity", least=1, most=QUANTITY_MAX, required=True)
    custom_fields = read_custom_fields(item, "custom_fields")
    return ResellerItem(
        product_id=_number(call, Kind.PRODUCT, product or ""),
        variant_id=_number(call, Kind.VARIANT, variant) if variant else None,
        quantity=quantity or 1,
        custom_fields=custom_fields,
    )


def _number(call: Call, kind: Kind, shown: str) -> int:
    found = call.ids.find(kind, shown)
    return _NOTHING if found is None else found


def _summary(call: Call, made: ResellerOrder) -> dict[str, Any]:
    order = made.order
    return {
        "uniqid": call.ids.write(Kind.ORDER, order.id),
        "status": order_status(order),
        "total": text(order.total_minor, order.currency),
        "currency": order.currency,
        "created_at": iso(order.placed_at),
    }


def _deliverables(call: Call, made: ResellerOrder) -> list[ShownDeliverable]:
    return [_deliverable(call, made, line) for line in made.order.lines]


def _deliverable(call: Call, made: ResellerOrder, line: LineView) -> ShownDeliverable:
    currency = made.order.currency
    return ShownDeliverable(
        product_id=call.ids.write(Kind.PRODUCT, line.product_id),
        variant_id=variant_of(line, call.ids),
        product_title=line.name,
        quantity=line.quantity,
        unit_price=text(line.unit_price_minor, currency),
        total=text(line.total_minor, currency),
        delivered=line.shipped == line.quantity,
        serials=made.serials.get(line.line_no, ()),
    )
