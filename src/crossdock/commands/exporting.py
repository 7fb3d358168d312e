"""`crossdock export`: a shop's catalogue into a file."""

import sys
from pathlib import Path
from typing import IO, Annotated

import typer

from crossdock.commands.running import with_runtime
from crossdock.db.runtime import Runtime


def export(
    file_format: Annotated[
        str,
        typer.Option(
            "--format", "-f", help="shopify-csv, google-merchant, woocommerce-csv or jsonl."
        ),
    ],
    shop: Annotated[str, typer.Option(help="The shop's slug.")],
    out: Annotated[
        Path | None, typer.Option(help="Written whole or not at all; without it, stdout.")
    ] = None,
) -> None:
    """Export a catalogue; jsonl has everything, the others what their format has a place for.

    Exit code: 0 done, 2 no such shop or format.
    """
    from crossdock.errors import NotFound
    from crossdock.imports.items import Unreadable

    try:
        if out is None:
            _export(sys.stdout.buffer, file_format=file_format, slug=shop)
            return
        draft = out.with_name(f".{out.name}.part")
        try:
            with draft.open("wb") as file:
                _export(file, file_format=file_format, slug=shop)
            draft.replace(out)
        finally:
            draft.unlink(missing_ok=True)
    except (NotFound, Unreadable) as error:
        typer.echo(f"crossdock: {error.message}", err=True)
        raise typer.Exit(2) from error


def _export(file: IO[bytes], *, file_format: str, slug: str) -> None:
    from crossdock.imports.exporting import export_catalogue
    from crossdock.shop.shops import read_shop

    async def run(runtime: Runtime) -> None:
        async with runtime.database.begin() as tx:
            shop = await read_shop(tx, slug=slug)
        async for piece in export_catalogue(runtime.database, shop=shop, format_name=file_format):
            file.write(piece)
        file.flush()

    with_runtime(run)
