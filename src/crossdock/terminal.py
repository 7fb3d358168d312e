"""What all commands share: options, output, and what channels' commands get.

A command prints its result as text, or with `--json` as JSON and nothing else on stdout. An error is
raised as a CrossdockError, which `cli` turns into one line on stderr and the exit code.
"""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Protocol, TypeVar

import msgspec
import typer

from crossdock.db.runtime import Runtime
from crossdock.errors import Invalid

T = TypeVar("T")

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


def read_input(path: Path) -> bytes:
    """A file's content; - is standard input. Raises Invalid `invalid_input`."""
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid("invalid_input", f"{path} cannot be read: {error.strerror}.") from error
