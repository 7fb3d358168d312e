"""Announce a package: its carrier and number are known before it leaves."""

from collections.abc import Mapping
from datetime import datetime

import psycopg

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, Refused
from crossdock.shop.orders import FREELY_CANCELLED, Quantities, lock_order, release_order
from crossdock.shop.warehouse.picking import left_to_pack, left_to_pick, pack_lines, pick_lines


async def announce_package(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    quantities: Quantities | None,
    carrier: str,
    tracking_number: str,
    tracking_url: str = "",
    now: datetime,
) -> int:
    """Pick and pack these units, or all that are left, for a carrier who gave a number; the package's id.

    An order that waits for its release is released by that, so that its partner can take nothing back from
    then on. Shipping the package afterwards books no other. Raises as `release_order`, `pick_lines` and
    `pack_lines` do, Invalid `invalid_input` without a carrier or number, Refused `stock_insufficient` for
    goods that are not there, Conflict `exists` for a tracking number of another package.
    """
    for field, text in (("carrier", carrier), ("tracking_number", tracking_number)):
        if not text.strip():
            raise Invalid("invalid_input", f"A package has a {field}.", {"field": field})
    state = (await lock_order(tx, shop_id=shop_id, order_id=order_id)).fulfilment
    if state in FREELY_CANCELLED:
        state = await release_order(tx, shop_id=shop_id, order_id=order_id, now=now)
        if state == "reserved":
            raise Refused("stock_insufficient")
    loose = await left_to_pack(tx, shop_id=shop_id, order_id=order_id)
    if quantities is None:
        quantities = _sum(loose, await left_to_pick(tx, shop_id=shop_id, order_id=order_id))
    unpicked = {
        line_no: quantity - loose.get(line_no, 0)
        for line_no, quantity in quantities.items()
        if quantity > loose.get(line_no, 0)
    }
    if unpicked:
        await pick_lines(tx, shop_id=shop_id, order_id=order_id, quantities=unpicked, now=now)
    package_id = await pack_lines(
        tx, shop_id=shop_id, order_id=order_id, quantities=quantities, now=now
    )
    values = (carrier.strip(), tracking_number.strip(), tracking_url, shop_id, package_id)
    try:
        await tx.run(
            "update packages set carrier = %s, tracking_number = %s, tracking_url = %s"
            " where shop_id = %s and id = %s",
            values,
        )
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("exists", "Another package has this tracking number.") from error
    return package_id


def _sum(one: Mapping[int, int], other: Mapping[int, int]) -> dict[int, int]:
    lines = sorted(one.keys() | other.keys())
    return {line_no: one.get(line_no, 0) + other.get(line_no, 0) for line_no in lines}
