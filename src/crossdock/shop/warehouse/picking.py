"""Pick and pack the lines of an order."""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, Refused
from crossdock.shop.deliveries import keep_here
from crossdock.shop.events import OrderPicked, PackagePacked, write_event
from crossdock.shop.orders import WORKABLE, Quantities, lock_order, move_order, note_picked
from crossdock.shop.warehouse.shelf import lock_shelf, refuse_beyond_shelf

WEIGHT_G_MAX = 2**31 - 1


async def start_fulfilment(tx: Transaction, *, shop_id: int, order_id: int, now: datetime) -> None:
    """Start the fulfilment of a released order; from then on it cannot be cancelled.

    Raises NotFound `order_not_found`, Refused `order_state` unless it is released and stays here: an
    order that was or is being dispatched is fulfilled by the outside system.
    """
    state = (await lock_order(tx, shop_id=shop_id, order_id=order_id)).fulfilment
    if state not in WORKABLE:
        raise Refused("order_state", f"An order that is {state} cannot be worked on.")
    await keep_here(tx, shop_id=shop_id, kind="dispatch", subject_id=order_id, now=now)
    if state == "processing":
        await move_order(tx, shop_id=shop_id, order_id=order_id, to="in_fulfilment", now=now)


async def pick_lines(
    tx: Transaction, *, shop_id: int, order_id: int, quantities: Quantities, now: datetime
) -> None:
    """Record picked quantities; starts the fulfilment if it has not started.

    Raises Invalid `invalid_input` for an unknown line, one that is not shipped, or more than is left to pick, Refused
    `stock_insufficient` for more than is on the shelf.
    """
    await start_fulfilment(tx, shop_id=shop_id, order_id=order_id, now=now)
    wanted = _positive(quantities)
    if (
        virtual := await _virtual_of(tx, shop_id=shop_id, order_id=order_id, lines=list(wanted))
    ) is not None:
        raise _line_error(virtual, "is not shipped, so it is delivered without being picked")
    await lock_shelf(tx, shop_id=shop_id, order_id=order_id, lines=list(wanted))
    short = await note_picked(tx, shop_id=shop_id, order_id=order_id, quantities=wanted)
    if short is not None:
        raise _line_error(short, "has not so much left to pick")
    await refuse_beyond_shelf(
        tx, shop_id=shop_id, order_id=order_id, quantities=wanted, step="picked"
    )
    await write_event(
        tx,
        shop_id=shop_id,
        event=OrderPicked(lines={str(line): many for line, many in quantities.items()}),
        subject_id=order_id,
        now=now,
    )


async def pack_lines(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    quantities: Quantities,
    now: datetime,
    weight_g: int = 0,
) -> int:
    """Pack picked units that are in no package yet; returns the package's id. Raises as `pick_lines`.

    Fewer units may be on hand than were picked, if some were counted out since.
    """
    state = (await lock_order(tx, shop_id=shop_id, order_id=order_id)).fulfilment
    if state not in {"in_fulfilment", "partially_shipped"}:
        raise Refused("order_state", f"An order that is {state} cannot be packed.")
    left = await left_to_pack(tx, shop_id=shop_id, order_id=order_id)
    for line_no, quantity in _positive(quantities).items():
        if quantity > left.get(line_no, 0):
            raise _line_error(line_no, f"has {left.get(line_no, 0)} picked and not packed")
    await lock_shelf(tx, shop_id=shop_id, order_id=order_id, lines=list(quantities))
    if not 0 <= weight_g <= WEIGHT_G_MAX:
        raise Invalid("invalid_input", "The weight is not one.", {"field": "weight_g"})
    package_id = int(
        await tx.value(
            "insert into packages (shop_id, order_id, weight_g, packed_at) values (%s, %s, %s, %s)"
            " returning id",
            (shop_id, order_id, weight_g, now),
        )
    )
    await tx.run(
        "insert into package_lines (shop_id, package_id, line_no, quantity)"
        " select %s, %s, * from unnest(%s::smallint[], %s::bigint[])",
        (shop_id, package_id, list(quantities), list(quantities.values())),
    )
    await refuse_beyond_shelf(
        tx, shop_id=shop_id, order_id=order_id, quantities=quantities, step="packed"
    )
    await write_event(
        tx,
        shop_id=shop_id,
        event=PackagePacked(package_id=package_id),
        subject_id=order_id,
        now=now,
    )
    return package_id


async def left_to_pick(tx: Transaction, *, shop_id: int, order_id: int) -> dict[int, int]:
    """The quantity left to pick by line; lines without any are absent."""
    rows = await tx.all(
        "select line_no, quantity - cancelled - picked from order_lines"
        " where shop_id = %s and order_id = %s and picked < quantity - cancelled and not virtual",
        (shop_id, order_id),
    )
    return {int(line_no): int(quantity) for line_no, quantity in rows}


async def left_to_pack(tx: Transaction, *, shop_id: int, order_id: int) -> dict[int, int]:
    """The quantity picked and not packed by line; lines without any are absent."""
    rows = await tx.all(_LEFT_TO_PACK, {"shop": shop_id, "order": order_id})
    return {int(line_no): int(quantity) for line_no, quantity in rows if quantity}


_LEFT_TO_PACK = """
    select l.line_no, l.picked - coalesce(packed.quantity, 0)
    from order_lines l left join (
        select pl.line_no, sum(pl.quantity) as quantity
        from packages p join package_lines pl on pl.shop_id = p.shop_id and pl.package_id = p.id
        where p.shop_id = %(shop)s and p.order_id = %(order)s and p.state <> 'cancelled'
        group by pl.line_no
    ) packed using (line_no)
    where l.shop_id = %(shop)s and l.order_id = %(order)s and not l.virtual
"""


async def _virtual_of(
    tx: Transaction, *, shop_id: int, order_id: int, lines: list[int]
) -> int | None:
    """The first of these lines that is not shipped."""
    line_no: int | None = await tx.value(
        "select min(line_no) from order_lines"
        " where shop_id = %s and order_id = %s and virtual and line_no = any(%s::bigint[])",
        (shop_id, order_id, lines),
    )
    return line_no


def _positive(quantities: Quantities) -> Quantities:
    if not quantities:
        raise Invalid("invalid_input", "Name at least one line.", {"field": "lines"})
    for line_no, quantity in quantities.items():
        if quantity < 1:
            raise _line_error(line_no, "needs a quantity above zero")
    return quantities


def _line_error(line_no: int, reason: str) -> Invalid:
    return Invalid("invalid_input", f"Line {line_no} {reason}.", {"field": f"lines.{line_no}"})
