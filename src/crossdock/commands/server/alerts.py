"""`crossdock alerts`: what needs a person's attention."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from crossdock.commands.running import with_runtime
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.errors import Invalid
from crossdock.terminal import JsonOption, print_json, print_table, report, report_list

if TYPE_CHECKING:
    from crossdock.shop.alerts import Alert

app = typer.Typer(help="Alerts: what needs a person's attention.", no_args_is_help=True)

BY = "command line"
ShopOption = Annotated[str | None, typer.Option("--shop", help="Only this shop's.")]


@app.command("list")
def list_(
    shop: ShopOption = None,
    with_seen: Annotated[
        bool, typer.Option("--all", help="Include alerts that were seen.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most this many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List open alerts, newest first."""
    from crossdock.shop.alerts import list_alerts

    async def run(runtime: Runtime) -> "list[Alert]":
        async with runtime.database.statement() as tx:
            shop_id = await shop_id_of(tx, shop) if shop else None
            return await list_alerts(
                tx, shop_id=shop_id, seen=None if with_seen else False, limit=limit
            )

    alerts = with_runtime(run)
    report_list(alerts, as_json=as_json, table=_print_table, none="There is nothing to look at.")


@app.command()
def show(
    alert_id: Annotated[int, typer.Argument(help="The alert's number.")],
    as_json: JsonOption = False,
) -> None:
    """Show one alert, open or seen."""
    from crossdock.shop.alerts import read_alert

    async def run(runtime: Runtime) -> "Alert":
        async with runtime.database.statement() as tx:
            return await read_alert(tx, alert_id=alert_id)

    alert = with_runtime(run)
    if as_json:
        print_json(alert)
        return
    for name, value in msgspec.structs.asdict(alert).items():
        typer.echo(f"{name:12}{'' if value is None else value}")


@app.command()
def seen(
    alert_ids: Annotated[list[int] | None, typer.Argument(help="The alerts' numbers.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All open alerts.")] = False,
    shop: ShopOption = None,
    as_json: JsonOption = False,
) -> None:
    """Mark alerts as seen; the same alert may then be raised again."""
    from crossdock.shop.alerts import mark_seen, read_alert

    if bool(alert_ids) == everything:
        raise Invalid("invalid_input", "Name alerts, or --all for every open one.")

    async def run(runtime: Runtime) -> int:
        async with runtime.database.begin() as tx:
            shop_id = await shop_id_of(tx, shop) if shop else None
            for alert_id in alert_ids or ():
                await read_alert(tx, shop_id=shop_id, alert_id=alert_id)
            return await mark_seen(
                tx, shop_id=shop_id, alert_ids=alert_ids or None, by=BY, now=runtime.clock.now()
            )

    count = with_runtime(run)
    report({"seen": count}, as_json=as_json, text=f"{count} closed.")


def _print_table(alerts: "list[Alert]") -> None:
    from rich.table import Column, Table

    table = Table("No", "Shop", Column("Raised", no_wrap=True), "About", "What", "Seen")
    for alert in alerts:
        order = "" if alert.order_id is None else f"order {alert.order_id}"
        seen_at = f"{alert.seen_at:%Y-%m-%d %H:%M} {alert.seen_by}" if alert.seen_at else ""
        table.add_row(
            str(alert.id),
            alert.shop,
            f"{alert.created_at:%Y-%m-%d %H:%M}",
            " ".join(part for part in (alert.title, order, alert.subject) if part),
            alert.message,
            seen_at,
        )
    print_table(table)
