"""Why lines are refunded (spec shoppo 8)."""

from typing import Literal, get_args

from crossdock.errors import Invalid

RefundReason = Literal[
    "customer_cancelled", "out_of_stock", "bad_address", "agreement", "fraud", "not_shipped"
]
REFUND_REASONS: tuple[RefundReason, ...] = get_args(RefundReason)


def read_reason(text: str) -> RefundReason:
    """The reason of this name. Raises Invalid `invalid_input` with the names."""
    for reason in REFUND_REASONS:
        if reason == text:
            return reason
    message = f"The reason is one of {', '.join(REFUND_REASONS)}."
    raise Invalid("invalid_input", message, {"field": "reason"})
