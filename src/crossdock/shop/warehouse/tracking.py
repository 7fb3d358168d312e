"""Checkpoints of packages, as carriers report them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound, Refused
from crossdock.shop.events import PackageDelivered, write_event
from crossdock.shop.orders import lock_order, move_order

DELIVERED = "delivered"
_ARRIVED = "Delivered."


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One scan by a carrier; `code` is for programs, `message` for people."""

    code: str
    happened_at: datetime
    message: str = ""
    place: str = ""


async def add_checkpoints(
    tx: Transaction,
    *,
    shop_id: int,
    package_id: int,
    checkpoints: Sequence[Checkpoint],
    now: datetime,
) -> int:
    """Store new checkpoints; returns how many. `delivered` completes the package, and perhaps the order.

    Raises NotFound `not_found` for an unknown package.
    """
    known = await tx.value(
        "select true from packages where shop_id = %s and id = %s", (shop_id, package_id)
    )
    if not known:
        raise NotFound("not_found", "There is no such package.")
    added = await tx.run(
        "insert into checkpoints (shop_id, package_id, code, message, place, happened_at)"
        " select %s, %s, x.* from unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[]) as x"
        " on conflict do nothing",
        (
            shop_id,
            package_id,
            [c.code for c in checkpoints],
            [c.message for c in checkpoints],
            [c.place for c in checkpoints],
            [c.happened_at for c in checkpoints],
        ),
    )
    if any(c.code == DELIVERED for c in checkpoints):
        await _deliver(tx, shop_id=shop_id, package_id=package_id, now=now)
    return added


async def deliver_package(tx: Transaction, *, shop_id: int, package_id: int, now: datetime) -> bool:
    """Record a delivery by hand; False, and nothing written, if it was delivered already.

    Raises NotFound `not_found` for an unknown package, Refused `order_state` for one that has not
    left or was cancelled.
    """
    state = await tx.value(
        "select state from packages where shop_id = %s and id = %s for no key update",
        (shop_id, package_id),
    )
    if state is None:
        raise NotFound("not_found", "There is no such package.")
    if state == DELIVERED:
        return False
    if state != "shipped":
        raise Refused("order_state", f"A package that is {state} cannot arrive: it has not left.")
    seen = Checkpoint(code=DELIVERED, happened_at=now, message=_ARRIVED)
    await add_checkpoints(tx, shop_id=shop_id, package_id=package_id, checkpoints=[seen], now=now)
    return True


async def _deliver(tx: Transaction, *, shop_id: int, package_id: int, now: datetime) -> None:
    order_id = await tx.value(
        "update packages set state = 'delivered'"
        " where shop_id = %s and id = %s and state = 'shipped' returning order_id",
        (shop_id, package_id),
    )
    if order_id is None:
        return
    await write_event(
        tx,
        shop_id=shop_id,
        event=PackageDelivered(package_id=package_id),
        subject_id=order_id,
        now=now,
    )
    await complete_if_arrived(tx, shop_id=shop_id, order_id=order_id, now=now)


async def complete_if_arrived(
    tx: Transaction, *, shop_id: int, order_id: int, now: datetime
) -> bool:
    """Complete a shipped order if all its packages have arrived; whether they have."""
    # Locked before it looks: of two last packages at once, the later one sees the other delivered.
    state = (await lock_order(tx, shop_id=shop_id, order_id=order_id)).fulfilment
    under_way = await tx.value(
        "select exists (select 1 from packages"
        " where shop_id = %s and order_id = %s and state in ('packed', 'shipped'))",
        (shop_id, order_id),
    )
    has_arrived = state == "shipped" and not under_way
    if has_arrived:
        await move_order(tx, shop_id=shop_id, order_id=order_id, to="completed", now=now)
    return has_arrived
