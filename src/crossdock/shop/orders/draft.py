"""The draft of an order: everything that `place` will write.

The SQL function `place_order` reads it as it is encoded here.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from crossdock.errors import Refused
from crossdock.kit.money import MINOR_MAX
from crossdock.shop.catalogue import VariantName
from crossdock.shop.customers import Address

Take = Literal["own_capped", "own", "own_first", "supplier", "hold", "serials"]
"""Where a line's stock comes from; see `take_stock` in taking.sql."""

Beginning = Literal["waiting_for_release", "reserved", "processing", "completed"]
Payment = Literal["none", "awaiting", "authorised", "paid"]
ReleasePolicy = Literal[
    "placed", "by_hand", "when_available", "immediate", "after_payment", "delivered"
]
"""Who releases the order: its placing did, somebody will by hand, or the stock run: when everything
is there, or at once, without looking; or the order releases itself some time after it was paid; or nobody,
because it is `delivered` as it is: its serials once it is paid, what else it has by hand."""

Minor = Annotated[int, Meta(ge=0)]
Outcome = Literal["created", "replayed", "conflict"]


class Identity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What makes placing idempotent: a key, unique for ever within its namespace.

    With a `request_hash` a repeat of the same request is a replay and another request a conflict;
    without one every second use is a conflict.
    """

    namespace: str
    key: str
    request_hash: bytes | None = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A variant as it is sold; later changes of the catalogue do not change it.

    `virtual` goods are not shipped; None: `place_order` asks the catalogue.
    """

    variant_id: int
    product_id: int
    merchant_id: int
    sku: str
    upc: str
    origin: str
    image: str | None
    vat_bp: int
    virtual: bool | None = None


class DraftLine(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity of one variant. Amounts are minor units; all but the unit price are for the whole line.

    A variant may be given by a name, which is resolved while the order is written; `name` '' then
    takes the catalogue's. `channel_data` is the channel's own, opaque to the core, and so is `as_sold`: the
    product and its variant as they are sold, which is kept for ever.
    """

    variant: Snapshot | VariantName
    name: str
    quantity: Annotated[int, Meta(ge=1)]
    unit_price_minor: Minor
    take: Take | None
    hold_id: int | None = None
    discount_minor: Minor = 0
    tax_minor: Minor = 0
    shipping_minor: Minor = 0
    note: str = ""
    channel_data: Any = {}
    as_sold: Any = {}


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """The connector that an order goes to; with the `kind` 'manual' staff fulfil it here."""

    name: str
    kind: str


class OrderDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An order before it is placed. The parts of merchants that `routes` has go where it says, None for
    nowhere, all others to `connector`. `state_when_short` is its first state if stock is short.

    `merchant_ids` are those whose variants the caller may name, None for all. An order with a payment
    state is posted as sold; `payment_id` is the authorised payment that pays it, `prepaid_owner` the
    owner of the prepaid account that does. An order whose lines take serials delivers them as it is
    placed and begins as `completed`; no other does, and no line of another takes serials. With
    `release_after_s` it is released by itself so many seconds after it was paid. `coupon_ids` are the coupons
    that made its prices or discounts; their use is counted with it.
    """

    shop_id: int
    channel: str
    order_key: str
    identity: Identity | None
    partner_id: int | None
    partner_order_id: str
    currency: str
    billing: Address
    shipping: Address
    lines: tuple[DraftLine, ...]
    source: str
    state: Beginning = "processing"
    state_when_short: Beginning | None = None
    release_policy: ReleasePolicy = "placed"
    payment_state: Payment = "none"
    payment_id: int | None = None
    prepaid_owner: str | None = None
    expires_at: datetime | None = None
    release_after_s: int | None = None
    connector: Route | None = None
    routes: dict[int, Route | None] = {}
    coupon_ids: tuple[int, ...] = ()
    merchant_ids: tuple[int, ...] | None = None
    customer_id: int | None = None
    parent_id: int | None = None
    language: str = ""
    comments: str = ""
    tax_id: str = ""
    resale_tax: str = ""
    sales_rep_id: int | None = None
    sales_rep_source: str = "none"
    is_test: bool = False
    channel_data: Any = {}

    def __post_init__(self) -> None:
        takes_serials = [line.take == "serials" for line in self.lines]
        if set(takes_serials) != {self.state == "completed"}:
            raise ValueError(
                "an order takes serials for all its lines and begins completed, or neither"
            )
        if self.prepaid_owner is not None and self.payment_state != "paid":
            raise ValueError("an order that a prepaid account pays is paid")

    @property
    def subtotal_minor(self) -> int:
        """What the lines cost before discount, tax and shipping."""
        return sum(line.unit_price_minor * line.quantity for line in self.lines)

    @property
    def total_minor(self) -> int:
        """What the order costs."""
        return self.subtotal_minor + sum(
            line.tax_minor + line.shipping_minor - line.discount_minor for line in self.lines
        )

    def encode(self) -> str:
        """The draft as `place_order` reads it, with its sums.

        Raises Refused `order_amount_not_allowed` for a sum that no ledger holds.
        """
        document = {name: getattr(self, name) for name in self.__struct_fields__}
        document |= {
            "subtotal_minor": self.subtotal_minor,
            "discount_minor": sum(line.discount_minor for line in self.lines),
            "tax_minor": sum(line.tax_minor for line in self.lines),
            "shipping_minor": sum(line.shipping_minor for line in self.lines),
            "total_minor": self.total_minor,
            "names_variants": any(isinstance(line.variant, VariantName) for line in self.lines),
            "lines": [_line(number, line) for number, line in enumerate(self.lines, start=1)],
        }
        if max(self.subtotal_minor, self.total_minor) > MINOR_MAX:
            data = {"subtotal_minor": self.subtotal_minor}
            raise Refused("order_amount_not_allowed", data=data)
        if self.identity is None:
            del document["identity"]
        if not self.routes:
            del document["routes"]
        if not self.coupon_ids:
            del document["coupon_ids"]
        return msgspec.json.encode(document).decode()


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """The committed order, or the existing one with the draft's identity; `state` is a new order's first state."""

    id: int
    order_key: str
    outcome: Outcome
    state: str | None
    total_minor: int


def _line(number: int, line: DraftLine) -> dict[str, Any]:
    values = {name: getattr(line, name) for name in line.__struct_fields__ if name != "variant"}
    return {"line_no": number, **msgspec.structs.asdict(line.variant), **values}
