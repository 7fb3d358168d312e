"""Withdraw a delivery before the other side has it."""

from datetime import datetime
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound, Refused

BY_HAND = "manual"
"""The result of a delivery that people do here: nothing leaves."""


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """A withdrawn delivery; `was_tried` means that a failed attempt may have arrived after all."""

    target: str
    was_tried: bool
    was_by_hand: bool


async def withdraw_delivery(
    tx: Transaction, *, shop_id: int, kind: str, subject_id: int, now: datetime
) -> Withdrawal | None:
    """Withdraw the subject's unsent deliveries; None if there are none.

    Of several, returns the one that was tried. The caller holds the subject's lock. Raises
    Refused `order_state` if an outside system has it, is being called, or may have it from a
    failed attempt that will be retried.
    """
    rows = await _lock(tx, shop_id=shop_id, kind=kind, subject_id=subject_id)
    if target := _who_has(rows) or await _purged_target(
        tx, shop_id=shop_id, kind=kind, subject_id=subject_id
    ):
        raise Refused("order_state", f"The order is with {target} already; cancel it there.")
    if not rows:
        return None
    await _withdraw(tx, shop_id=shop_id, kind=kind, subject_id=subject_id, now=now)
    _, was_by_hand, target, was_tried = max(rows, key=lambda row: row[3])
    return Withdrawal(target=target, was_tried=was_tried, was_by_hand=was_by_hand)


async def who_has(tx: Transaction, *, shop_id: int, kind: str, subject_id: int) -> str:
    """The outside system that has the subject, or may have it from an attempt; '' for none.

    Nothing is sent until the transaction ends. The caller holds the subject's lock.
    """
    rows = await _lock(tx, shop_id=shop_id, kind=kind, subject_id=subject_id)
    return _who_has(rows) or await _purged_target(
        tx, shop_id=shop_id, kind=kind, subject_id=subject_id
    )


async def tried_target(tx: Transaction, *, shop_id: int, kind: str, subject_id: int) -> str:
    """The outside system that a failed attempt may have reached all the same; '' for none. See `who_has`."""
    rows = await _lock(tx, shop_id=shop_id, kind=kind, subject_id=subject_id)
    return next((str(target) for *_, target, was_tried in rows if was_tried), "")


async def _lock(tx: Transaction, *, shop_id: int, kind: str, subject_id: int) -> list[Any]:
    return await tx.all(
        "select status, coalesce(result, '') = %s, target, attempts > 0 or last_error <> ''"
        " from deliveries where shop_id = %s and kind = %s and subject_id = %s"
        " order by id for no key update",
        (BY_HAND, shop_id, kind, subject_id),
    )


def _who_has(rows: list[Any]) -> str:
    for status, is_by_hand, target, was_tried in rows:
        is_there = status in {"sending", "sent"} or (status == "queued" and was_tried)
        if is_there and not is_by_hand:
            return str(target)
    return ""


async def _purged_target(tx: Transaction, *, shop_id: int, kind: str, subject_id: int) -> str:
    """The outside system that got it so long ago that its delivery is deleted; '' for none.

    Read after the deliveries: reading those waits for a purge that is deleting one.
    """
    target = await tx.value(
        "select target from purged_deliveries where shop_id = %s and kind = %s and subject_id = %s"
        " and coalesce(result, '') <> %s limit 1",
        (shop_id, kind, subject_id, BY_HAND),
    )
    return str(target or "")


async def stays_here(tx: Transaction, *, shop_id: int, kind: str, subject_id: int) -> bool:
    """Whether no outside system has the subject, nor will get it. The caller holds the subject's lock."""
    rows = await _lock(tx, shop_id=shop_id, kind=kind, subject_id=subject_id)
    if any(status != "withdrawn" and not is_by_hand for status, is_by_hand, *_ in rows):
        return False
    return not await _purged_target(tx, shop_id=shop_id, kind=kind, subject_id=subject_id)


async def keep_here(
    tx: Transaction, *, shop_id: int, kind: str, subject_id: int, now: datetime
) -> None:
    """Withdraw failed deliveries, so that staff fulfil the subject here.

    The caller holds the subject's lock. Raises Refused `order_state` if an outside system has it
    or a delivery is queued.
    """
    rows = await tx.all(
        "select status, target from deliveries where shop_id = %s and kind = %s and subject_id = %s"
        " and coalesce(result, '') <> %s and status <> 'withdrawn' order by id for no key update",
        (shop_id, kind, subject_id, BY_HAND),
    )
    if target := await _purged_target(tx, shop_id=shop_id, kind=kind, subject_id=subject_id):
        raise Refused("order_state", f"The order is with {target}; it is worked on there.")
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
    """Withdraw a queued or failed delivery at an operator's request.

    Raises NotFound `not_found`, and Refused `order_state` for one that is sent or being sent.
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
