"""Read the rows of a query page by page, without locks or an open transaction in between."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

from crossdock.db.unit_of_work import Database

PAGE = 500
Row = tuple[Any, ...]
_BEFORE_ALL = (datetime.min.replace(tzinfo=UTC), 0, 0)


async def walk_due(
    db: Database, query: str, *, values: Mapping[str, Any], page: int = PAGE
) -> AsyncIterator[Row]:
    """What is due, the longest first, each row once, whatever becomes of those before it.

    The query answers (time, shop id, id, ...) in that order, those after `(%(at)s, %(shop)s, %(id)s)` and at most
    `%(limit)s`; `values` are its other parameters.
    """
    place: Row = _BEFORE_ALL
    while True:
        async with db.statement() as tx:
            rows = await tx.all(
                query,
                {**values, "at": place[0], "shop": place[1], "id": place[2], "limit": page},
            )
        for row in rows:
            yield row
        if len(rows) < page:
            return
        place = rows[-1]
