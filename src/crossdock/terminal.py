"""What all commands share: options, output, and what channels' commands get.

A command prints its result as text, or with `--json` as JSON and nothing else on stdout. An error is
raised as a CrossdockError, which `cli` turns into one line on stderr and the exit code.
"""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar

import msgspec
import typer

from crossdock.db.runtime import Runtime
from crossdock.errors import Invalid

if TYPE_CHECKING:
    from rich.table import Column, Table

T = TypeVar("T")
_FRAME = 3  # the border and two blanks of each column

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ShopOption = Annotated[str, typer.Option("--shop", help="The shop's slug.")]


class CommandLine(Protocol):
    """What `cli` passes to commands of channels, as `context.obj`."""

    def with_runtime(self, action: Callable[[Runtime], Awaitable[T]]) -> T:
        """Run `action` with a migrated database and an open pool."""

    def base_url(self) -> str:
        """The public base URL of the server of this data folder."""


def print_json(value: object) -> None:
    """One line of JSON on stdout."""
    typer.echo(msgspec.json.encode(value))


def report(value: object, *, as_json: bool, text: str | Callable[[], None]) -> None:
    """Print `value` as JSON, else the text; `text` may be a function that prints it."""
    if as_json:
        print_json(value)
    elif isinstance(text, str):
        typer.echo(text)
    else:
        text()


def read_secret(name: str) -> str:
    """Ask for a secret on the terminal without showing it, or read a line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt(name, hide_input=True, err=True))
    return sys.stdin.readline().strip()


def report_list(
    found: list[T], *, as_json: bool, table: Callable[[list[T]], None], none: str
) -> None:
    """Print a list as JSON, else with `table`, else `none` if it is empty."""
    if as_json:
        print_json(found)
    elif found:
        table(found)
    else:
        typer.echo(none)


def print_table(table: "Table", *, to_stderr: bool = False) -> None:
    """Print a table that never cuts a word, such as a key; it may be wider than the terminal.

    Cells are plain text: square brackets and colons are not markup.
    """
    from rich.console import Console

    console = Console(stderr=to_stderr, markup=False, emoji=False)
    needs = [_needs(column) for column in table.columns]
    frame = _FRAME * len(needs) + 1
    if sum(most for _, most in needs) + frame > console.width:
        widths = _share(needs, room=console.width - frame)
        for column, width in zip(table.columns, widths, strict=True):
            column.width = width
        width = max(console.width, sum(widths) + frame)
        console = Console(stderr=to_stderr, width=width, markup=False, emoji=False)
    console.print(table)


def _needs(column: "Column") -> tuple[int, int]:
    """The width of a column with one word per line, and without line breaks."""
    from rich.cells import cell_len

    texts = [str(text) for text in (column.header, *column.cells)]
    most = max(cell_len(line) for text in texts for line in text.splitlines() or [""])
    if column.no_wrap:
        return most, most
    return max(cell_len(word) for text in texts for word in text.split() or [""]), most


def _share(needs: list[tuple[int, int]], *, room: int) -> list[int]:
    """The widths of the columns: at least the longest word, and a share of the remaining width."""
    widths = [least for least, _ in needs]
    left = max(0, room - sum(widths))
    lacks = sorted((most - least, index) for index, (least, most) in enumerate(needs))
    for position, (lack, index) in enumerate(lacks):
        given = min(lack, left // (len(lacks) - position))
        widths[index] += given
        left -= given
    return widths


def read_input(path: Path) -> bytes:
    """A file's content; - is standard input. Raises Invalid `invalid_input`."""
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid("invalid_input", f"{path} cannot be read: {error.strerror}.") from error
