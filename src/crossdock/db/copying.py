"""Writes rows with COPY in its text format."""

from collections.abc import Iterable
from datetime import date
from itertools import islice

from crossdock.db.unit_of_work import Transaction

NULL = "\\N"
_ESCAPES: dict[int, str | None] = dict.fromkeys([*range(32), 127]) | {
    ord("\\"): "\\\\",
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
}
_LINES_AT_ONCE = 400


async def copy_lines(tx: Transaction, *, target: str, lines: Iterable[str]) -> None:
    """Copy lines into `target`, 'table (columns)'; lines are produced while the server works."""
    remaining = iter(lines)
    chunk = "".join(islice(remaining, _LINES_AT_ONCE))
    if not chunk:
        return
    # tidy: allow sql_is_made_of_constants because targets are literals of the modules that call this
    statement = f"copy {target} from stdin"
    async with tx.connection.cursor() as cursor, cursor.copy(statement) as copy:
        while chunk:
            await copy.write(chunk)
            chunk = "".join(islice(remaining, _LINES_AT_ONCE))


def copy_text(value: str | None) -> str:
    """One text field of a COPY line. Control characters other than tab and line ends are dropped."""
    if value is None:
        return NULL
    if value.isprintable() and "\\" not in value:
        return value
    return value.translate(_ESCAPES)


def copy_value(value: int | bool | date | None) -> str:
    """A number, flag or time in a COPY line."""
    if value is None:
        return NULL
    if isinstance(value, date):
        return value.isoformat()
    return "t" if value is True else "f" if value is False else str(value)
