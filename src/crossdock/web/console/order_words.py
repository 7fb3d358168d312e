"""States and events of orders in people's words, each with a mark that is told apart without colour."""

from typing import Final, NamedTuple

from crossdock.kit.languages import lazy
from crossdock.shop.orders import EventView, OrderView


class Word(NamedTuple):
    """A state's name, the class of its pill, and its mark."""

    text: str
    kind: str
    mark: str


FULFILMENT: Final = {
    "waiting_for_release": Word(lazy("Waiting for release"), "wait", "◔"),
    "reserved": Word(lazy("Waiting for stock"), "wait", "◔"),
    "processing": Word(lazy("To pick"), "", "○"),
    "in_fulfilment": Word(lazy("Being packed"), "", "◐"),
    "partially_shipped": Word(lazy("Partly shipped"), "", "◑"),
    "shipped": Word(lazy("Shipped"), "good", "●"),
    "completed": Word(lazy("Completed"), "good", "●"),
    "cancelled": Word(lazy("Cancelled"), "off", "✕"),
}
PAYMENT: Final = {
    "none": Word(lazy("On account"), "", "–"),
    "awaiting": Word(lazy("Unpaid"), "wait", "○"),
    "authorised": Word(lazy("Card authorised"), "", "◐"),
    "paid": Word(lazy("Paid"), "good", "●"),
    "partially_refunded": Word(lazy("Partly refunded"), "", "◑"),
    "refunded": Word(lazy("Refunded"), "off", "↩"),
    "voided": Word(lazy("Not charged"), "off", "✕"),
    "expired": Word(lazy("Not paid in time"), "off", "✕"),
}
RETURNS: Final = {
    "announced": lazy("registered"),
    "received": lazy("received"),
    "refused": lazy("refused"),
}
DONE: Final = {
    "released": lazy("The order is released and can be picked."),
    "reserved": lazy(
        "Not everything is in stock, so the order is reserved. It is released when the stock is there."
    ),
    "sent": lazy("Shipped. The labels and tracking numbers are with the packages below."),
    "delivered": lazy("Delivered. The buyer gets a mail with what was bought."),
    "paid": lazy("The payment is recorded."),
    "placed": lazy("The order is placed."),
    "placed_before": lazy("This order was placed before; nothing was placed a second time."),
    "resent": lazy("The order is sent to its connector again."),
    "line_cancelled": lazy("The line is cancelled and its stock can be sold again."),
    "line_refunded": lazy("The line is refunded."),
    "return_registered": lazy("The return is registered. Receive it when the goods are here."),
    "received": lazy("Return received. To pay it back, use Refund beside it."),
    "noted": lazy("The note is kept with the order. Only staff see it."),
    "cancelled": lazy("The order is cancelled and its stock is released."),
    "closed": lazy("The order is closed: what has not left is cancelled."),
    "refunded": lazy("The refund is made."),
}
WORK_DONE: Final = {
    "picked": lazy("Picked."),
    "unpicked": lazy("Back on the shelf."),
    "packed": lazy("Packed. The package can be shipped."),
    "unpacked": lazy("The package is opened; what was in it is picked and not packed."),
    "serials": lazy("The serials are noted."),
    "sent": lazy("Shipped. The label is with the order's packages."),
}


HAPPENINGS: Final = {
    "dispatch.failed": lazy("Sending to the connector failed"),
    "dispatch.sent": lazy("Sent to the connector"),
    "order.address_changed": lazy("Address changed"),
    "order.annotated": lazy("Annotated"),
    "order.cancelled": lazy("Cancelled"),
    "order.closed": lazy("Closed"),
    "order.completed": lazy("Completed"),
    "order.in_fulfilment": lazy("In fulfilment"),
    "order.lines_moved": lazy("Lines moved"),
    "order.lines_refunded": lazy("Lines refunded"),
    "order.partially_shipped": lazy("Partially shipped"),
    "order.picked": lazy("Picked"),
    "order.placed": lazy("Placed"),
    "order.recalled": lazy("Recalled"),
    "order.released": lazy("Released"),
    "order.reserved": lazy("Reserved"),
    "order.shipped": lazy("Shipped"),
    "order.unpicked": lazy("Unpicked"),
    "package.delivered": lazy("Package delivered"),
    "package.packed": lazy("Package packed"),
    "package.shipped": lazy("Package shipped"),
    "package.unpacked": lazy("Package unpacked"),
    "payment.authorised": lazy("Payment authorised"),
    "payment.expired": lazy("Payment expired"),
    "payment.paid": lazy("Payment paid"),
    "payment.partially_refunded": lazy("Payment partially refunded"),
    "payment.refunded": lazy("Payment refunded"),
    "payment.voided": lazy("Payment voided"),
    "return.announced": lazy("Return announced"),
    "return.received": lazy("Return received"),
}


def happening(event: EventView) -> str:
    """An event in words: 'Placed', 'Payment captured: 12.00', and why where the event says so; a note's text."""
    if event.kind == "order.noted":
        return str(event.payload.get("text", ""))
    words = event.kind.replace(".", " ").replace("_", " ").removeprefix("order ").capitalize()
    reason = event.payload.get("reason")
    return str(HAPPENINGS.get(event.kind, words)) + (
        f": {reason}" if isinstance(reason, str) and reason else ""
    )


def who(event: EventView, order: OrderView) -> str:
    """Who did what an event tells: a person, the partner's program, the connector, or the server by itself."""
    if event.author:
        return event.author
    if event.kind == "order.placed" or event.payload.get("by") == "partner":
        return order.channel
    connector = event.payload.get("connector")
    return connector if isinstance(connector, str) and connector else "Crossdock"
