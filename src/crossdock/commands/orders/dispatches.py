"""`crossdock dispatch`: orders sent to outside systems."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from crossdock.commands.running import with_runtime
from crossdock.db.runtime import Runtime
from crossdock.errors import Invalid
from crossdock.terminal import JsonOption, ShopOption, print_json, print_table, report, report_list

if TYPE_CHECKING:
    from crossdock.shop.dispatch import Dispatch

app = typer.Typer(help="Dispatches: orders sent to outside systems.", no_args_is_help=True)

STATUSES = ("queued", "sending", "sent", "failed", "withdrawn")
OrderId = Annotated[int, typer.Argument(help="The order's number.")]


@app.command("list")
def list_(
    shop: ShopOption,
    status: Annotated[str | None, typer.Option(help=f"Only {', '.join(STATUSES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most this many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List the newest dispatches of a shop."""
    from crossdock.shop.dispatch import list_dispatches
    from crossdock.shop.shops import read_shop

    if status is not None and status not in STATUSES:
        raise Invalid("invalid_input", f"--status must be one of {', '.join(STATUSES)}.")

    async def run(runtime: Runtime) -> "list[Dispatch]":
        async with runtime.database.statement() as tx:
            shop_id = (await read_shop(tx, slug=shop)).id
            return await list_dispatches(tx, shop_id=shop_id, status=status, limit=limit)

    dispatches = with_runtime(run)
    report_list(dispatches, as_json=as_json, table=_print_table, none="There is no such dispatch.")


@app.command()
def show(order_id: OrderId, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Show the state of an order's dispatch and its last error."""
    from crossdock.shop.dispatch import show_dispatch
    from crossdock.shop.shops import read_shop

    async def run(runtime: Runtime) -> "Dispatch":
        async with runtime.database.statement() as tx:
            shop_id = (await read_shop(tx, slug=shop)).id
            return await show_dispatch(tx, shop_id=shop_id, order_id=order_id)

    dispatch = with_runtime(run)
    if as_json:
        print_json(dispatch)
        return
    for name, value in msgspec.structs.asdict(dispatch).items():
        typer.echo(f"{name:18}{'' if value is None else value}")


@app.command()
def resend(
    shop: ShopOption,
    order_ids: Annotated[list[int] | None, typer.Argument(help="The orders' numbers.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All failed ones of the shop.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Send failed dispatches again; an order that an earlier attempt created is found, not duplicated."""
    from crossdock.shop.dispatch import list_dispatches
    from crossdock.shop.dispatch import resend as resend_dispatch
    from crossdock.shop.shops import read_shop

    if bool(order_ids) == failed:
        raise Invalid("invalid_input", "Name orders, or --failed for all that failed.")

    async def run(runtime: Runtime) -> list[int]:
        async with runtime.database.begin() as tx:
            shop_id = (await read_shop(tx, slug=shop)).id
            wanted = list(order_ids or [])
            if failed:
                rows = await list_dispatches(tx, shop_id=shop_id, status="failed", limit=10_000)
                wanted = [row.order_id for row in rows]
            for order_id in wanted:
                await resend_dispatch(
                    tx, shop_id=shop_id, order_id=order_id, now=runtime.clock.now()
                )
            return wanted

    resent = with_runtime(run)
    report(
        {"resent": resent},
        as_json=as_json,
        text=f"{len(resent)} sent again: {', '.join(map(str, resent)) or 'none had failed'}",
    )


def _print_table(dispatches: "list[Dispatch]") -> None:
    from rich.table import Table

    table = Table(
        "Order", "Partner's number", "Connector", "Status", "Tries", "Their id", "Last error"
    )
    for dispatch in dispatches:
        table.add_row(
            str(dispatch.order_id),
            dispatch.partner_order_id,
            dispatch.connector,
            dispatch.status,
            str(dispatch.attempts),
            dispatch.external_id or "",
            dispatch.last_error,
        )
    print_table(table)
