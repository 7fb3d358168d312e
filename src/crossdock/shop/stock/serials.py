"""Serials in stock: sealed, sold once each, first in, first out; the number left is the level."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid
from crossdock.kit.crypto import SecretBox
from crossdock.kit.texts import visible
from crossdock.shop.stock.posting import Posting, post_stock, refusing_shortage

SERIAL_LENGTH_MAX = 512
SERIALS_MAX = 10_000


class SerialView(msgspec.Struct, frozen=True, kw_only=True):
    """A serial without its text: when it was added, the order line that bought it, when that returned it."""

    id: int
    added_at: datetime
    sold_at: datetime | None
    revoked_at: datetime | None
    order_id: int | None
    line_no: int | None


class BoughtSerial(msgspec.Struct, frozen=True, kw_only=True):
    """A serial of an order; no longer valid from `revoked_at` on. `is_replaced`: the order has another for it."""

    id: int
    serial: str
    revoked_at: datetime | None
    is_replaced: bool = False


class ReturnedLine(msgspec.Struct, frozen=True, kw_only=True):
    """How much of an order's line came back, and was shipped; `is_all` if all of it is back or announced."""

    quantity: int
    shipped: int
    is_all: bool


async def add_serials(
    tx: Transaction,
    *,
    shop_id: int,
    variant_id: int,
    serials: Sequence[str],
    box: SecretBox,
    now: datetime,
    skips_known: bool = False,
) -> int:
    """Add serials to stock in the given order and receive as many into the own pool; returns how many.

    With `skips_known` those that are given twice, or that the variant has or had, are left out.
    Raises Invalid `invalid_input` for an invalid text, for too many at once and if units without serials
    are on hand, Conflict `exists` if a serial is given twice or the variant has or had it; the
    transaction must then be rolled back. No error message contains a serial.
    """
    texts = _checked(dict.fromkeys(text.strip() for text in serials) if skips_known else serials)
    known = await known_among(tx, shop_id=shop_id, variant_id=variant_id, texts=texts, box=box)
    if known and not skips_known:
        raise _known(len(known))
    texts = [text for text in texts if text not in known]
    if not texts:
        return 0
    place = stocked_serial_place(shop_id, variant_id)
    rows = [
        (
            box.seal(text.encode(), place=place),
            serial_fingerprint(box, shop_id=shop_id, serial=text),
        )
        for text in texts
    ]
    added = await tx.run(
        "insert into serials (shop_id, variant_id, sealed, fingerprint, added_at)"
        " select %s, %s, x.sealed, x.fingerprint, %s"
        " from unnest(%s::bytea[], %s::bytea[]) with ordinality as x (sealed, fingerprint, position)"
        " order by x.position on conflict do nothing",
        (shop_id, variant_id, now, [row[0] for row in rows], [row[1] for row in rows]),
    )
    if added < len(texts):
        raise _known(len(texts) - added)
    posting = Posting(variant_id=variant_id, pool="own", kind="receive", on_hand=added)
    await post_stock(tx, shop_id=shop_id, postings=[posting], reason="serials added", now=now)
    await _refuse_others(tx, shop_id=shop_id, variant_id=variant_id)
    return added


async def take_serials(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    line_no: int,
    variant_id: int,
    quantity: int,
    now: datetime,
) -> list[int]:
    """Sell the oldest serials to an order's line; returns their ids, oldest first.

    Raises Refused `stock_limit_exceeded` where there are fewer; the transaction must then be rolled back.
    """
    with refusing_shortage():
        rows = await tx.all(
            "select take_serials(%s, %s, %s::smallint, %s, %s, %s)",
            (shop_id, order_id, line_no, variant_id, quantity, now),
        )
    return sorted(row[0] for row in rows)


async def sell_serials(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    sold: Sequence[tuple[int, int, int]],
    now: datetime,
) -> None:
    """Sell serials for stock that an order has already committed: (line, variant, quantity) each.

    Raises Refused `stock_limit_exceeded` where there are fewer; the transaction must then be rolled back.
    """
    for line_no, variant_id, quantity in sorted(sold, key=lambda part: (part[1], part[0])):
        with refusing_shortage():
            await tx.run(
                "select sell_serials(%s, %s, %s::smallint, %s, %s, %s)",
                (shop_id, order_id, line_no, variant_id, quantity, now),
            )


async def read_bought_serials(
    tx: Transaction, *, shop_id: int, order_id: int, box: SecretBox
) -> dict[int, list[BoughtSerial]]:
    """An order's serials by line number, oldest first, with those that were returned. Only for the buyer."""
    rows = await tx.all(
        "select b.line_no, s.id, s.variant_id, s.sealed, s.revoked_at, s.replaced_at is not null"
        " from serial_sales b"
        " join serials s on s.shop_id = b.shop_id and s.id = b.serial_id"
        " where b.shop_id = %s and b.order_id = %s order by b.line_no, b.serial_id",
        (shop_id, order_id),
    )
    found: defaultdict[int, list[BoughtSerial]] = defaultdict(list)
    for line_no, serial_id, variant_id, sealed, revoked_at, is_replaced in rows:
        place = stocked_serial_place(shop_id, variant_id)
        text = box.open(bytes(sealed), place=place).decode()
        bought = BoughtSerial(
            id=serial_id, serial=text, revoked_at=revoked_at, is_replaced=is_replaced
        )
        found[line_no].append(bought)
    return dict(found)


async def read_sold_serials(
    tx: Transaction, *, shop_id: int, order_id: int, box: SecretBox
) -> dict[int, list[str]]:
    """The texts of an order's valid serials by line number, oldest first. Only for the buyer."""
    found = await read_bought_serials(tx, shop_id=shop_id, order_id=order_id, box=box)
    valid = {
        line_no: [each.serial for each in bought if each.revoked_at is None]
        for line_no, bought in found.items()
    }
    return {line_no: texts for line_no, texts in valid.items() if texts}


async def revoke_serials(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    returned: Mapping[int, ReturnedLine],
    named: Collection[int],
    now: datetime,
) -> list[int]:
    """Revoke the serials that came back of an order's lines, given by their numbers; returns the numbers.

    A line that comes back completely needs no names. A revoked serial stays sold, so it is never
    sold again. The caller holds the order's lock. Raises Invalid `invalid_input` for a number that
    is not among the valid ones of these lines, and for fewer or more of a line than came back.
    """
    rows = await tx.all(_VALID_SERIALS, (shop_id, order_id, list(returned)))
    if strange := set(named).difference(*(ids for _, _, ids in rows)):
        message = f"Serial {min(strange)} is not one that can come back."
        raise Invalid("invalid_input", message, {"field": "serials"})
    revoked: list[int] = []
    for line_no, bought, ids in rows:
        line = returned[line_no]
        chosen = [serial_id for serial_id in ids if serial_id in named]
        if not chosen and line.is_all:
            chosen = ids[: line.quantity]
        least = min(len(ids), line.quantity - (line.shipped - bought))
        if not least <= len(chosen) <= line.quantity:
            message = f"{line.quantity} of line {line_no} came back: name as many of its serials."
            raise Invalid("invalid_input", message, {"field": "serials"})
        revoked += chosen
    await tx.run(
        "update serials set revoked_at = %s where shop_id = %s and id = any(%s)",
        (now, shop_id, revoked),
    )
    return revoked


async def exchange_serials(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    line_no: int,
    variant_id: int,
    quantity: int,
    now: datetime,
) -> list[int]:
    """Revoke the oldest valid serials of an order's line, for ever, and sell it as many others; their ids.

    The caller holds the order's lock and has seen that the line has so many. Raises Refused
    `stock_limit_exceeded` where the pool has fewer; the transaction must then be rolled back.
    """
    taken = await take_serials(
        tx,
        shop_id=shop_id,
        order_id=order_id,
        line_no=line_no,
        variant_id=variant_id,
        quantity=quantity,
        now=now,
    )
    values = {
        "shop": shop_id, "order": order_id, "line": line_no, "taken": taken, "now": now,
        "quantity": quantity,
    }  # fmt: skip
    await tx.run(_BURN, values)
    return taken


async def list_serials(
    tx: Transaction, *, shop_id: int, variant_id: int, sold: bool | None = None, limit: int = 50
) -> list[SerialView]:
    """The variant's serials without their texts, the oldest first; only the sold, or the unsold."""
    rows = await tx.all(
        "select s.id, s.added_at, s.sold_at, s.revoked_at, b.order_id, b.line_no from serials s"
        " left join serial_sales b on b.shop_id = s.shop_id and b.serial_id = s.id"
        " where s.shop_id = %(shop)s and s.variant_id = %(variant)s"
        " and (%(sold)s::boolean is null or (s.sold_at is not null) = %(sold)s)"
        " order by s.id limit %(limit)s",
        {"shop": shop_id, "variant": variant_id, "sold": sold, "limit": limit},
    )
    return [SerialView(**dict(zip(SerialView.__struct_fields__, row, strict=True))) for row in rows]


_VALID_SERIALS = """
    select b.line_no, count(*) filter (where s.replaced_at is null),
           coalesce(array_agg(s.id order by s.id) filter (where s.revoked_at is null), '{}')
    from serial_sales b join serials s on s.shop_id = b.shop_id and s.id = b.serial_id
    where b.shop_id = %s and b.order_id = %s and b.line_no = any(%s::smallint[])
    group by b.line_no order by b.line_no
"""


_BURN = """
    update serials set revoked_at = %(now)s, replaced_at = %(now)s where shop_id = %(shop)s and id in (
        select s.id from serial_sales b join serials s on s.shop_id = b.shop_id and s.id = b.serial_id
        where b.shop_id = %(shop)s and b.order_id = %(order)s and b.line_no = %(line)s
          and s.revoked_at is null and not s.id = any(%(taken)s)
        order by s.id limit %(quantity)s)
"""


def stocked_serial_place(shop_id: int, variant_id: int) -> str:
    """What a sealed serial in stock is bound to."""
    return f"stocked serial:{shop_id}:{variant_id}"


def stocked_serial_fingerprints(box: SecretBox, *, shop_id: int, serial: str) -> list[bytes]:
    """The keyed hashes that find a serial, one per known master key; the first, of the newest key, is stored."""
    return box.keyed_hashes(serial, purpose=f"stocked serial:{shop_id}")


def serial_fingerprint(box: SecretBox, *, shop_id: int, serial: str) -> bytes:
    """The keyed hash that is stored of a serial."""
    return stocked_serial_fingerprints(box, shop_id=shop_id, serial=serial)[0]


def _checked(serials: Iterable[str]) -> list[str]:
    texts = [serial.strip() for serial in serials]
    if not 0 < len(texts) <= SERIALS_MAX:
        raise Invalid("invalid_input", f"Give 1 to {SERIALS_MAX} serials at once.")
    if not all(
        visible(text) and len(text) <= SERIAL_LENGTH_MAX and text.isprintable() for text in texts
    ):
        raise Invalid(
            "invalid_input", f"A serial is 1 to {SERIAL_LENGTH_MAX} printable characters."
        )
    if twice := len(texts) - len(set(texts)):
        raise _known(twice)
    return texts


async def known_among(
    tx: Transaction, *, shop_id: int, variant_id: int, texts: Sequence[str], box: SecretBox
) -> set[str]:
    """The serials that the variant has or had, under any known master key."""
    texts_of = {
        fingerprint: text
        for text in texts
        for fingerprint in stocked_serial_fingerprints(box, shop_id=shop_id, serial=text)
    }
    rows = await tx.all(
        "select fingerprint from serials where shop_id = %s and variant_id = %s and fingerprint = any(%s)",
        (shop_id, variant_id, list(texts_of)),
    )
    return {texts_of[bytes(row[0])] for row in rows}


async def _refuse_others(tx: Transaction, *, shop_id: int, variant_id: int) -> None:
    """Raise if units without serials are on hand; the level is locked."""
    others = await tx.value(
        "select l.on_hand - (select count(*) from serials s where s.shop_id = l.shop_id"
        " and s.variant_id = l.variant_id and s.sold_at is null)"
        " from stock_levels l where l.shop_id = %s and l.variant_id = %s and l.pool = 'own'",
        (shop_id, variant_id),
    )
    if others:
        message = f"{others} without a serial are on hand; set the level to 0 first."
        raise Invalid("invalid_input", message)


def _known(count: int) -> Conflict:
    return Conflict("exists", f"{count} of the serials are there already; none was added.")
