"""`crossdock export`: a shop's catalogue into a file."""

from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from crossdock.commands.running import with_runtime
from crossdock.commands.whole_files import CannotWrite, whole_file
from crossdock.db.runtime import Runtime

if TYPE_CHECKING:
    from crossdock.imports.exporting import ExportSummary


def export(
    file_format: Annotated[
        str,
        typer.Option(
            "--format", "-f", help="shopify-csv, google-merchant, woocommerce-csv or jsonl."
        ),
    ],
    shop: Annotated[str, typer.Option(help="The shop's slug.")],
    out: Annotated[
        Path | None,
        typer.Option(help="The file, written completely or not at all; without it, stdout."),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print what was written and left out as JSON on stdout; needs --out."
        ),
    ] = False,
) -> None:
    """Export a catalogue; jsonl contains everything, the others what their format can express.

    What was left out is printed on stderr, or with --json on stdout. Exit code: 0 done, 2 no such shop
    or format.
    """
    from crossdock.commands.catalogue.export_report import show_summary
    from crossdock.errors import NotFound
    from crossdock.imports.items import Unreadable

    if as_json and out is None:
        message = "needs --out: without it, stdout has the catalogue itself."
        raise typer.BadParameter(message, param_hint="--json")
    try:
        summary = _export(out, file_format=file_format, slug=shop)
    except (CannotWrite, NotFound, Unreadable) as error:
        typer.echo(f"crossdock: {error.message}", err=True)
        raise typer.Exit(2) from error
    show_summary(summary, as_json=as_json)


def _export(out: Path | None, *, file_format: str, slug: str) -> "ExportSummary":
    """Write to stdout, or to a temporary file that is renamed, so that the file is complete."""
    with whole_file(out) as file:
        summary = _write(file, file_format=file_format, slug=slug)
        summary.bytes = 0 if out is None else file.tell()
    summary.file = str(out or "")
    return summary


def _write(file: IO[bytes], *, file_format: str, slug: str) -> "ExportSummary":
    from crossdock.imports.exporting import ExportSummary, export_catalogue
    from crossdock.shop.shops import read_shop

    summary = ExportSummary(format=file_format, shop=slug)

    async def run(runtime: Runtime) -> None:
        async with runtime.database.begin() as tx:
            shop = await read_shop(tx, slug=slug)
        pieces = export_catalogue(
            runtime.database, shop=shop, format_name=file_format, summary=summary
        )
        async for piece in pieces:
            file.write(piece)
        file.flush()

    with_runtime(run)
    return summary
