"""`crossdock stock serials`: licence keys and codes in stock, sold once each."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from crossdock.commands.running import with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.terminal import JsonOption, ShopOption, print_table, report

if TYPE_CHECKING:
    from crossdock.shop.stock import SerialView

app = typer.Typer(help="Licence keys and codes in stock, sold once each.", no_args_is_help=True)

Variant = Annotated[str, typer.Argument(help="The variant's SKU or number.", metavar="VARIANT")]


@app.command()
def add(
    variant: Variant,
    shop: ShopOption,
    file: Annotated[str, typer.Option(help="File with one serial per line; - for stdin.")] = "-",
    as_json: JsonOption = False,
) -> None:
    """Add serials to stock and receive as many into the variant's own pool."""
    from crossdock.compose import create_box
    from crossdock.shop.stock import add_serials, find_variant

    serials = _lines(file)

    async def write(runtime: Runtime, tx: Transaction) -> int:
        shop_id = await shop_id_of(tx, shop)
        return await add_serials(
            tx,
            shop_id=shop_id,
            variant_id=await find_variant(tx, shop_id=shop_id, who=variant),
            serials=serials,
            box=create_box(runtime.settings),
            now=runtime.clock.now(),
        )

    count = with_transaction(write)
    report({"added": count}, as_json=as_json, text=f"{count} added")


@app.command("import")
def import_(
    variant: Variant,
    file: Annotated[Path, typer.Argument(help="File with one serial per line.", metavar="FILE")],
    shop: ShopOption,
    as_json: JsonOption = False,
) -> None:
    """Add the serials of a large file, all or none; lines that repeat one are told by their numbers."""
    from crossdock.compose import create_box
    from crossdock.shop.stock import find_variant, import_serials

    async def write(runtime: Runtime, tx: Transaction) -> int:
        shop_id = await shop_id_of(tx, shop)
        variant_id = await find_variant(tx, shop_id=shop_id, who=variant)
        await tx.take_time()
        with _opened(file) as lines, _progress(total=_count_lines(file)) as moved:
            return await import_serials(
                tx,
                shop_id=shop_id,
                variant_id=variant_id,
                lines=lines,
                box=create_box(runtime.settings),
                now=runtime.clock.now(),
                moved=moved,
            )

    try:
        count = with_transaction(write)
    except UnicodeDecodeError as error:
        raise Invalid("invalid_input", "The serials are not UTF-8 text.") from error
    report({"added": count}, as_json=as_json, text=f"{count} added")


@app.command("list")
def list_(
    variant: Variant,
    shop: ShopOption,
    sold: Annotated[
        bool | None, typer.Option("--sold/--unsold", help="Only sold or only unsold ones.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most this many.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List when each serial was added, sold and revoked, and which order has it; never its text."""
    from crossdock.shop.stock import find_variant, list_serials

    async def read(_runtime: Runtime, tx: Transaction) -> "list[SerialView]":
        shop_id = await shop_id_of(tx, shop)
        variant_id = await find_variant(tx, shop_id=shop_id, who=variant)
        return await list_serials(
            tx, shop_id=shop_id, variant_id=variant_id, sold=sold, limit=limit
        )

    found = with_transaction(read)
    report(found, as_json=as_json, text=lambda: _print(found))


def _opened(file: Path) -> TextIO:
    """The file as UTF-8 text, perhaps with the mark that some programs put first."""
    return file.open(encoding="utf-8-sig")


def _count_lines(file: Path) -> int:
    with file.open("rb") as lines:
        return sum(1 for _ in lines)


@contextmanager
def _progress(*, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, counted in lines."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    ) as progress:
        task = progress.add_task("", total=total)
        yield lambda lines: progress.advance(task, lines)


def _lines(file: str) -> list[str]:
    """Read the lines that are not empty; arguments would be kept in the shell's history."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Invalid("invalid_input", "The serials are not UTF-8 text.") from error
    return [line for line in text.splitlines() if line.strip()]


def _print(found: "list[SerialView]") -> None:
    from rich.table import Table

    table = Table("Serial", "Added", "Sold", "Revoked", "Order", "Line")
    for serial in found:
        table.add_row(
            str(serial.id),
            f"{serial.added_at:%Y-%m-%d %H:%M:%S}",
            f"{serial.sold_at:%Y-%m-%d %H:%M:%S}" if serial.sold_at else "",
            f"{serial.revoked_at:%Y-%m-%d %H:%M:%S}" if serial.revoked_at else "",
            str(serial.order_id or ""),
            str(serial.line_no or ""),
        )
    print_table(table)
