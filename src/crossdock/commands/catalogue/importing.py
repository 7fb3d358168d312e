"""`crossdock import`: a catalogue from a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.running import with_runtime
from crossdock.db.runtime import Runtime

if TYPE_CHECKING:
    from crossdock.imports.running import ImportOrder, Summary, Watcher

FormatOption = Annotated[
    str,
    typer.Option("--format", "-f", help="shopify-csv, google-merchant, woocommerce-csv or jsonl."),
]


def import_(
    file: Annotated[Path, typer.Argument(help="Plain, .gz, .zst or a .zip with one file in it.")],
    file_format: FormatOption,
    shop: Annotated[str, typer.Option(help="The shop's slug.")],
    merchant: Annotated[
        str,
        typer.Option(
            help="Merchant of rows that name none; default: a merchant with the shop's name."
        ),
    ] = "",
    map_file: Annotated[
        Path | None, typer.Option("--map", help="A TOML file that maps other column names.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Do everything, report it and roll back.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON on stdout.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write every refused row and warning here, one JSON a line.")
    ] = None,
) -> None:
    """Import a catalogue; repeat it to resume after a kill, or with a newer file. `import list`: what was.

    Exit code: 0 nothing was refused, 1 some rows were, 2 the file could not be read (to its end).
    """
    from crossdock.commands.catalogue.import_report import TerminalWatcher

    with TerminalWatcher(report=report) as watcher, _told_when_stopped(dry_run=dry_run):
        summary = _import(
            file=file,
            file_format=file_format,
            slug=shop,
            merchant=merchant,
            map_file=map_file,
            dry_run=dry_run,
            watcher=watcher,
        )
    watcher.show_findings()
    watcher.show_summary(summary, as_json=as_json)
    raise typer.Exit(2 if summary.error else 1 if summary.refused else 0)


@contextmanager
def _told_when_stopped(*, dry_run: bool) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        rest = "nothing was written" if dry_run else "the same command goes on after the last batch"
        typer.echo(f"crossdock: Stopped; {rest}.", err=True)
        raise typer.Exit(130) from None


def _import(
    *,
    file: Path,
    file_format: str,
    slug: str,
    merchant: str,
    map_file: Path | None,
    dry_run: bool,
    watcher: "Watcher",
) -> "Summary":
    """Import; an unknown shop or format and an unreadable map become the summary's error."""
    from crossdock.errors import NotFound
    from crossdock.imports.formats import reader_of
    from crossdock.imports.items import Unreadable
    from crossdock.imports.mapping import FieldMap, load_map
    from crossdock.imports.running import ImportOrder, Summary, run_import
    from crossdock.shop.shops import read_shop

    async def run(runtime: Runtime) -> Summary:
        async with runtime.database.begin() as tx:
            shop = await read_shop(tx, slug=slug)
        order = ImportOrder(
            path=file,
            format=file_format,
            shop=shop,
            merchant=merchant or shop.name,
            map=field_map,
            dry_run=dry_run,
        )
        summary = await run_import(
            runtime.database, order=order, clock=runtime.clock, watcher=watcher
        )
        if not dry_run:
            await _note_down(runtime, order, summary)
        return summary

    try:
        reader_of(file_format)
        field_map = load_map(map_file) if map_file else FieldMap()
        return with_runtime(run)
    except (Unreadable, NotFound) as error:
        return Summary(file=str(file), format=file_format, shop=slug, error=error.message)


async def _note_down(runtime: Runtime, order: "ImportOrder", summary: "Summary") -> None:
    """Keep what came of the import, for `import list` and the console's history."""
    import msgspec

    from crossdock.shop.catalogue import NewImport, add_import, end_step

    made = NewImport(
        origin="command",
        name=order.path.name,
        size_bytes=order.path.stat().st_size if order.path.is_file() else 0,
        format=order.format,
        merchant=order.merchant,
        field_map=order.map.source.decode(),
    )
    shop_id, now = order.shop.id, runtime.clock.now()
    async with runtime.database.begin() as tx:
        import_id = await add_import(tx, shop_id=shop_id, made=made, state="importing", now=now)
        await end_step(
            tx,
            shop_id=shop_id,
            import_id=import_id,
            state="failed" if summary.error else "done",
            summary=msgspec.to_builtins(summary),
            error=summary.error,
            now=now,
        )
