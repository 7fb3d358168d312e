"""Raise alerts: the Python twin of `raise_alert` in raising.sql."""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction


async def raise_alert(
    tx: Transaction,
    *,
    shop_id: int,
    kind: str,
    message: str,
    now: datetime,
    order_id: int | None = None,
    subject: str = "",
) -> bool:
    """Whether the alert is new: while one of the kind about the same is open, nothing is written.

    `message` is one sentence for people, without secrets. What it is about is the order, or where
    there is none, or several things of one order can go wrong, a `subject` of the kind's own.
    """
    alert_id = await tx.value(
        "select raise_alert(%s, %s, %s, %s, %s, %s)",
        (shop_id, kind, message, order_id, now, subject),
    )
    return alert_id is not None


async def raise_for_operator(tx: Transaction, *, kind: str, message: str, now: datetime) -> bool:
    """Raise an alert that is about the whole installation: it stands with the oldest shop.

    Whether it is new; without a shop there is nobody to tell.
    """
    shop_id = await tx.value("select min(id) from shops")
    if shop_id is None:
        return False
    return await raise_alert(tx, shop_id=shop_id, kind=kind, message=message, now=now)
