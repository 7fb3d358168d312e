"""Ship packages: the goods leave the level, the order moves on."""

from datetime import datetime
from typing import Any

import msgspec
import psycopg

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, NotFound, Refused
from crossdock.shop.events import PackageShipped, write_event
from crossdock.shop.orders import lock_order, move_order, touch_order
from crossdock.shop.stock import Posting, post_stock


class Consignment(msgspec.Struct, frozen=True, kw_only=True):
    """What a carrier gave for a package: its number, where to follow it, what to stick on it."""

    carrier: str
    tracking_number: str
    tracking_url: str
    service: str = ""
    label_pdf: bytes | None = None
    label_zpl: str | None = None


async def ship_package(
    tx: Transaction, *, shop_id: int, package_id: int, consignment: Consignment, now: datetime
) -> str:
    """Hand a packed package to its carrier; the order's state afterwards.

    What was counted leaves `on hand` and `committed` together, so what is available stays. The
    order is `shipped` when every line has left whole, else `partially_shipped`. Raises NotFound
    `not_found`, Refused `order_state` for a package that has left already and `stock_insufficient`
    for goods that are not on hand, Conflict `exists` for a tracking number of another package.
    """
    order_id = await _claim(
        tx, shop_id=shop_id, package_id=package_id, consignment=consignment, now=now
    )
    state = (await lock_order(tx, shop_id=shop_id, order_id=order_id)).fulfilment
    target = await _move(
        tx, shop_id=shop_id, order_id=order_id, package_id=package_id, state=state, now=now
    )
    await write_event(
        tx,
        shop_id=shop_id,
        event=PackageShipped(package_id=package_id, carrier=consignment.carrier, state=target),
        subject_id=order_id,
        now=now,
    )
    await _take_from_levels(tx, shop_id=shop_id, order_id=order_id, package_id=package_id, now=now)
    return target


async def _move(
    tx: Transaction, *, shop_id: int, order_id: int, package_id: int, state: str, now: datetime
) -> str:
    """Count what the package holds as shipped, and move the lines and the order; its state then."""
    await tx.run(
        "update order_lines l set shipped = l.shipped + p.quantity from package_lines p"
        " where p.shop_id = %s and p.package_id = %s"
        " and l.shop_id = p.shop_id and l.order_id = %s and l.line_no = p.line_no",
        (shop_id, package_id, order_id),
    )
    row = await tx.one(
        "select bool_and(shipped = quantity),"
        " array_agg(line_no) filter (where shipped = quantity and state <> 'shipped'),"
        " array_agg(line_no) filter (where shipped between 1 and quantity - 1 and state = 'open')"
        " from order_lines where shop_id = %s and order_id = %s",
        (shop_id, order_id),
    )
    assert row is not None  # an aggregate answers one row
    whole, shipped, partly = row
    for lines, to in ((shipped, "shipped"), (partly, "partially_shipped")):
        if lines:
            await move_order(
                tx, shop_id=shop_id, order_id=order_id, axis="line", lines=lines, to=to, now=now
            )
    target = "shipped" if whole else "partially_shipped"
    if target == state:
        await touch_order(tx, shop_id=shop_id, order_id=order_id, now=now)
    else:
        await move_order(tx, shop_id=shop_id, order_id=order_id, to=target, now=now)
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


async def _take_from_levels(
    tx: Transaction, *, shop_id: int, order_id: int, package_id: int, now: datetime
) -> None:
    """Post what the package holds of counted goods, own pool first."""
    wanted = await tx.all(
        "select l.variant_id, sum(p.quantity) from package_lines p"
        " join order_lines l on l.shop_id = p.shop_id and l.order_id = %s and l.line_no = p.line_no"
        " where p.shop_id = %s and p.package_id = %s group by l.variant_id order by l.variant_id",
        (order_id, shop_id, package_id),
    )
    postings = []
    for variant_id, quantity in wanted:
        left = int(quantity)
        promises = await tx.all(
            _PROMISED, {"shop": shop_id, "order": order_id, "variant": variant_id}
        )
        for pool, promised in promises:
            part = min(left, int(promised))
            left -= part
            if not part:
                continue
            postings.append(
                Posting(
                    variant_id=variant_id, pool=pool, kind="ship", on_hand=-part, committed=-part
                )
            )
            await tx.run(
                "update order_allocations set shipped = shipped + %s,"
                " status = case when shipped + %s = quantity then 'shipped' else status end"
                " where shop_id = %s and order_id = %s and variant_id = %s and pool = %s",
                (part, part, shop_id, order_id, variant_id, pool),
            )
    await post_stock(
        tx, shop_id=shop_id, postings=postings, reason="shipped", order_id=order_id, now=now
    )


_SET_SHIPPED = """
    update packages
    set state = 'shipped', shipped_at = %(now)s, carrier = %(carrier)s, service = %(service)s,
        tracking_number = %(tracking_number)s, tracking_url = %(tracking_url)s,
        label_pdf = %(label_pdf)s, label_zpl = %(label_zpl)s
    where shop_id = %(shop)s and id = %(package)s and state = 'packed'
    returning order_id
"""

_PROMISED = """
    select pool, quantity - shipped from order_allocations
    where shop_id = %(shop)s and order_id = %(order)s and variant_id = %(variant)s
      and status = 'committed'
    order by pool for no key update
"""
