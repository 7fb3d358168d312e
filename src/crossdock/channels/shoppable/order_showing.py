"""Orders as this channel tells them, line by line (spec 7.2, 8.2)."""

from collections.abc import Iterable
from typing import Any

import msgspec

from crossdock.channels.shoppable.cart_showing import iso
from crossdock.channels.shoppable.checkout_fields import ADDRESS
from crossdock.channels.shoppable.numbers import order_number, partner_number
from crossdock.channels.shoppable.order_answers import WireFedLine, WireOrderLine
from crossdock.channels.shoppable.showing import wire_sku
from crossdock.channels.shoppable.statuses import COMPLETE, Status, line_status, order_status
from crossdock.channels.shoppable.wire import amount
from crossdock.kit.money import format_minor
from crossdock.shop.customers import Address
from crossdock.shop.orders import (
    FedOrder,
    LineCommission,
    LineProgress,
    OrderView,
    PartView,
    commission_of,
    progress_of,
)
from crossdock.shop.partners import Partner

CARD = 1


class KeptLine(msgspec.Struct, frozen=True, kw_only=True):
    """What this channel keeps with a line as it is sold."""

    product_name: str = ""
    brand: str = ""
    color: str = ""
    size: str = ""
    part_number: str = ""
    merchant_sku: str = ""
    url: str = ""
    image: str = ""


class KeptOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What this channel keeps with an order."""

    cart_id: str = ""
    campaign: str = ""
    opt_in: bool = False


class OrderShowing:
    """Renders the orders of one partner."""

    def __init__(self, partner: Partner) -> None:
        self._partner = partner

    def order(self, order: OrderView) -> list[WireOrderLine]:
        """The lines of an order; needs its lines, parts, packages and timeline."""
        progress = progress_of(order)
        statuses = [line_status(each.history, is_test=order.is_test) for each in progress]
        is_complete = order_status(status.now for status in statuses) == COMPLETE
        return [
            _line(order, each, status, is_complete=is_complete, partner=self._partner)
            for each, status in zip(progress, statuses, strict=True)
        ]

    def feed(self, orders: Iterable[FedOrder]) -> list[WireFedLine]:
        """The lines of all these orders."""
        return [line for fed in orders for line in self._fed(fed)]

    def _fed(self, fed: FedOrder) -> list[WireFedLine]:
        order = fed.order
        statuses = [line_status(each.history, is_test=order.is_test) for each in fed.lines]
        status = order_status(each.now for each in statuses)
        commissions = commission_of(order)
        return [
            _fed_line(
                fed,
                each,
                own,
                order_status=status,
                commission=commissions[each.line.line_no],
                partner=self._partner,
            )
            for each, own in zip(fed.lines, statuses, strict=True)
        ]


def _line(
    order: OrderView,
    progress: LineProgress,
    status: Status,
    *,
    is_complete: bool,
    partner: Partner,
) -> WireOrderLine:
    line, part = progress.line, _part(order, progress)
    kept = msgspec.convert(line.channel_data, KeptLine)
    total, goods, shipping = _totals(order, part)
    nothing = _text(0, order)
    return WireOrderLine(
        **_shared(order, progress, partner=partner),
        **_address("shipping", order.shipping),
        **_address("billing", order.billing),
        color=kept.color,
        size=kept.size,
        mfg_part_number=kept.part_number,
        mfg_sku=kept.merchant_sku,
        price=amount(line.unit_price_minor, order.currency),
        shipping_charge=amount(line.shipping_minor, order.currency),
        quantity=line.quantity,
        url=kept.url,
        status=status.number,
        number=order_number(order.id),
        payment_method=CARD,
        completed_total=total if is_complete else nothing,
        completed_item_total=goods if is_complete else nothing,
        completed_order_total=total if is_complete else nothing,
        completed_shipping_total=shipping if is_complete else nothing,
        created_at=iso(order.placed_at),
        updated_at=iso(order.updated_at),
        expunged=False,
        currency=order.currency,
        customer_id="" if order.customer_id is None else str(order.customer_id),
        language=order.language,
        tracking_number=_tracking(order, line_no=line.line_no),
        tax_payable=_text(order.tax_minor, order),
        campaign=_kept(order).campaign,
        cart_id=_kept(order).cart_id,
        last_modified_by="",
        merchant_total=amount(part.subtotal_minor, order.currency),
    )


def _fed_line(
    fed: FedOrder,
    progress: LineProgress,
    status: Status,
    *,
    order_status: str,
    commission: LineCommission,
    partner: Partner,
) -> WireFedLine:
    order, line = fed.order, progress.line
    part = _part(order, progress)
    kept = msgspec.convert(line.channel_data, KeptLine)
    return WireFedLine(
        **_shared(order, progress, partner=partner),
        **_address("shipping", order.shipping),
        **_address("billing", order.billing),
        order_number=order_number(order.id),
        order_date=iso(order.placed_at),
        order_status=order_status,
        merchant_order_id=progress.external_id,
        product_name=kept.product_name or line.name,
        quantity=str(line.quantity),
        price=_text(line.unit_price_minor, order),
        subtotal=_text(line.unit_price_minor * line.quantity, order),
        previous_status=status.before,
        lineitem_id=line.id,
        lineitem_status=status.now,
        lineitem_url=kept.url,
        lineitem_image_url=kept.image,
        lineitem_color=kept.color,
        lineitem_size=kept.size,
        commission_rate=commission.percent,
        commission=_text(commission.amount_minor, order),
        merchant_total=_text(part.subtotal_minor, order),
        tax=amount(order.tax_minor, order.currency),
        partner_name=partner.name,
        partner_domain=str(partner.settings.get("domain", "")),
        sequence=fed.sequence,
    )


def _shared(order: OrderView, progress: LineProgress, *, partner: Partner) -> dict[str, Any]:
    """The fields that both answers have."""
    line, part = progress.line, _part(order, progress)
    total, goods, shipping = _totals(order, part)
    return {
        "id": order.id,
        "partner_id": partner_number(partner.id),
        "total": total,
        "item_total": goods,
        "shipping_total": shipping,
        "merchant": part.merchant,
        "merchant_id": str(part.merchant_id),
        "part_number": str(line.product_id),
        "sku": wire_sku(line.variant_id),
        "upc": line.upc,
        "title": line.name,
        "brand": msgspec.convert(line.channel_data, KeptLine).brand,
        "opt_in": "true" if _kept(order).opt_in else "false",
    }


def _totals(order: OrderView, part: PartView) -> tuple[str, str, str]:
    """The order's total, its goods, and the merchant's shipping."""
    return (
        _text(order.total_minor, order),
        _text(order.subtotal_minor, order),
        _text(part.shipping_minor, order),
    )


def _address(kind: str, address: Address) -> dict[str, Any]:
    told = {f"{kind}_{name}": getattr(address, field) for field, name in ADDRESS.items()}
    return told | {f"{kind}_country": address.country}


def _kept(order: OrderView) -> KeptOrder:
    return msgspec.convert(order.channel_data, KeptOrder)


def _part(order: OrderView, progress: LineProgress) -> PartView:
    return next(part for part in order.parts if part.merchant_id == progress.line.merchant_id)


def _tracking(order: OrderView, *, line_no: int) -> str:
    """The number of the newest package with units of the line."""
    numbers = [package.tracking_number for package in order.packages if line_no in package.lines]
    return next((number for number in reversed(numbers) if number), "")


def _text(minor: int, order: OrderView) -> str:
    return format_minor(minor, order.currency)
