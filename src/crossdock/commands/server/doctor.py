"""`crossdock doctor`: compute again what is stored, and print every difference."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from crossdock.commands.running import with_runtime
from crossdock.db.runtime import Runtime

if TYPE_CHECKING:
    from crossdock.shop.doctor import CheckResult


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Re-compute levels, totals and sequences; exit 0 only when nothing differs."""
    from crossdock.shop.doctor import examine

    async def look(runtime: Runtime) -> "list[CheckResult]":
        return list(await examine(runtime.database))

    results = with_runtime(look)
    if as_json:
        typer.echo(msgspec.json.encode(results))
    else:
        _print(results)
    raise typer.Exit(1 if any(result.differences for result in results) else 0)


def _print(results: "list[CheckResult]") -> None:
    for result in results:
        verdict = f"{len(result.differences)} differ" if result.differences else "right"
        typer.echo(f"{result.check:<44} {result.looked_at:>10,}  {verdict}")
        for found in result.differences:
            typer.echo(f"    {found.where}: expected {found.expected}, found {found.found}")
