"""Take work on an order back: put picked units on the shelf again, open a package that has not left."""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound, Refused
from crossdock.shop.deliveries import keep_here
from crossdock.shop.events import OrderUnpicked, PackageUnpacked, write_event
from crossdock.shop.orders import Quantities, lock_order, note_unpicked
from crossdock.shop.warehouse.picking import left_to_pack

_AT_WORK = ("in_fulfilment", "partially_shipped")


async def unpick_lines(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    now: datetime,
    quantities: Quantities | None = None,
) -> Quantities:
    """Put picked units that are in no package back on the shelf; returns how many of which line.

    Without `quantities` all of them; if there are none, nothing happens. An order of which nothing is
    picked any more is released again, so that it can be cancelled. Levels stay as they are: picking does
    not change them. Serials noted of a line beyond what is still picked are forgotten, the newest first.
    Raises NotFound `order_not_found`, Refused `order_state` for an order that is not being worked on
    here, Invalid `invalid_input` for an unknown line or more than is picked and not packed.
    """
    state = (await lock_order(tx, shop_id=shop_id, order_id=order_id)).fulfilment
    if quantities is None and state == "processing":
        return {}
    if state not in _AT_WORK:
        raise Refused("order_state", f"Nothing of an order that is {state} can be un-picked.")
    await keep_here(tx, shop_id=shop_id, kind="dispatch", subject_id=order_id, now=now)
    loose = await left_to_pack(tx, shop_id=shop_id, order_id=order_id)
    wanted = loose if quantities is None else quantities
    if quantities is not None:
        _check(quantities, loose=loose)
    if wanted:
        await tx.run(_FORGET_SERIALS, _values(shop_id, order_id, wanted))
        event = OrderUnpicked(lines={str(line_no): many for line_no, many in wanted.items()})
        await write_event(tx, shop_id=shop_id, event=event, subject_id=order_id, now=now)
    await note_unpicked(tx, shop_id=shop_id, order_id=order_id, quantities=wanted, now=now)
    return wanted


async def unpack_package(tx: Transaction, *, shop_id: int, package_id: int, now: datetime) -> bool:
    """Open a package that has not left: it is cancelled, and its units are picked and in no package.

    False, and nothing written, if it was opened already. A booking that is under way is cancelled when
    it finds the package gone (`ship_with_carrier`). Raises NotFound `not_found`, Refused `order_state`
    for a package that has left.
    """
    state = await tx.value(
        "select state from packages where shop_id = %s and id = %s for no key update",
        (shop_id, package_id),
    )
    if state is None:
        raise NotFound("not_found", "There is no such package.")
    if state == "cancelled":
        return False
    if state != "packed":
        message = f"A package that is {state} has left; announce a return for what comes back."
        raise Refused("order_state", message)
    order_id = await tx.value(
        "update packages set state = 'cancelled' where shop_id = %s and id = %s returning order_id",
        (shop_id, package_id),
    )
    await lock_order(tx, shop_id=shop_id, order_id=order_id)
    event = PackageUnpacked(package_id=package_id)
    await write_event(tx, shop_id=shop_id, event=event, subject_id=order_id, now=now)
    return True


def _check(quantities: Quantities, *, loose: Quantities) -> None:
    if not quantities:
        raise Invalid("invalid_input", "Name at least one line.", {"field": "lines"})
    for line_no, quantity in quantities.items():
        if quantity < 1:
            raise _line_error(line_no, "needs a quantity above zero.")
        if quantity > loose.get(line_no, 0):
            there = loose.get(line_no, 0)
            raise _line_error(
                line_no, f"has {there} picked and not packed; unpack its package first."
            )


def _line_error(line_no: int, reason: str) -> Invalid:
    return Invalid("invalid_input", f"Line {line_no} {reason}", {"field": f"lines.{line_no}"})


def _values(shop_id: int, order_id: int, quantities: Quantities) -> dict[str, object]:
    return {
        "shop": shop_id,
        "order": order_id,
        "lines": list(quantities),
        "quantities": list(quantities.values()),
    }


_FORGET_SERIALS = """
    delete from captured_serials s using (
        select c.id, row_number() over (partition by c.line_no order by c.id) as place,
               l.picked - x.quantity as still_picked
        from unnest(%(lines)s::smallint[], %(quantities)s::bigint[]) as x (line_no, quantity)
        join order_lines l on l.shop_id = %(shop)s and l.order_id = %(order)s and l.line_no = x.line_no
        join captured_serials c
          on c.shop_id = l.shop_id and c.order_id = l.order_id and c.line_no = l.line_no
    ) noted
    where s.shop_id = %(shop)s and s.id = noted.id and noted.place > noted.still_picked
"""
