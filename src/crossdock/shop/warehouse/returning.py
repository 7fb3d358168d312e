"""Returns: announced by the buyer, received and restocked by staff."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound, Refused
from crossdock.shop.events import ReturnAnnounced, ReturnReceived, write_event
from crossdock.shop.orders import (
    RETURNABLE,
    Quantities,
    lock_order,
    note_returned,
    wake_releases,
)
from crossdock.shop.stock import Posting, ReturnedLine, post_stock, revoke_serials


class ReturnItem(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity of one order line that comes back, and why."""

    line_no: int
    quantity: int
    reason: str = ""


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """What a received return did: the quantities back in stock by line, and the numbers of revoked serials."""

    restocked: dict[int, int]
    revoked_serials: list[int]


async def list_returnable(tx: Transaction, *, shop_id: int, order_id: int) -> dict[int, int]:
    """The quantity of each line that can be returned: shipped, and not announced yet. One query."""
    return dict(await tx.all(_LEFT_TO_RETURN, {"shop": shop_id, "order": order_id}))


async def announce_return(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    items: Sequence[ReturnItem],
    now: datetime,
    reason: str = "",
) -> int:
    """Announce a return; its id.

    Raises NotFound `order_not_found`, Refused `order_state` for an order of which nothing was
    shipped, Invalid `invalid_input` for more of a line than was shipped and not announced before.
    """
    state = (await lock_order(tx, shop_id=shop_id, order_id=order_id)).fulfilment
    if state not in RETURNABLE:
        raise Refused("order_state", f"Nothing of an order that is {state} can come back.")
    left = await list_returnable(tx, shop_id=shop_id, order_id=order_id)
    wanted: dict[int, int] = {}
    for item in items:
        wanted[item.line_no] = wanted.get(item.line_no, 0) + item.quantity
        if item.quantity < 1 or wanted[item.line_no] > left.get(item.line_no, 0):
            raise Invalid(
                "invalid_input",
                f"Line {item.line_no} has {left.get(item.line_no, 0)} that can come back.",
                {"field": f"lines.{item.line_no}"},
            )
    if not wanted:
        message = (
            "Name at least one line." if any(left.values()) else "Nothing is left to come back."
        )
        raise Invalid("invalid_input", message, {"field": "items"})
    return await _store(tx, shop_id=shop_id, order_id=order_id, items=items, reason=reason, now=now)


async def receive_return(
    tx: Transaction,
    *,
    shop_id: int,
    return_id: int,
    restocked: Quantities,
    now: datetime,
    serials: Collection[int] = (),
) -> Received:
    """Receive a return; `restocked` is the quantity by line that goes back into stock.

    Goods whose stock is not managed do not go back, nor do serials: those are revoked. `serials` are
    the numbers of the ones that came back, needed for a line of which only a part does. Raises
    NotFound `not_found`, Refused `order_state` for one that was received already, Invalid
    `invalid_input` for more than was announced, and for serials that are not those of its lines.
    """
    row = await tx.one(
        "update order_returns set state = 'received', received_at = %s"
        " where shop_id = %s and id = %s and state = 'announced' returning order_id",
        (now, shop_id, return_id),
    )
    if row is None:
        await _why_not(tx, shop_id=shop_id, return_id=return_id)
    assert row is not None  # the line above raises
    order_id = int(row[0])
    await lock_order(tx, shop_id=shop_id, order_id=order_id)
    announced = await _announced(tx, shop_id=shop_id, return_id=return_id)
    restocked = await _note_restocked(
        tx,
        shop_id=shop_id,
        order_id=order_id,
        return_id=return_id,
        announced=announced,
        restocked=restocked,
    )
    await note_returned(tx, shop_id=shop_id, order_id=order_id, quantities=announced, now=now)
    revoked = await _revoke(
        tx, shop_id=shop_id, order_id=order_id, announced=announced, serials=serials, now=now
    )
    await _restock(tx, shop_id=shop_id, order_id=order_id, return_id=return_id, now=now)
    event = ReturnReceived(return_id=return_id, revoked_serials=revoked)
    await write_event(tx, shop_id=shop_id, event=event, subject_id=order_id, now=now)
    return Received(restocked=restocked, revoked_serials=revoked)


async def _announced(tx: Transaction, *, shop_id: int, return_id: int) -> dict[int, int]:
    return dict(
        await tx.all(
            "select line_no, quantity from order_return_lines where shop_id = %s and return_id = %s",
            (shop_id, return_id),
        )
    )


async def _note_restocked(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    return_id: int,
    announced: Quantities,
    restocked: Quantities,
) -> dict[int, int]:
    """Store how much of each line goes back into stock, where anything can; returns it."""
    for line_no, quantity in restocked.items():
        if line_no not in announced or not 0 <= quantity <= announced[line_no]:
            raise Invalid(
                "invalid_input",
                f"Line {line_no} did not announce so many.",
                {"field": f"lines.{line_no}"},
            )
    rows = await tx.all(_RESTOCKABLE, (shop_id, order_id, list(restocked)))
    found = {line_no: restocked[line_no] for (line_no,) in rows if restocked[line_no]}
    await tx.run(
        "update order_return_lines l set restocked = x.quantity"
        " from unnest(%s::smallint[], %s::bigint[]) as x (line_no, quantity)"
        " where l.shop_id = %s and l.return_id = %s and l.line_no = x.line_no",
        (list(found), list(found.values()), shop_id, return_id),
    )
    return found


async def _revoke(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    announced: Quantities,
    serials: Collection[int],
    now: datetime,
) -> list[int]:
    """Revoke the serials that came back; see revoke_serials."""
    left = await list_returnable(tx, shop_id=shop_id, order_id=order_id)
    shipped = dict(
        await tx.all(
            "select line_no, shipped from order_lines"
            " where shop_id = %s and order_id = %s and line_no = any(%s::smallint[])",
            (shop_id, order_id, list(announced)),
        )
    )
    returned = {
        line_no: ReturnedLine(
            quantity=quantity, shipped=shipped[line_no], is_all=left[line_no] == 0
        )
        for line_no, quantity in announced.items()
    }
    return await revoke_serials(
        tx, shop_id=shop_id, order_id=order_id, returned=returned, named=serials, now=now
    )


async def _store(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    items: Sequence[ReturnItem],
    reason: str,
    now: datetime,
) -> int:
    return_id = int(
        await tx.value(
            "insert into order_returns (shop_id, order_id, reason, announced_at)"
            " values (%s, %s, %s, %s) returning id",
            (shop_id, order_id, reason, now),
        )
    )
    await tx.run(
        "insert into order_return_lines (shop_id, return_id, line_no, quantity, reason)"
        " select %s, %s, x.line_no, sum(x.quantity),"
        " coalesce(string_agg(distinct x.reason, '; ') filter (where x.reason <> ''), '')"
        " from unnest(%s::smallint[], %s::bigint[], %s::text[]) as x (line_no, quantity, reason)"
        " group by x.line_no",
        (
            shop_id,
            return_id,
            [item.line_no for item in items],
            [item.quantity for item in items],
            [item.reason for item in items],
        ),
    )
    await write_event(
        tx,
        shop_id=shop_id,
        event=ReturnAnnounced(return_id=return_id),
        subject_id=order_id,
        now=now,
    )
    return return_id


async def _restock(
    tx: Transaction, *, shop_id: int, order_id: int, return_id: int, now: datetime
) -> None:
    rows = await tx.all(
        "select l.variant_id, sum(r.restocked) from order_return_lines r"
        " join order_lines l on l.shop_id = r.shop_id and l.order_id = %s and l.line_no = r.line_no"
        " where r.shop_id = %s and r.return_id = %s and r.restocked > 0"
        " group by l.variant_id order by l.variant_id",
        (order_id, shop_id, return_id),
    )
    postings = [
        Posting(variant_id=variant_id, pool="own", kind="restock", on_hand=int(quantity))
        for variant_id, quantity in rows
    ]
    if not postings:
        return
    await wake_releases(tx, shop_id=shop_id)
    await post_stock(
        tx, shop_id=shop_id, postings=postings, reason="returned", order_id=order_id, now=now
    )


async def _why_not(tx: Transaction, *, shop_id: int, return_id: int) -> None:
    known = await tx.value(
        "select true from order_returns where shop_id = %s and id = %s", (shop_id, return_id)
    )
    if known:
        raise Refused("order_state", "The return was taken in already.")
    raise NotFound("not_found", "There is no such return.")


# What was taken from a level, and not as a serial: a serial is sold once.
_RESTOCKABLE = """
    select l.line_no from order_lines l
    where l.shop_id = %s and l.order_id = %s and l.line_no = any(%s::smallint[])
      and exists (select 1 from order_allocations a where a.shop_id = l.shop_id and a.order_id = l.order_id
                  and a.variant_id = l.variant_id)
      and not exists (select 1 from serials s where s.shop_id = l.shop_id and s.variant_id = l.variant_id)
    order by l.line_no
"""
_LEFT_TO_RETURN = """
    select l.line_no, (l.shipped - coalesce(announced.quantity, 0))::bigint
    from order_lines l left join (
        select rl.line_no, sum(rl.quantity) as quantity
        from order_returns r
        join order_return_lines rl on rl.shop_id = r.shop_id and rl.return_id = r.id
        where r.shop_id = %(shop)s and r.order_id = %(order)s and r.state <> 'refused'
        group by rl.line_no
    ) announced using (line_no)
    where l.shop_id = %(shop)s and l.order_id = %(order)s
"""
