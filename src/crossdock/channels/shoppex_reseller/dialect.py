"""This protocol's webhooks: their names, what they hold, and how they are signed (spec section 11)."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from crossdock.channels.shoppex_reseller import NAME
from crossdock.channels.shoppex_reseller.happenings import NAMES, read_messages
from crossdock.channels.shoppex_reseller.ids import Kind, WireIds
from crossdock.channels.shoppex_reseller.samples import sample_data
from crossdock.channels.shoppex_reseller.signatures import HIDDEN, sign
from crossdock.channels.shoppex_reseller.wire import encoded
from crossdock.shop.webhooks import Dialect


def create_dialect() -> Dialect:
    """This protocol's webhooks."""
    return Dialect(
        channel=NAME,
        names=NAMES,
        topics=("orders", "money", "catalogue", "price", "stock", "resellers"),
        read=read_messages,
        body=write_body,
        sign=sign,
        wire_id=wire_id,
        sample=sample_data,
        hidden=HIDDEN,
    )


def wire_id(key: bytes, *, delivery_id: int) -> str:
    """The id of a delivery, which every attempt has."""
    return f"whd_{_ids(bytes(key)).write(Kind.WEBHOOK_LOG, delivery_id)}"


_ids = lru_cache(maxsize=256)(WireIds)  # a shop's are made for each of its deliveries otherwise


def write_body(name: str, *, data: Mapping[str, Any], at: int) -> bytes:
    """The envelope (spec section 11.2)."""
    return encoded({"event": name, "data": data, "created_at": at})
