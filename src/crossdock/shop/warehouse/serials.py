"""Serial numbers recorded while packing: sealed, and shown only with their order."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.kit.crypto import SecretBox
from crossdock.kit.texts import visible
from crossdock.shop.orders import lock_order
from crossdock.shop.stock import read_sold_serials

SERIAL_LENGTH_MAX = 128


async def capture_serials(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    line_no: int,
    serials: Sequence[str],
    box: SecretBox,
    now: datetime,
) -> None:
    """Record the serials of a line, at most as many as were picked. Duplicates are allowed.

    Raises NotFound `order_not_found`, Invalid `invalid_input`.
    """
    await lock_order(tx, shop_id=shop_id, order_id=order_id)
    row = await tx.one(
        "select l.variant_id, l.picked, (select count(*) from captured_serials s"
        " where s.shop_id = l.shop_id and s.order_id = l.order_id and s.line_no = l.line_no)"
        " from order_lines l where l.shop_id = %s and l.order_id = %s and l.line_no = %s",
        (shop_id, order_id, line_no),
    )
    if row is None:
        raise Invalid("invalid_input", f"The order has no line {line_no}.", {"field": "line"})
    variant_id, picked, noted = row
    texts = [serial.strip() for serial in serials]
    if not all(
        visible(text) and len(text) <= SERIAL_LENGTH_MAX and text.isprintable() for text in texts
    ):
        raise Invalid("invalid_input", "A serial is 1 to 128 printable characters.")
    if noted + len(texts) > picked:
        message = f"{len(texts)} are too many: line {line_no} has {picked} picked, {noted} noted."
        raise Invalid("invalid_input", message, {"field": "serials"})
    place = serial_place(shop_id, order_id)
    await tx.run(
        "insert into captured_serials"
        " (shop_id, order_id, line_no, variant_id, sealed, fingerprint, captured_at)"
        " select %s, %s, %s, %s, x.sealed, x.fingerprint, %s"
        " from unnest(%s::bytea[], %s::bytea[]) as x (sealed, fingerprint)",
        (
            shop_id,
            order_id,
            line_no,
            variant_id,
            now,
            [box.seal(text.encode(), place=place) for text in texts],
            [serial_fingerprints(box, shop_id=shop_id, serial=text)[0] for text in texts],
        ),
    )


async def read_serials(
    tx: Transaction, *, shop_id: int, order_id: int, box: SecretBox
) -> dict[int, list[str]]:
    """The order's serials by line number, in the order in which they were recorded."""
    rows = await tx.all(
        "select line_no, sealed from captured_serials where shop_id = %s and order_id = %s order by id",
        (shop_id, order_id),
    )
    place = serial_place(shop_id, order_id)
    found: defaultdict[int, list[str]] = defaultdict(list)
    for line_no, sealed in rows:
        found[line_no].append(box.open(bytes(sealed), place=place).decode())
    return dict(found)


async def read_told_serials(
    tx: Transaction, *, shop_id: int, order_id: int, box: SecretBox
) -> dict[int, list[str]]:
    """What the order's partner is told by line number: valid sold serials, then others that were recorded."""
    told = await read_sold_serials(tx, shop_id=shop_id, order_id=order_id, box=box)
    recorded = await read_serials(tx, shop_id=shop_id, order_id=order_id, box=box)
    for line_no, texts in recorded.items():
        sold = told.get(line_no, [])
        told[line_no] = sold + [text for text in texts if text not in sold]
    return told


async def find_serial(
    tx: Transaction, *, shop_id: int, serial: str, box: SecretBox
) -> list[tuple[int, int]]:
    """(order, line) of every record of the serial, under any known master key."""
    fingerprints = serial_fingerprints(box, shop_id=shop_id, serial=serial.strip())
    rows = await tx.all(
        "select order_id, line_no from captured_serials"
        " where shop_id = %s and fingerprint = any(%s) order by id",
        (shop_id, fingerprints),
    )
    return [(order_id, line_no) for order_id, line_no in rows]


def serial_place(shop_id: int, order_id: int) -> str:
    """What a sealed serial is bound to."""
    return f"serial:{shop_id}:{order_id}"


def serial_fingerprints(box: SecretBox, *, shop_id: int, serial: str) -> list[bytes]:
    """The keyed hashes that find a serial, one per known master key; the first, of the newest key, is stored."""
    return box.keyed_hashes(serial, purpose=f"serial:{shop_id}")
