"""`crossdock import FILE`, and beside it `crossdock import list`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from crossdock.commands.catalogue.importing import import_
from crossdock.commands.running import with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.terminal import JsonOption, ShopOption, print_table, report_list

if TYPE_CHECKING:
    from crossdock.shop.catalogue import CatalogueImport

_FILE = "file"


class FileFirst(TyperGroup):
    """A group whose first word may be a file: what names no command is given to `file`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `file` in front, unless a command is named. A file called like one is written as ./list."""
        if not args or args[0] not in self.commands:
            args = [_FILE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=FileFirst, help="Import a catalogue: `import FILE`, or list what was imported."
)
app.command(_FILE, hidden=True)(import_)


@app.command("list")
def list_(
    shop: ShopOption,
    before: Annotated[
        int | None, typer.Option(help="Only imports with a number below this.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most this many.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List what was imported, by command and on pages, the newest first."""
    from crossdock.shop.catalogue import list_imports

    async def read(_runtime: Runtime, tx: Transaction) -> "list[CatalogueImport]":
        shop_id = await shop_id_of(tx, shop)
        return await list_imports(tx, shop_id=shop_id, before=before, limit=limit)

    found = with_transaction(read)
    report_list(found, as_json=as_json, table=_print_imports, none="Nothing was imported yet.")


def _print_imports(found: "list[CatalogueImport]") -> None:
    from rich.table import Table

    table = Table("Import", "File", "Format", "State", "Read", "Refused", "Changed", "By", "Error")
    for each in found:
        share = 100 * each.read_bytes // max(each.size_bytes, 1)
        table.add_row(
            str(each.id),
            each.name,
            each.format,
            each.state,
            f"{share} %",
            str((each.summary or {}).get("refused", each.refused)),
            f"{each.changed_at:%Y-%m-%d %H:%M:%S}",
            each.person or "command line",
            each.error,
        )
    print_table(table)
