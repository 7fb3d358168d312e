"""Take a delivery back before the other side has it."""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound, Refused

BY_HAND = "manual"
"""The result of a delivery that people do here: nothing leaves."""


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken back: `was_tried` says that a failed attempt may have arrived all the same."""

    target: str
    was_tried: bool
    was_by_hand: bool


async def withdraw_delivery(
    tx: Transaction, *, shop_id: int, kind: str, subject_id: int, now: datetime
) -> Withdrawal | None:
    """Withdraw what is to be sent about the subject, or None where there is nothing.

    Of several, the one that was tried is told of. The caller holds the subject's lock. Raises
    Refused `order_state` where an outside system has it, is being asked, or may have it from an
    attempt that failed and will be made again.
    """
    rows = await tx.all(
        "select status, coalesce(result, '') = %s, target, attempts > 0 or last_error <> ''"
        " from deliveries where shop_id = %s and kind = %s and subject_id = %s"
        " order by id for no key update",
        (BY_HAND, shop_id, kind, subject_id),
    )
    for status, is_by_hand, target, was_tried in rows:
        is_there = status in {"sending", "sent"} or (status == "queued" and was_tried)
        if is_there and not is_by_hand:
            raise Refused("order_state", f"The order is with {target} already; cancel it there.")
    if not rows:
        return None
    await _withdraw(tx, shop_id=shop_id, kind=kind, subject_id=subject_id, now=now)
    _, was_by_hand, target, was_tried = max(rows, key=lambda row: row[3])
    return Withdrawal(target=target, was_tried=was_tried, was_by_hand=was_by_hand)


async def keep_here(
    tx: Transaction, *, shop_id: int, kind: str, subject_id: int, now: datetime
) -> None:
    """Withdraw what could not be sent, so that people work on the subject here.

    The caller holds the subject's lock. Raises Refused `order_state` for what an outside system
    has, or is about to get.
    """
    rows = await tx.all(
        "select status, target from deliveries where shop_id = %s and kind = %s and subject_id = %s"
        " and coalesce(result, '') <> %s and status <> 'withdrawn' order by id for no key update",
        (shop_id, kind, subject_id, BY_HAND),
    )
    for status, target in rows:
        if status != "failed":
            raise Refused("order_state", f"The order is with {target}; it is worked on there.")
    if rows:
        await tx.run(
            "update deliveries set status = 'withdrawn', updated_at = %s"
            " where shop_id = %s and kind = %s and subject_id = %s and status = 'failed'",
            (now, shop_id, kind, subject_id),
        )


async def withdraw_by_id(tx: Transaction, *, shop_id: int, delivery_id: int, now: datetime) -> None:
    """Give up on one that waits or has failed, by an operator's will.

    Raises NotFound `not_found`, and Refused `order_state` for one that is sent or under way.
    """
    status = await tx.value(
        "select status from deliveries where shop_id = %s and id = %s for no key update",
        (shop_id, delivery_id),
    )
    if status is None:
        raise NotFound("not_found", f"There is no delivery {delivery_id}.")
    if status not in {"queued", "failed"}:
        raise Refused("order_state", f"A delivery that is {status} cannot be withdrawn.")
    await tx.run(
        "update deliveries set status = 'withdrawn', next_attempt_at = null, updated_at = %s"
        " where shop_id = %s and id = %s",
        (now, shop_id, delivery_id),
    )


async def _withdraw(
    tx: Transaction, *, shop_id: int, kind: str, subject_id: int, now: datetime
) -> None:
    await tx.run(
        "update deliveries set status = 'withdrawn', next_attempt_at = null, updated_at = %s"
        " where shop_id = %s and kind = %s and subject_id = %s",
        (now, shop_id, kind, subject_id),
    )
