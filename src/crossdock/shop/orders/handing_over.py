"""Hand lines over that no parcel carries: they leave their levels, serials are sold, and the buyer gets a mail."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.email import is_email
from crossdock.kit.languages import language_for
from crossdock.shop.mailing import Mailing
from crossdock.shop.orders.moving import move_order
from crossdock.shop.orders.progress import note_picked, note_shipped
from crossdock.shop.orders.viewing import OrderView, read_order
from crossdock.shop.shops import read_shop_by_id
from crossdock.shop.stock import read_sold_serials

_MAIL_CHARS: Final = 12_000  # which HTML may make six times as long: below what a mail may have
_MAIL_LINES: Final = 500


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What a call delivered: how many of which line, and the order's state afterwards."""

    quantities: Mapping[int, int]
    state: str


async def hand_over(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    quantities: Mapping[int, int],
    mailing: Mailing | None,
    note: str,
    now: datetime,
) -> Delivery:
    """Deliver these units, and mail the buyer what they are with their serials, if a mailing is given.

    The caller holds the order's lock. With its last unit an order is completed, once what it has under way arrived.
    """
    await note_picked(tx, shop_id=shop_id, order_id=order_id, quantities=quantities)
    state = await note_shipped(
        tx, shop_id=shop_id, order_id=order_id, quantities=quantities, now=now
    )
    if state == "shipped" and not await tx.value(_UNDER_WAY, (shop_id, order_id)):
        state = "completed"
        await move_order(tx, shop_id=shop_id, order_id=order_id, to=state, now=now)
    if mailing is not None:
        await _mail(
            tx,
            shop_id=shop_id,
            order_id=order_id,
            quantities=quantities,
            mailing=mailing,
            note=note,
            now=now,
        )
    return Delivery(quantities=quantities, state=state)


async def _mail(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    quantities: Mapping[int, int],
    mailing: Mailing,
    note: str,
    now: datetime,
) -> None:
    order = await read_order(tx, shop_id=shop_id, order_id=order_id)
    if not is_email(order.email):
        return
    serials = await read_sold_serials(tx, shop_id=shop_id, order_id=order_id, box=mailing.box)
    told = _lines_told(order, quantities=quantities, serials=serials)
    key = f"order:{order_id}:{min(quantities)}"
    await mail_lines(tx, order=order, told=told, mailing=mailing, note=note, key=key, now=now)


async def mail_lines(
    tx: Transaction,
    *,
    order: OrderView,
    told: Sequence[str],
    mailing: Mailing,
    note: str,
    key: str,
    now: datetime,
) -> None:
    """Mail the buyer the lines, in as many mails as they need; the same `key` mails them once."""
    shop = await read_shop_by_id(tx, shop_id=order.shop_id)
    language = language_for(
        named=order.language, country=order.shipping.country, of_shop=shop.languages
    )
    for part, lines in enumerate(_split_for_mails(told), start=1):
        await mailing.queue_mail(
            tx,
            shop_id=order.shop_id,
            template="order_delivery",
            to=order.email,
            values={"shop": order.shop_name, "note": note, "lines": lines},
            language=language,
            key=f"{key}:{part}",
            now=now,
        )


def _lines_told(
    order: OrderView, *, quantities: Mapping[int, int], serials: Mapping[int, list[str]]
) -> list[str]:
    """A line for each thing that was delivered, then one for each of its serials."""
    told = []
    for line in order.lines:
        if line.line_no in quantities:
            told.append(f"{quantities[line.line_no]} x {line.name}")
            told += serials.get(line.line_no, [])
    return told


def _split_for_mails(told: Sequence[str]) -> list[list[str]]:
    """The lines in as many mails as they need."""
    mails: list[list[str]] = [[]]
    chars = 0
    for line in told:
        chars += len(line)
        if chars > _MAIL_CHARS or len(mails[-1]) == _MAIL_LINES:
            mails.append([])
            chars = len(line)
        mails[-1].append(line)
    return mails


_UNDER_WAY: Final = """
    select exists (select 1 from packages where shop_id = %s and order_id = %s and state in ('packed', 'shipped'))
"""
