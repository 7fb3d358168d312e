"""A statement as CSV (RFC 4180), line by line: a head, an opening line, the changes, a closing line."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Literal

from crossdock.kit.money import format_minor
from crossdock.kit.spreadsheets import shown_text
from crossdock.shop.resellers.stating import Statement, StatementLine

Named = Literal["entry", "order", "payment", "fulfilment"]
Naming = Callable[[Named, int], str]
"""What something is called by its number."""

STATEMENT_COLUMNS = (
    *("entry", "at", "kind", "amount", "balance", "currency", "order", "payment", "fulfilment"),
    *("external_order_id", "reason"),
)
_PIECE = 200


def by_number(_kind: Named, number: int) -> str:
    """The shop's own numbers, as its staff see them."""
    return str(number)


async def statement_csv(
    statement: Statement, lines: AsyncIterator[StatementLine], *, naming: Naming = by_number
) -> AsyncIterator[str]:
    """The text in pieces. `opening` and `closing` have the balance before and after all lines.

    A text of somebody else's that a spreadsheet would compute begins with an apostrophe.
    """
    rows = [
        STATEMENT_COLUMNS,
        _edge(statement, "opening", statement.since, statement.opening_minor),
    ]
    balance = statement.opening_minor
    async for line in lines:
        balance = line.balance_minor
        rows.append(line_row(line, naming=naming))
        if len(rows) >= _PIECE:
            yield _text(rows)
            rows = []
    rows.append(_edge(statement, "closing", statement.until, balance))
    yield _text(rows)


def line_row(line: StatementLine, *, naming: Naming = by_number) -> tuple[str, ...]:
    """The cells of a line, in the order of STATEMENT_COLUMNS."""

    def named(kind: Named, number: int | None) -> str:
        return "" if number is None else naming(kind, number)

    return (
        naming("entry", line.entry_id),
        _moment(line.at),
        line.kind,
        format_minor(line.amount_minor, line.currency),
        format_minor(line.balance_minor, line.currency),
        line.currency,
        named("order", line.order_id),
        named("payment", line.payment_id),
        named("fulfilment", line.fulfilment_id),
        shown_text(line.external_order_id or ""),
        shown_text(line.reason),
    )


def _edge(
    statement: Statement, kind: str, at: datetime | None, balance_minor: int
) -> tuple[str, ...]:
    balance = format_minor(balance_minor, statement.currency)
    empty = ("",) * 5
    return ("", "" if at is None else _moment(at), kind, "", balance, statement.currency, *empty)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _text(rows: Sequence[tuple[str, ...]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()
