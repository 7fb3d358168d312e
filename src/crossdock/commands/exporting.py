"""`crossdock export`: a shop's catalogue into a file."""

import sys
from pathlib import Path
from typing import IO, Annotated

import msgspec
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
    as_json: Annotated[
        bool, typer.Option("--json", help="What was written as JSON on stdout; needs --out.")
    ] = False,
) -> None:
    """Export a catalogue; jsonl has everything, the others what their format has a place for.

    Exit code: 0 done, 2 no such shop or format.
    """
    from crossdock.errors import NotFound
    from crossdock.imports.items import Unreadable

    if as_json and out is None:
        message = "needs --out: without it, stdout has the catalogue itself."
        raise typer.BadParameter(message, param_hint="--json")
    try:
        if out is None:
            _export(sys.stdout.buffer, file_format=file_format, slug=shop)
            return
        count = _export_whole(out, file_format=file_format, slug=shop)
    except (NotFound, Unreadable) as error:
        typer.echo(f"crossdock: {error.message}", err=True)
        raise typer.Exit(2) from error
    facts = {"file": str(out), "format": file_format, "shop": shop, "bytes": count}
    typer.echo(msgspec.json.encode(facts) if as_json else f"{out}: {count} bytes.")


def _export_whole(out: Path, *, file_format: str, slug: str) -> int:
    """Write a draft and rename it, so that a file that is there is whole; its size in bytes."""
    draft = out.with_name(f".{out.name}.part")
    try:
        with draft.open("wb") as file:
            _export(file, file_format=file_format, slug=slug)
            count = file.tell()
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
    return count


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
