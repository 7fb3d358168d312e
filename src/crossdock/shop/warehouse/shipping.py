"""Ship packages: stock leaves its level, the order changes its state."""

from datetime import datetime
from typing import Any

import msgspec
import psycopg

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, NotFound, Refused
from crossdock.shop.events import PackageShipped, write_event
from crossdock.shop.orders import lock_order, note_shipped, take_along


class Consignment(msgspec.Struct, frozen=True, kw_only=True):
    """A carrier's answer to a booking: tracking number, tracking page, label."""

    carrier: str
    tracking_number: str
    tracking_url: str
    service: str = ""
    label_pdf: bytes | None = None
    label_zpl: str | None = None


async def ship_package(
    tx: Transaction, *, shop_id: int, package_id: int, consignment: Consignment, now: datetime
) -> str:
    """Ship a packed package; returns the order's state afterwards.

    Managed stock leaves on hand and committed together, so what is available does not change. What is not
    shipped and has no stock is delivered with it. The order is `shipped` when every line was shipped completely,
    else `partially_shipped`. Raises NotFound `not_found`, Refused `order_state` for a package that has left
    already and `stock_insufficient` for stock that is not on hand, Conflict `exists` for a tracking number of
    another package.
    """
    order_id = await _claim(
        tx, shop_id=shop_id, package_id=package_id, consignment=consignment, now=now
    )
    await lock_order(tx, shop_id=shop_id, order_id=order_id)
    quantities = dict(
        await tx.all(
            "select line_no, quantity from package_lines where shop_id = %s and package_id = %s",
            (shop_id, package_id),
        )
    )
    along = await take_along(tx, shop_id=shop_id, order_id=order_id)
    target = await note_shipped(
        tx, shop_id=shop_id, order_id=order_id, quantities={**quantities, **along}, now=now
    )
    await write_event(
        tx,
        shop_id=shop_id,
        event=PackageShipped(package_id=package_id, carrier=consignment.carrier, state=target),
        subject_id=order_id,
        now=now,
    )
    return target


async def _claim(
    tx: Transaction, *, shop_id: int, package_id: int, consignment: Consignment, now: datetime
) -> int:
    row = await _set_shipped(
        tx, shop_id=shop_id, package_id=package_id, consignment=consignment, now=now
    )
    if row is not None:
        return int(row[0])
    known = await tx.value(
        "select true from packages where shop_id = %s and id = %s", (shop_id, package_id)
    )
    if known:
        raise Refused("order_state", "The package has left already, or was cancelled.")
    raise NotFound("not_found", "There is no such package.")


async def _set_shipped(
    tx: Transaction, *, shop_id: int, package_id: int, consignment: Consignment, now: datetime
) -> tuple[Any, ...] | None:
    values = {
        **msgspec.structs.asdict(consignment),
        "now": now,
        "shop": shop_id,
        "package": package_id,
    }
    try:
        return await tx.one(_SET_SHIPPED, values)
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("exists", "Another package has this tracking number.") from error


_SET_SHIPPED = """
    update packages
    set state = 'shipped', shipped_at = %(now)s, carrier = %(carrier)s, service = %(service)s,
        tracking_number = %(tracking_number)s, tracking_url = %(tracking_url)s,
        label_pdf = %(label_pdf)s, label_zpl = %(label_zpl)s
    where shop_id = %(shop)s and id = %(package)s and state = 'packed'
    returning order_id
"""
