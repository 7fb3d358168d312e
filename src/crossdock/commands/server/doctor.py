"""`crossdock doctor`: recompute what is stored, and print every difference."""

from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.running import with_runtime
from crossdock.db.runtime import Runtime
from crossdock.terminal import JsonOption, report

if TYPE_CHECKING:
    from crossdock.shop.doctor import CheckResult


def doctor(
    with_images: Annotated[
        bool,
        typer.Option(
            "--images", help="Look for the files of all images and videos as well; takes long."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Recompute levels, totals, balances, sequences and search indexes; exit 0 only if nothing differs.

    Warns of channels whose orders nobody pays, and of a trial with real money; they are no differences.
    """
    from crossdock.commands.server.payment_warnings import (
        Warned,
        warnings_of_channels,
        warnings_of_trials,
    )
    from crossdock.compose import Services
    from crossdock.shop.doctor import examine
    from crossdock.shop.doctor_runs import keep_run
    from crossdock.shop.media import examine_images
    from crossdock.shop.search import examine_indexes
    from crossdock.shop.shops import list_shops

    async def look(runtime: Runtime) -> "tuple[list[CheckResult], list[Warned]]":
        async with Services(runtime) as services:
            indexes = await examine_indexes(runtime.database, searching=services.searching)
            images = [await examine_images(services.media)] if with_images else []
            results = [*await examine(runtime.database), indexes, *images]
            async with runtime.database.begin() as tx:
                await keep_run(tx, results=results, now=runtime.clock.now())
                slugs = [shop.slug for shop in await list_shops(tx)]
            trials = warnings_of_trials(services.settings, slugs=slugs)
            return results, [*warnings_of_channels(services.settings), *trials]

    results, warnings = with_runtime(look)
    report(results, as_json=as_json, text=lambda: _print(results))
    for subject, text in warnings:
        typer.echo(f"{subject}: {text}", err=True)
    raise typer.Exit(1 if any(result.differences for result in results) else 0)


def _print(results: "list[CheckResult]") -> None:
    for result in results:
        verdict = f"{len(result.differences)} differ" if result.differences else "right"
        typer.echo(f"{result.check:<44} {result.looked_at:>10,}  {verdict}")
        for found in result.differences:
            typer.echo(f"    {found.where}: expected {found.expected}, found {found.found}")
