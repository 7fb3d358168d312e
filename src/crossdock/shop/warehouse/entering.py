"""Enter the order of a web shop whose goods the warehouse holds."""

import msgspec

from crossdock.db.unit_of_work import Database
from crossdock.errors import NotFound, Refused
from crossdock.kit.clock import Clock
from crossdock.kit.ids import Ids
from crossdock.kit.money import MINOR_MAX
from crossdock.shop.catalogue import VariantName
from crossdock.shop.customers import Address
from crossdock.shop.orders import order_exists
from crossdock.shop.partners import Partner

RELEASE_LOOKING = "looking"
RELEASE_IMMEDIATE = "immediate"


class LineDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the caller said of a line and wants to hear again."""

    name: str = ""
    comment: str = ""
    external_line_id: str | int = ""
    price_text: str = ""


class OrderDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the caller said of the order and wants to hear again; times as it wrote them."""

    external_reference: str = ""
    comment_packing: str = ""
    created_at: str = ""
    updated_at: str = ""
    shipping_method: str = ""
    shipping_company: str = ""
    language: str = ""
    has_billing: bool = False
    released_unseen: bool = False
    parent_id: int | None = None


class ConsignedLine(msgspec.Struct, frozen=True, kw_only=True):
    """So many of one good; `price_minor` is informational, 0 where none was given."""

    good: VariantName
    quantity: int
    price_minor: int = 0
    details: LineDetails = LineDetails()


class ConsignedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as a web shop hands it over."""

    partner_order_id: str
    billing: Address
    shipping: Address
    lines: tuple[ConsignedLine, ...]
    is_release_wanted: bool
    source: str
    comment: str = ""
    details: OrderDetails = OrderDetails()
    is_test: bool = False


class EnteredOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The committed order and the state that it is in now."""

    id: int
    state: str


class Entering(msgspec.Struct, frozen=True, kw_only=True):
    """What entering needs besides the order."""

    db: Database
    clock: Clock
    ids: Ids


async def enter_order(
    service: Entering, *, partner: Partner, order: ConsignedOrder, release_mode: str
) -> EnteredOrder:
    """The entered order, released if that was wanted and its goods are there (spec shopwedo 14.2).

    One statement, so one transaction. With `release_mode` 'immediate' it is released without looking, and the stock
    run takes it back when goods are short. Raises NotFound `variant_not_found` with the `line_numbers`
    (from 1) that name no good of the partner's, Conflict `partner_order_exists`, Refused
    `order_amount_not_allowed` for a sum that no ledger holds.
    """
    now = service.clock.now()
    unseen = order.is_release_wanted and release_mode == RELEASE_IMMEDIATE
    document = _document(partner, order, order_key=service.ids.order_key(), unseen=unseen)
    async with service.db.statement() as tx:
        row = await tx.one(
            "select * from enter_order(%s::jsonb, %s::bigint[], %s, %s, %s)",
            (
                msgspec.json.encode(document).decode(),
                partner.merchant_ids,
                order.is_release_wanted,
                not unseen,
                now,
            ),
        )
    assert row is not None  # the function answers one row, always
    order_id, order_key, was_made, state, unknown = row
    if unknown:
        raise NotFound("variant_not_found", data={"line_numbers": unknown})
    if not was_made:
        raise order_exists(order_id, order_key)
    return EnteredOrder(id=order_id, state=state)


def _document(
    partner: Partner, order: ConsignedOrder, *, order_key: str, unseen: bool
) -> dict[str, object]:
    """What the SQL function enter_order reads; see entering.sql."""
    subtotal = sum(line.price_minor * line.quantity for line in order.lines)
    if subtotal > MINOR_MAX:
        raise Refused("order_amount_not_allowed", data={"subtotal_minor": subtotal})
    return {
        "shop_id": partner.shop_id,
        "order_key": order_key,
        "partner_id": partner.id,
        "channel": partner.channel,
        "partner_order_id": order.partner_order_id,
        "customer_id": None,
        "currency": partner.currency,
        "subtotal_minor": subtotal,
        "tax_minor": 0,
        "shipping_minor": 0,
        "discount_minor": 0,
        "total_minor": subtotal,
        "billing": order.billing,
        "shipping": order.shipping,
        "comments": order.comment,
        "tax_id": "",
        "resale_tax": "",
        "sales_rep_id": None,
        "sales_rep_source": "none",
        "source": order.source,
        "is_test": order.is_test,
        "details": msgspec.structs.replace(order.details, released_unseen=unseen),
        "connector": None,
        "lines": [_line(number, line) for number, line in enumerate(order.lines, start=1)],
    }


def _line(number: int, line: ConsignedLine) -> dict[str, object]:
    return {
        "line_no": number,
        "kind": line.good.kind,
        "text": line.good.text,
        "name": line.details.name or None,
        "image": None,
        "quantity": line.quantity,
        "unit_price_minor": line.price_minor,
        "note": "",
        "details": line.details,
    }
