"""What this channel keeps of an order beside the core's own columns, to tell it again (spec 7.2)."""

from typing import Any

import msgspec


class KeptOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the caller said of the order; times as it wrote them."""

    external_reference: str = ""
    comment_packing: str = ""
    created_at: str = ""
    updated_at: str = ""
    shipping_method: str = ""
    shipping_company: str = ""
    has_billing: bool = False


class KeptLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the caller said of a line."""

    comment: str = ""
    external_line_id: str | int = ""
    price_text: str = ""


def kept_order(channel_data: dict[str, Any]) -> KeptOrder:
    """What was kept; an order of another channel has nothing of it."""
    return msgspec.convert(channel_data, KeptOrder)


def kept_line(channel_data: dict[str, Any]) -> KeptLine:
    """What was kept of a line."""
    return msgspec.convert(channel_data, KeptLine)
