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
    """Raise the alert unless one of this kind about the same subject is open; returns whether it is new.

    `message` is one sentence for people, without secrets. The alert is about the order; `subject`
    identifies what it is about where there is no order, or several alerts of a kind per order.
    """
    alert_id = await tx.value(
        "select raise_alert(%s, %s, %s, %s, %s, %s)",
        (shop_id, kind, message, order_id, now, subject),
    )
    return alert_id is not None


async def raise_for_operator(
    tx: Transaction, *, kind: str, message: str, now: datetime, subject: str = ""
) -> bool:
    """Raise an alert about the whole installation; it is stored with the oldest shop.

    Returns whether it is new; False if there is no shop.
    """
    shop_id = await tx.value("select min(id) from shops")
    if shop_id is None:
        return False
    return await raise_alert(
        tx, shop_id=shop_id, kind=kind, message=message, subject=subject, now=now
    )
