"""The states of an order: a fulfilment axis, a payment axis, and a state of each line.

The table `order_moves` has the same arrows; the database refuses all others.
"""

from typing import Literal, get_args

import msgspec

Axis = Literal["fulfilment", "payment", "line"]
FulfilmentState = Literal[
    "waiting_for_release",
    "reserved",
    "processing",
    "in_fulfilment",
    "partially_shipped",
    "shipped",
    "completed",
    "cancelled",
]
PaymentState = Literal[
    "none",
    "awaiting",
    "authorised",
    "paid",
    "partially_refunded",
    "refunded",
    "voided",
    "expired",
]
LineState = Literal["open", "partially_shipped", "shipped", "returned", "cancelled"]

MOVES: dict[Axis, dict[str, tuple[str, ...]]] = {
    "fulfilment": {
        "waiting_for_release": (
            *("reserved", "processing", "cancelled"),
            *("partially_shipped", "shipped"),  # what is delivered without a warehouse
        ),
        "reserved": ("processing", "waiting_for_release", "cancelled"),
        "processing": ("waiting_for_release", "in_fulfilment", "cancelled"),
        "in_fulfilment": ("processing", "partially_shipped", "shipped"),
        "partially_shipped": ("shipped",),
        "shipped": ("completed",),
    },
    "payment": {
        "awaiting": ("authorised", "paid", "voided", "expired"),
        "authorised": ("paid", "voided"),
        "paid": ("partially_refunded", "refunded"),
        "partially_refunded": ("refunded",),
    },
    "line": {
        "open": ("partially_shipped", "shipped", "cancelled"),
        "partially_shipped": ("shipped",),
        "shipped": ("returned",),
    },
}
BEGINNINGS: dict[Axis, tuple[str, ...]] = {
    "fulfilment": ("waiting_for_release", "reserved", "processing", "completed"),
    "payment": ("none", "awaiting", "authorised", "paid"),
    "line": ("open", "shipped"),
}

OPEN = ("waiting_for_release", "reserved", "processing", "in_fulfilment", "partially_shipped")
OVER = ("shipped", "completed", "cancelled")
STATES = (*OPEN, *OVER)
PAYMENT_STATES: tuple[PaymentState, ...] = get_args(PaymentState)
FREELY_CANCELLED = ("waiting_for_release", "reserved")
"""Where a paid order is not in fulfilment yet: its partner may take lines back."""
CANCELLABLE = tuple(state for state in OPEN if "cancelled" in MOVES["fulfilment"][state])
WORKABLE = ("processing", "in_fulfilment", "partially_shipped")
RETURNABLE = ("partially_shipped", "shipped", "completed")

FULFILMENT_NAMES: dict[str, str] = {
    "waiting_for_release": "Waiting for release",
    "reserved": "Waiting for stock",
    "processing": "To pick",
    "in_fulfilment": "Being packed",
    "partially_shipped": "Partly shipped",
    "shipped": "Shipped",
    "completed": "Completed",
    "cancelled": "Cancelled",
}
"""The states in words, the same wherever people read them."""
PAYMENT_NAMES: dict[str, str] = {
    "none": "On account",
    "awaiting": "Unpaid",
    "authorised": "Card authorised",
    "paid": "Paid",
    "partially_refunded": "Partly refunded",
    "refunded": "Refunded",
    "voided": "Not charged",
    "expired": "Not paid in time",
}


class OrderState(msgspec.Struct, frozen=True):
    """An order's states on its two axes."""

    fulfilment: str
    payment: str
