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
    "waiting_for_release": Word("Waiting for release", "wait", "◔"),
    "reserved": Word("Waiting for stock", "wait", "◔"),
    "processing": Word("To pick", "", "○"),
    "in_fulfilment": Word("Being packed", "", "◐"),
    "partially_shipped": Word("Partly shipped", "", "◑"),
    "shipped": Word("Shipped", "good", "●"),
    "completed": Word("Completed", "good", "●"),
    "cancelled": Word("Cancelled", "off", "✕"),
}
PAYMENT: Final = {
    "none": Word("On account", "", "–"),
    "awaiting": Word("Unpaid", "wait", "○"),
    "authorised": Word("Card authorised", "", "◐"),
    "paid": Word("Paid", "good", "●"),
    "partially_refunded": Word("Partly refunded", "", "◑"),
    "refunded": Word("Refunded", "off", "↩"),
    "voided": Word("Not charged", "off", "✕"),
    "expired": Word("Not paid in time", "off", "✕"),
}
RETURNS: Final = {
    "announced": lazy("registered"),
    "received": lazy("received"),
    "refused": lazy("refused"),
}
DONE: Final = {
    "released": "The order is released and can be picked.",
    "reserved": "Not everything is in stock, so the order is reserved. It is released when the stock is there.",
    "sent": "Shipped. The labels and tracking numbers are with the packages below.",
    "delivered": "Delivered. The buyer gets a mail with what was bought.",
    "paid": "The payment is recorded.",
    "placed": lazy("The order is placed."),
    "placed_before": lazy("This order was placed before; nothing was placed a second time."),
    "resent": lazy("The order is sent to its connector again."),
    "line_cancelled": lazy("The line is cancelled and its stock can be sold again."),
    "line_refunded": lazy("The line is refunded."),
    "return_registered": lazy("The return is registered. Receive it when the goods are here."),
    "received": lazy("The return is received. Refund it with the link beside it, if it is to be."),
    "noted": "The note is kept with the order. Only staff see it.",
    "cancelled": "The order is cancelled and its stock is released.",
    "refunded": "The refund is made.",
}
WORK_DONE: Final = {
    "picked": "Picked.",
    "unpicked": "Back on the shelf.",
    "packed": "Packed. The package can be shipped.",
    "unpacked": "The package is opened; what was in it is picked and not packed.",
    "serials": "The serials are noted.",
    "sent": "Shipped. The label is with the order's packages.",
}


def happening(event: EventView) -> str:
    """An event in words: 'Placed', 'Payment captured: 12.00', and why where the event says so; a note's text."""
    if event.kind == "order.noted":
        return str(event.payload.get("text", ""))
    words = event.kind.replace(".", " ").replace("_", " ").removeprefix("order ")
    reason = event.payload.get("reason")
    return words.capitalize() + (f": {reason}" if isinstance(reason, str) and reason else "")


def who(event: EventView, order: OrderView) -> str:
    """Who did what an event tells: a person, the partner's program, the connector, or the server by itself."""
    if event.author:
        return event.author
    if event.kind == "order.placed" or event.payload.get("by") == "partner":
        return order.channel
    connector = event.payload.get("connector")
    return connector if isinstance(connector, str) and connector else "Crossdock"
