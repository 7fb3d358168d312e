"""Custom fields whose pattern the database cannot match are left out of a batch, before it is written."""

from collections.abc import Callable

import msgspec

from crossdock.db.unit_of_work import Database
from crossdock.imports.batches import Batch
from crossdock.imports.items import Finding, Read, shown
from crossdock.imports.odd_cells import without
from crossdock.shop.catalogue import EVERYTHING, ProductRecord, prepare, wrong_patterns

_REASON = "has a regex that is no regular expression; the value is left out"


async def leave_wrong_patterns_out(
    database: Database,
    batch: Batch,
    *,
    shows: Callable[[ProductRecord], ProductRecord | None] | None = None,
) -> None:
    """Take such custom fields out of the batch's products, which keep those that are stored; a warning tells each."""
    patterns = {pattern for read in batch.patterned for pattern in _patterns(read)}
    if not patterns:
        return
    async with database.statement() as tx:
        wrong = await wrong_patterns(tx, patterns=sorted(patterns))
    for read in batch.patterned:
        if found := [pattern for pattern in _patterns(read) if pattern in wrong]:
            batch.findings.append(
                Finding(
                    row=read.row,
                    field="custom_fields",
                    reason=_REASON,
                    value=shown(found[0]),
                    is_warning=True,
                )
            )
            _replace(batch, read, shows=shows)


def _patterns(read: Read) -> list[str]:
    assert isinstance(read.record, ProductRecord)  # what has patterns is a product
    return [field.regex for field in read.record.custom_fields if field.regex]


def _replace(
    batch: Batch, read: Read, *, shows: Callable[[ProductRecord], ProductRecord | None] | None
) -> None:
    assert isinstance(read.record, ProductRecord)
    merchant, handle = read.record.merchant, read.record.handle
    places = (
        n
        for n, each in enumerate(batch.products)
        if (each.merchant, each.handle) == (merchant, handle)
    )
    if (place := next(places, None)) is None:
        return  # written before, by a run that this one resumes
    parts = without(read.parts or EVERYTHING, frozenset({("", "custom_fields")}))
    parts = msgspec.structs.replace(parts, shows=shows)
    record = msgspec.structs.replace(read.record, custom_fields=())
    batch.products[place] = prepare((record,), parts=parts)[0]
