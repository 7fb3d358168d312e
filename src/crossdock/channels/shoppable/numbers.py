"""The numbers that this channel shows: orders, partners (spec 7.2, 8.2)."""

import re
from typing import Final

_ORDER = re.compile(r"[Rr]([0-9]{9,18})", re.ASCII)
_PARTNER_FIRST: Final = 10_000


def order_number(order_id: int) -> str:
    """`R` and nine digits."""
    return f"R{order_id:09d}"


def read_order_number(text: str) -> int | None:
    """The order with this number; None for a text that is no number."""
    match = _ORDER.fullmatch(text.strip())
    return int(match[1]) if match else None


def partner_number(partner_id: int) -> int:
    """The partner's number, which begins at 10000."""
    return _PARTNER_FIRST + partner_id
