"""What is done with one order of many, in the transaction of its caller."""

from datetime import datetime
from typing import Literal, get_args

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.dispatch import resend
from crossdock.shop.orders import (
    RefundReason,
    cancel_order,
    note_order,
    read_reason,
    release_order,
)

BulkAction = Literal["release", "resend", "note", "cancel"]
BULK_ACTIONS: tuple[BulkAction, ...] = get_args(BulkAction)
REASON_MAX = 200


class BulkWork(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done: `note` is the text of a note, or why orders are cancelled, for staff."""

    action: BulkAction
    note: str = ""
    refund_reason: RefundReason | None = None


def bulk_work(action: BulkAction, *, note: str = "", refund_reason: str = "") -> BulkWork:
    """The work that a form or a command asks for. Raises Invalid `invalid_input`."""
    if action == "note":
        return BulkWork(action=action, note=note)
    if action != "cancel":
        return BulkWork(action=action)
    reason = note.replace("\x00", "").strip()[:REASON_MAX]
    return BulkWork(action=action, note=reason, refund_reason=read_reason(refund_reason))


async def act_on_order(
    tx: Transaction, *, shop_id: int, order_id: int, work: BulkWork, now: datetime
) -> str:
    """Do it with one order; returns the fulfilment state after a release, else ''. Raises what the action raises."""
    if work.action == "release":
        return await release_order(tx, shop_id=shop_id, order_id=order_id, now=now)
    if work.action == "resend":
        await resend(tx, shop_id=shop_id, order_id=order_id, now=now)
    elif work.action == "note":
        await note_order(tx, shop_id=shop_id, order_id=order_id, text=work.note, now=now)
    else:
        await cancel_order(
            tx,
            shop_id=shop_id,
            order_id=order_id,
            reason=work.note,
            refund_reason=work.refund_reason,
            now=now,
        )
    return ""
