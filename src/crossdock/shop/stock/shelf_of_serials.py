"""A variant's serials as staff look at them: by state and search, masked; one of them in plain text."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal, get_args

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.crypto import SecretBox
from crossdock.kit.numbers import read_number
from crossdock.shop.stock.serials import stocked_serial_fingerprints, stocked_serial_place

SerialState = Literal["unsold", "sold", "returned", "replaced", "claimed", "transferred"]
SERIAL_STATES: tuple[SerialState, ...] = get_args(SerialState)
_SHOWN_FROM: Final = 12
_SHOWN: Final = 4
_HIDDEN: Final = "••••"


class ShelfSerial(msgspec.Struct, frozen=True, kw_only=True):
    """A serial with its text masked: its state and since when, and the order line that bought it.

    `claimed` are those that the shop took out for itself, `transferred` those that a reseller holds.
    """

    id: int
    masked: str
    state: SerialState
    added_at: datetime
    since: datetime
    order_id: int | None
    line_no: int | None


async def browse_serials(
    tx: Transaction,
    *,
    shop_id: int,
    variant_id: int,
    box: SecretBox,
    state: SerialState | None = None,
    search: str = "",
    before: int | None = None,
    limit: int = 50,
) -> list[ShelfSerial]:
    """Serials with a number below `before`, the newest first; all that is given holds. One statement.

    `search` is a whole serial, its number, or that of the order that bought it.
    """
    text = search.strip()
    values = {
        "shop": shop_id,
        "variant": variant_id,
        "state": state,
        "search": text,
        "marks": stocked_serial_fingerprints(box, shop_id=shop_id, serial=text) if text else [],
        "number": read_number(text) or 0,
        "before": before,
        "limit": limit,
    }
    place = stocked_serial_place(shop_id, variant_id)
    return [_serial(row, box=box, place=place) for row in await tx.all(_BROWSE, values)]


async def reveal_serial(
    tx: Transaction, *, shop_id: int, variant_id: int, serial_id: int, box: SecretBox
) -> str:
    """A serial's text. Only for the shop, which notes who asked. Raises NotFound `not_found`."""
    sealed = await tx.value(
        "select sealed from serials where shop_id = %s and variant_id = %s and id = %s",
        (shop_id, variant_id, serial_id),
    )
    if sealed is None:
        raise NotFound("not_found", f"The variant has no serial {serial_id}.")
    return box.open(bytes(sealed), place=stocked_serial_place(shop_id, variant_id)).decode()


def masked_serial(text: str) -> str:
    """A serial of which only the end can be read, and of a short one nothing."""
    return f"{_HIDDEN}{text[-_SHOWN:]}" if len(text) >= _SHOWN_FROM else _HIDDEN


def _serial(row: Sequence[Any], *, box: SecretBox, place: str) -> ShelfSerial:
    number, sealed, state, added_at, since, order_id, line_no = row
    return ShelfSerial(
        id=number,
        masked=masked_serial(box.open(bytes(sealed), place=place).decode()),
        state=state,
        added_at=added_at,
        since=since,
        order_id=order_id,
        line_no=line_no,
    )


_STATE = """
    case when s.sold_at is null then 'unsold' when s.claimed_at is not null then 'claimed'
         when s.replaced_at is not null then 'replaced' when s.revoked_at is not null then 'returned'
         when b.order_id is not null then 'sold' else 'transferred' end
"""
_BROWSE: Final = f"""
    select s.id, s.sealed, {_STATE}, s.added_at, coalesce(s.revoked_at, s.claimed_at, s.sold_at, s.added_at),
           b.order_id, b.line_no
    from serials s left join serial_sales b on b.shop_id = s.shop_id and b.serial_id = s.id
    where s.shop_id = %(shop)s and s.variant_id = %(variant)s
      and (%(state)s::text is null or {_STATE} = %(state)s)
      and (%(search)s = '' or s.fingerprint = any(%(marks)s::bytea[]) or s.id = %(number)s
           or b.order_id = %(number)s)
      and (%(before)s::bigint is null or s.id < %(before)s)
    order by s.id desc limit %(limit)s
"""
