"""`crossdock stock serials`: licence keys and codes in stock, sold once each."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
