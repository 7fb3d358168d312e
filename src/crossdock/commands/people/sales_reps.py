"""`crossdock sales-rep`: sales reps, to whom new customers are assigned in rotation."""

from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.running import with_runtime
from crossdock.db.runtime import Runtime
from crossdock.terminal import JsonOption, ShopOption, print_table, report, report_list

if TYPE_CHECKING:
    from crossdock.shop.customers import SalesRep

app = typer.Typer(
    help="Sales reps; new customers are assigned to them in rotation.", no_args_is_help=True
)

SalesRepId = Annotated[
    int, typer.Argument(help="The sales rep's number, from `crossdock sales-rep list`.")
]


@app.command()
def add(
    shop: ShopOption,
    name: Annotated[str, typer.Option(help="The sales rep's name.")],
    email: Annotated[str | None, typer.Option(help="The sales rep's e-mail.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Add a sales rep to the rotation."""
    from crossdock.shop.customers import add_sales_rep
    from crossdock.shop.shops import read_shop

    async def run(runtime: Runtime) -> int:
        async with runtime.database.begin() as tx:
            shop_id = (await read_shop(tx, slug=shop)).id
            return await add_sales_rep(tx, shop_id=shop_id, name=name, email=email)

    sales_rep_id = with_runtime(run)
    report({"id": sales_rep_id}, as_json=as_json, text=f"Sales rep {sales_rep_id} is added.")


@app.command("list")
def list_(shop: ShopOption, as_json: JsonOption = False) -> None:
    """List the shop's sales reps."""
    from crossdock.shop.customers import list_sales_reps
    from crossdock.shop.shops import read_shop

    async def run(runtime: Runtime) -> "list[SalesRep]":
        async with runtime.database.statement() as tx:
            return await list_sales_reps(tx, shop_id=(await read_shop(tx, slug=shop)).id)

    sales_reps = with_runtime(run)
    report_list(
        sales_reps,
        as_json=as_json,
        table=_print_table,
        none="There is no sales rep: orders come without one.",
    )


@app.command()
def disable(sales_rep_id: SalesRepId, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Assign no new customers to a sales rep; current ones stay."""
    _set_active(shop, sales_rep_id=sales_rep_id, active=False, as_json=as_json)


@app.command()
def enable(sales_rep_id: SalesRepId, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Assign new customers to a sales rep again."""
    _set_active(shop, sales_rep_id=sales_rep_id, active=True, as_json=as_json)


def _set_active(shop: str, *, sales_rep_id: int, active: bool, as_json: bool) -> None:
    from crossdock.shop.customers import list_sales_reps, set_sales_rep_active
    from crossdock.shop.shops import read_shop

    async def run(runtime: Runtime) -> "SalesRep":
        async with runtime.database.begin() as tx:
            shop_id = (await read_shop(tx, slug=shop)).id
            await set_sales_rep_active(
                tx, shop_id=shop_id, sales_rep_id=sales_rep_id, active=active
            )
            sales_reps = await list_sales_reps(tx, shop_id=shop_id)
            return next(sales_rep for sales_rep in sales_reps if sales_rep.id == sales_rep_id)

    sales_rep = with_runtime(run)
    text = f"Sales rep {sales_rep_id} is {'active' if active else 'disabled'}."
    report(sales_rep, as_json=as_json, text=text)


def _print_table(sales_reps: "list[SalesRep]") -> None:
    from rich.table import Table

    table = Table("SalesRep", "Name", "E-mail", "Active", "Customers")
    for sales_rep in sales_reps:
        row = (
            str(sales_rep.id),
            sales_rep.name,
            sales_rep.email or "",
            "yes" if sales_rep.active else "no",
        )
        table.add_row(*row, str(sales_rep.customers))
    print_table(table)
