"""What this channel stores of an order besides the core's columns, to return it later (spec 7.2)."""

from typing import Any

import msgspec


class KeptOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the client sent with the order; times as text, as sent."""

    external_reference: str = ""
    comment_packing: str = ""
    created_at: str = ""
    updated_at: str = ""
    shipping_method: str = ""
    shipping_company: str = ""
    has_billing: bool = False


class KeptLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the client sent with a line."""

    comment: str = ""
    external_line_id: str | int = ""
    price_text: str = ""


def kept_order(channel_data: dict[str, Any]) -> KeptOrder:
    """The stored data; all defaults for an order of another channel."""
    return msgspec.convert(channel_data, KeptOrder)


def kept_line(channel_data: dict[str, Any]) -> KeptLine:
    """The stored data of a line."""
    return msgspec.convert(channel_data, KeptLine)
