"""Put the serials of a file into stock: all of them or none, however many they are."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid
from crossdock.kit.crypto import SecretBox
from crossdock.shop.stock.serials import SERIALS_MAX, add_serials, known_among, serial_fingerprint

_AT_ONCE: Final = SERIALS_MAX
_TOLD_MAX: Final = 20


class Line(msgspec.Struct, frozen=True):
    """A line of a file: its number, from 1 on, and its serial. Its repr hides the serial."""

    number: int
    serial: str

    def __repr__(self) -> str:
        return f"Line({self.number})"


async def import_serials(
    tx: Transaction,
    *,
    shop_id: int,
    variant_id: int,
    lines: Iterable[str],
    box: SecretBox,
    now: datetime,
    moved: Callable[[int], None],
) -> int:
    """Add the serials of these lines in their order; returns how many. Empty lines are left out.

    `moved` is told how many lines were read since it was told last. Raises as `add_serials` does; Conflict
    `exists` names the lines whose serials are given twice or are there already, and then nothing is added
    where the caller rolls back.
    """
    added, wrong, seen = 0, [], set[bytes]()
    for chunk in _chunks(lines):
        repeated = await _repeated(
            tx, shop_id=shop_id, variant_id=variant_id, chunk=chunk, box=box, seen=seen
        )
        wrong += repeated
        texts = [line.serial for line in chunk if line.serial]
        if texts and not wrong:
            added += await add_serials(
                tx, shop_id=shop_id, variant_id=variant_id, serials=texts, box=box, now=now
            )
        moved(len(chunk))
    if wrong:
        raise _refusal(wrong)
    if not added:
        raise Invalid("invalid_input", "The file has no serial.")
    return added


async def _repeated(
    tx: Transaction,
    *,
    shop_id: int,
    variant_id: int,
    chunk: list[Line],
    box: SecretBox,
    seen: set[bytes],
) -> list[int]:
    """The numbers of the lines that repeat an earlier one or a serial in stock; `seen` grows by the others."""
    new: dict[str, int] = {}
    wrong = []
    for line in chunk:
        if not line.serial:
            continue
        mark = serial_fingerprint(box, shop_id=shop_id, serial=line.serial)
        if mark in seen:
            wrong.append(line.number)
        else:
            seen.add(mark)
            new[line.serial] = line.number
    known = await known_among(tx, shop_id=shop_id, variant_id=variant_id, texts=[*new], box=box)
    return sorted([*wrong, *(new[text] for text in known)])


def _chunks(lines: Iterable[str]) -> Iterator[list[Line]]:
    numbered = (Line(number, text.strip()) for number, text in enumerate(lines, start=1))
    while chunk := list(islice(numbered, _AT_ONCE)):
        yield chunk


def _refusal(wrong: list[int]) -> Conflict:
    told = ", ".join(map(str, wrong[:_TOLD_MAX])) + (" ..." if len(wrong) > _TOLD_MAX else "")
    message = (
        f"{len(wrong)} of the serials are there already, or twice: lines {told}; none was added."
    )
    return Conflict("exists", message, {"lines": wrong[:_TOLD_MAX], "count": len(wrong)})
