"""What every command has in common: its options, how it reports, and what a channel's commands get.

A command reports what it did in words, or with `--json` as JSON and nothing else on stdout. What goes
wrong is raised as a CrossdockError, which `cli` turns into one line on stderr and the exit code.
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
    """What `cli` hands to the commands that a channel brings, as `context.obj`."""

    def with_runtime(self, action: Callable[[Runtime], Awaitable[T]]) -> T:
        """Run `action` with a migrated database and an open pool."""

    def base_url(self) -> str:
        """Where the outside reaches the server of this data folder."""


def print_json(value: object) -> None:
    """One line of JSON on stdout."""
    typer.echo(msgspec.json.encode(value))


def report(value: object, *, as_json: bool, text: str | Callable[[], None]) -> None:
    """Print `value` as JSON, or the text; `text` may be what prints it."""
    if as_json:
        print_json(value)
    elif isinstance(text, str):
        typer.echo(text)
    else:
        text()


def report_list(
    found: list[T], *, as_json: bool, table: Callable[[list[T]], None], none: str
) -> None:
    """Print a list as JSON, or as `table` shows it, or that there is `none`."""
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
