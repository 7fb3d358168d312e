"""Replace serials of an order that do not work by others of the pool (spec shoppex_reseller 13)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, Refused
from crossdock.kit.email import is_email
from crossdock.shop.events import OrderSerialsReplaced, write_event
from crossdock.shop.mailing import Mailing
from crossdock.shop.orders.handing_over import mail_lines
from crossdock.shop.orders.moving import lock_order, touch_order
from crossdock.shop.orders.viewing import read_order
from crossdock.shop.stock import exchange_serials, read_bought_serials

_NOTE: Final = "These replace what did not work; what you had before is not valid any more."


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    """Serials of one product that were replaced; `is_mailed` if the buyer is mailed the new ones."""

    id: int
    product_id: int
    quantity: int
    is_mailed: bool


class _Line(msgspec.Struct, frozen=True):
    """A line that was delivered by serials: how many were bought, and are valid."""

    line_no: int
    variant_id: int
    product_id: int
    bought: int
    valid: int


async def replace_bought_serials(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    product_id: int | None,
    quantity: int | None,
    overrides: bool,
    reason: str,
    mailing: Mailing,
    now: datetime,
) -> Replacement:
    """Revoke the oldest valid serials of a product in the order, sell the buyer as many others, and mail them.

    Without `product_id` it is the only product with serials; without `quantity` all that may be replaced. A
    revoked serial is never sold again. All replacements of a product are at most as many as were bought of
    it, unless `overrides`. Raises NotFound `order_not_found`, Invalid `invalid_input` with the `field` for a
    product that is none of the order's with serials, or is not named where there are several; Refused
    `quantity_out_of_range` for more than may be replaced, `stock_limit_exceeded` for fewer in the pool: the
    transaction must then be rolled back.
    """
    await lock_order(tx, shop_id=shop_id, order_id=order_id)
    rows = await tx.all(_LINES, {"shop": shop_id, "order": order_id})
    lines = _lines_of([_Line(*row) for row in rows], product_id=product_id)
    product_id = lines[0].product_id
    many = await _require_quantity(
        tx, shop_id=shop_id, order_id=order_id, lines=lines, quantity=quantity, overrides=overrides
    )
    taken: list[int] = []
    for line in lines:
        wanted = min(line.valid, many - len(taken))
        if wanted:
            taken += await exchange_serials(
                tx,
                shop_id=shop_id,
                order_id=order_id,
                line_no=line.line_no,
                variant_id=line.variant_id,
                quantity=wanted,
                now=now,
            )
    number: int = await tx.value(_RECORD, (shop_id, order_id, product_id, many, reason, now))
    event = OrderSerialsReplaced(product_id=product_id, quantity=many, reason=reason)
    await write_event(tx, shop_id=shop_id, event=event, subject_id=order_id, now=now)
    await touch_order(tx, shop_id=shop_id, order_id=order_id, now=now)
    is_mailed = await _mail(
        tx, shop_id=shop_id, order_id=order_id, taken=taken, number=number, mailing=mailing, now=now
    )
    return Replacement(id=number, product_id=product_id, quantity=many, is_mailed=is_mailed)


def _lines_of(lines: Sequence[_Line], *, product_id: int | None) -> list[_Line]:
    """The lines of the product, in the order in which levels are locked."""
    products = {line.product_id for line in lines}
    if product_id is None and len(products) > 1:
        message = "is required: several products of this invoice have serials"
        raise Invalid("invalid_input", message, {"field": "product_id"})
    wanted = next(iter(products), 0) if product_id is None else product_id
    found = [line for line in lines if line.product_id == wanted]
    if not found:
        message = "is not a product of this invoice that was delivered by serials"
        raise Invalid("invalid_input", message, {"field": "product_id"})
    return found


async def _require_quantity(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    lines: Sequence[_Line],
    quantity: int | None,
    overrides: bool,
) -> int:
    """How many are replaced. Raises Refused `quantity_out_of_range`."""
    most = sum(line.valid for line in lines)
    if not overrides:
        bought = sum(line.bought for line in lines)
        done: int = await tx.value(_DONE, (shop_id, order_id, lines[0].product_id))
        most = max(0, min(most, bought - done))
    wanted = most if quantity is None else quantity
    if not 0 < wanted <= most:
        raise Refused("quantity_out_of_range", data={"min_quantity": 1, "max_quantity": most})
    return wanted


async def _mail(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    taken: Sequence[int],
    number: int,
    mailing: Mailing,
    now: datetime,
) -> bool:
    order = await read_order(tx, shop_id=shop_id, order_id=order_id)
    if not is_email(order.email) or await _is_anothers_buyer(
        tx, shop_id=shop_id, order_id=order_id
    ):
        return False
    bought = await read_bought_serials(tx, shop_id=shop_id, order_id=order_id, box=mailing.box)
    told: list[str] = []
    for line in order.lines:
        fresh = [each.serial for each in bought.get(line.line_no, []) if each.id in taken]
        told += [f"{len(fresh)} x {line.name}", *fresh] if fresh else []
    key = f"replacement:{number}"
    await mail_lines(tx, order=order, told=told, mailing=mailing, note=_NOTE, key=key, now=now)
    return True


async def _is_anothers_buyer(tx: Transaction, *, shop_id: int, order_id: int) -> bool:
    """Whether a reseller's own shop sold it: its buyers must not hear of this one."""
    return bool(await tx.value(_IS_RESOLD, (shop_id, order_id)))


_LINES: Final = """
    select l.line_no, l.variant_id, l.product_id, l.quantity - l.cancelled,
           count(*) filter (where s.revoked_at is null)
    from order_lines l
    join serial_sales b on b.shop_id = l.shop_id and b.order_id = l.order_id and b.line_no = l.line_no
    join serials s on s.shop_id = b.shop_id and s.id = b.serial_id
    where l.shop_id = %(shop)s and l.order_id = %(order)s
    group by l.line_no, l.variant_id, l.product_id, l.quantity, l.cancelled
    order by l.variant_id, l.line_no
"""
_IS_RESOLD: Final = """
    select exists (
        select 1 from orders o join resellers r on r.shop_id = o.shop_id and r.partner_id = o.partner_id
        where o.shop_id = %s and o.id = %s)
"""
_DONE: Final = """
    select coalesce(sum(quantity), 0)::bigint from serial_replacements
    where shop_id = %s and order_id = %s and product_id = %s
"""
_RECORD: Final = """
    insert into serial_replacements (shop_id, order_id, product_id, quantity, reason, created_at)
    values (%s, %s, %s, %s, %s, %s) returning id
"""
