"""The readings of Order, OrderItem, ShippingPackage and what belongs to them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crossdock.channels.shoppo.connections import connection_types
from crossdock.channels.shoppo.ids import Kind
from crossdock.channels.shoppo.order_rows import CheckpointRow, ItemRow, OrderRow, PackageRow
from crossdock.channels.shoppo.order_states import (
    item_status,
    order_status,
    package_status,
    reason_type,
    refund_status,
)
from crossdock.channels.shoppo.subjects import Read
from crossdock.channels.shoppo.wire import amount, seconds

TRACKING_NUMBER, SELLER_NAME, LOGISTIC = "tracking_number", "seller_name", "logistic_attribute"
"""What the channel keeps with an order."""


def _time(moment: datetime | None) -> int | None:
    return None if moment is None else seconds(moment)


def _money(row: OrderRow, minor: int) -> float:
    return amount(minor, row.view.currency)


def _kept(row: OrderRow, name: str) -> str | None:
    text: str | None = row.view.channel_data.get(name)
    return text


_ORDER: dict[str, Read] = {
    "id": lambda row, call: call.ids.encode(Kind.ORDER, row.view.id),
    "status": lambda row, _: order_status(row.view),
    "refundStatus": lambda row, _: refund_status(row.view),
    "orderItems": lambda row, _: row.items,
    "shippingAddress": lambda row, _: row,
    "discountAmount": lambda row, _: _money(row, row.view.discount_minor),
    "orderSubtotal": lambda row, _: _money(row, row.view.total_minor + row.view.discount_minor),
    "orderTotal": lambda row, _: _money(row, row.view.total_minor),
    "shippingCost": lambda row, _: _money(row, row.view.shipping_minor),
    "timeCreated": lambda row, _: seconds(row.view.placed_at),
    "timePaymentProcessed": lambda row, _: _time(row.view.paid_at),
    "trackingNumber": lambda row, _: _kept(row, TRACKING_NUMBER),
    "partnerOrderCode": lambda row, _: row.view.partner_order_id,
    "partnerSellerName": lambda row, _: _kept(row, SELLER_NAME),
    "timeExpires": lambda row, _: _time(row.view.expires_at),
}
_TWINS = {
    "discount_amount": "discountAmount",
    "order_items": "orderItems",
    "order_subtotal": "orderSubtotal",
    "order_total": "orderTotal",
    "shipping_address": "shippingAddress",
    "shipping_cost": "shippingCost",
    "refund_status": "refundStatus",
    "time_created": "timeCreated",
    "time_payment_processed": "timePaymentProcessed",
    "tracking_number": "trackingNumber",
}


def _is_refunded(row: ItemRow, _call: Any) -> bool:
    return row.line.refunded_at is not None


def _refunded_amount(row: ItemRow, _call: Any) -> float | None:
    line = row.line
    return None if line.refunded_at is None else _money(row.order, line.refunded_minor)


def _shipping_refunded(row: ItemRow, _call: Any) -> bool | None:
    return None if row.line.refunded_at is None else row.line.shipping_refunded


def _package(row: ItemRow, _call: Any) -> PackageRow | None:
    return None if row.package is None else PackageRow(row.package)


_ITEM: dict[str, Read] = {
    "id": lambda row, call: call.ids.encode(Kind.ORDER_ITEM, row.order.view.id, row.line.line_no),
    "status": lambda row, _: item_status(row.order.view, row.line, row.packages),
    "order": lambda row, _: row.order,
    "product": lambda row, _: row.sku.product,
    "sku": lambda row, _: row.sku,
    "quantity": lambda row, _: row.line.quantity,
    "isRefunded": _is_refunded,
    "refundedAmount": _refunded_amount,
    "shippingRefunded": _shipping_refunded,
    "timeRefunded": lambda row, _: _time(row.line.refunded_at),
    "refundReasonType": lambda row, _: reason_type(row.line),
    "shippingPackage": _package,
    "shippingProvider": lambda row, _: row.package and row.package.carrier,
    "trackingNumber": lambda row, _: row.package and row.package.tracking_number,
    "is_refunded": _is_refunded,
}
_ADDRESS: dict[str, Read] = {
    "recipientFirstName": lambda row, _: row.view.shipping.first_name,
    "recipientLastName": lambda row, _: row.view.shipping.last_name,
    "streetAddress1": lambda row, _: row.view.shipping.address_1,
    "streetAddress2": lambda row, _: row.view.shipping.address_2,
    "city": lambda row, _: row.view.shipping.city,
    "state": lambda row, _: row.view.shipping.state,
    "countryCode": lambda row, _: row.view.shipping.country,
    "zipcode": lambda row, _: row.view.shipping.postcode,
    "phoneNumber": lambda row, _: row.view.shipping.phone,
    "logisticAttribute": lambda row, _: _kept(row, LOGISTIC),
}
_PACKAGE: dict[str, Read] = {
    "id": lambda row, call: call.ids.encode(Kind.PACKAGE, row.view.id),
    "checkpoints": lambda row, _: [
        CheckpointRow(row.view.carrier, seen) for seen in row.view.checkpoints
    ],
    "courier": lambda row, _: row.view.carrier,
    "isDelivered": lambda row, _: row.view.delivered_at is not None,
    "status": lambda row, _: package_status(row.view),
    "timeDelivered": lambda row, _: _time(row.view.delivered_at),
    "timeLanded": lambda row, _: _time(row.view.landed_at),
    "timeShipped": lambda row, _: _time(row.view.shipped_at),
    "timeTracked": lambda row, _: _time(row.view.tracked_at),
    "trackingNumber": lambda row, _: row.view.tracking_number,
}
_CHECKPOINT: dict[str, Read] = {
    "courier": lambda row, _: row.courier,
    "time": lambda row, _: seconds(row.view.happened_at),
    "message": lambda row, _: row.view.message,
    "location": lambda row, _: row.view.place,
}
_PAYLOAD: dict[str, Read] = {"order": lambda row, _: row.order}

ORDER_TYPES: Mapping[str, Mapping[str, Read]] = {
    "Order": _ORDER | {old: _ORDER[name] for old, name in _TWINS.items()},
    "OrderItem": _ITEM,
    "ShippingAddress": _ADDRESS,
    "ShippingPackage": _PACKAGE,
    "Checkpoint": _CHECKPOINT,
    "CreateOrderPayload": _PAYLOAD,
    "SetOrderAsPaidPayload": _PAYLOAD,
    "CancelOrderPayload": _PAYLOAD,
    "CancelOrderItemPayload": {"orderItem": lambda row, _: row.item},
    **connection_types("Order"),
}
