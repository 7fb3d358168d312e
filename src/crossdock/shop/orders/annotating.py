"""Change what a channel keeps with an order and the address of its buyer; notes of the staff."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.kit.email import is_email
from crossdock.kit.texts import visible
from crossdock.shop.events import OrderAnnotated, OrderNoted, write_event
from crossdock.shop.orders.moving import lock_order

NOTE_MAX = 2_000


async def annotate_order(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    now: datetime,
    changes: Mapping[str, Any] | None = None,
    email: str = "",
) -> None:
    """Change fields of the channel's own data, and the buyer's e-mail address; what was mailed is not mailed again.

    Raises NotFound `order_not_found`, Invalid `invalid_input` for an address that is none.
    """
    await lock_order(tx, shop_id=shop_id, order_id=order_id)
    if email and not is_email(email):
        raise Invalid("invalid_input", "must be a valid email", {"field": "email"})
    buyer = {"email": email} if email else {}
    values = (Jsonb(dict(changes or {})), Jsonb(buyer), now, shop_id, order_id)
    await tx.run(_CHANGE, values)
    await write_event(tx, shop_id=shop_id, event=OrderAnnotated(), subject_id=order_id, now=now)


async def note_order(
    tx: Transaction, *, shop_id: int, order_id: int, text: str, now: datetime
) -> None:
    """Write a note about the order that only staff see: an entry of its timeline, with who acts as its author.

    Raises NotFound `order_not_found`, Invalid `invalid_input` for an empty text or one of more than NOTE_MAX
    characters.
    """
    await lock_order(tx, shop_id=shop_id, order_id=order_id)
    event = OrderNoted(text=check_note(text))
    await write_event(tx, shop_id=shop_id, event=event, subject_id=order_id, now=now)


def check_note(text: str) -> str:
    """The text of a note as it is written. Raises Invalid `invalid_input` as `note_order` does."""
    written = visible(text.replace("\x00", ""))
    if not written or len(written) > NOTE_MAX:
        message = f"A note has 1 to {NOTE_MAX} characters."
        raise Invalid("invalid_input", message, {"field": "note"})
    return written


_CHANGE = """
    update orders set channel_data = channel_data || %s, billing = billing || %s, updated_at = %s
    where shop_id = %s and id = %s
"""
