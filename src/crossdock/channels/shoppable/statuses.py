"""The statuses of orders and lines, as words and as numbers (spec 8.3)."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from crossdock.shop.orders import Standing

COMPLETE: Final = "Complete"
PENDING: Final = "Pending"
CANCELED: Final = "Canceled"
PROCESSING: Final = "Retailer processing"
TEST: Final = "Test"
RETURNED: Final = "Returned"
ATTENTION: Final = "Attention required"
NUMBERS: Final[dict[str, int]] = {
    COMPLETE: 1,
    PENDING: 2,
    CANCELED: 3,
    "Invalid cc": 4,
    "Out of stock": 5,
    "Invalid billing": 6,
    "Invalid shipping": 7,
    "Invalid payment": 8,
    "Invalid coupon": 9,
    "Retailer attention": 10,
    PROCESSING: 11,
    "Fraud detected": 12,
    TEST: 13,
    "Invalid product info": 14,
    RETURNED: 15,
    ATTENTION: 16,
}
# Complete is what the merchant has: its system has the order, or its goods were shipped.
_WORDS: Final[dict[Standing, str]] = {
    "placed": PENDING,
    "in_progress": PROCESSING,
    "handed_over": COMPLETE,
    "stuck": ATTENTION,
    "done": COMPLETE,
    "returned": RETURNED,
    "cancelled": CANCELED,
}


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A line's status and the one before it, '' where there was none."""

    now: str
    before: str

    @property
    def number(self) -> int:
        """The status as checkout tells it."""
        return NUMBERS[self.now]


def line_status(history: Sequence[Standing], *, is_test: bool) -> Status:
    """The status of a line with this history; a test's line begins as Test."""
    words: list[str] = []
    for standing in history:
        word = TEST if is_test and standing == "placed" else _WORDS[standing]
        if not words or words[-1] != word:
            words.append(word)
    return Status(now=words[-1], before=words[-2] if len(words) > 1 else "")


def order_status(lines: Iterable[str]) -> str:
    """The status of an order with lines of these statuses.

    | lines | order |
    |---|---|
    | all Canceled | Canceled |
    | Complete or Canceled | Complete |
    | Returned, besides Complete or Canceled | Returned |
    | one needs attention | Attention required |
    | one is Complete, processed or Returned | Retailer processing |
    | else | Pending, or Test |
    """
    found = set(lines)
    if found <= {CANCELED}:
        return CANCELED
    if found <= {COMPLETE, CANCELED}:
        return COMPLETE
    if found <= {COMPLETE, CANCELED, RETURNED}:
        return RETURNED
    if ATTENTION in found:
        return ATTENTION
    if found & {COMPLETE, PROCESSING, RETURNED}:
        return PROCESSING
    return TEST if TEST in found else PENDING
