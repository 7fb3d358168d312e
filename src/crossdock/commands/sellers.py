"""`crossdock seller`: the operator's sales people, whom new customers are given to in turn."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from crossdock.commands.running import with_runtime
from crossdock.db.runtime import Runtime

if TYPE_CHECKING:
    from crossdock.shop.customers import Seller

app = typer.Typer(
    help="Sales people; new customers are given to them in turn.", no_args_is_help=True
)

ShopOption = Annotated[str, typer.Option("--shop", help="The shop's slug.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SellerId = Annotated[int, typer.Argument(help="The seller's number, from `crossdock seller list`.")]


@app.command()
def add(
    shop: ShopOption,
    name: Annotated[str, typer.Option(help="The seller's name.")],
    email: Annotated[str | None, typer.Option(help="The seller's e-mail.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Add a seller, who takes part in the rotation from now on."""
    from crossdock.shop.customers import add_seller
    from crossdock.shop.shops import read_shop

    async def run(runtime: Runtime) -> int:
        async with runtime.database.begin() as tx:
            shop_id = (await read_shop(tx, slug=shop)).id
            return await add_seller(tx, shop_id=shop_id, name=name, email=email)

    seller_id = with_runtime(run)
    typer.echo(
        msgspec.json.encode({"id": seller_id}) if as_json else f"Seller {seller_id} is added."
    )


@app.command("list")
def list_(shop: ShopOption, as_json: JsonOption = False) -> None:
    """The shop's sellers."""
    from crossdock.shop.customers import list_sellers
    from crossdock.shop.shops import read_shop

    async def run(runtime: Runtime) -> "list[Seller]":
        async with runtime.database.statement() as tx:
            return await list_sellers(tx, shop_id=(await read_shop(tx, slug=shop)).id)

    sellers = with_runtime(run)
    if as_json:
        typer.echo(msgspec.json.encode(sellers))
    elif sellers:
        _print_table(sellers)
    else:
        typer.echo("There is no seller: orders come without a vendor.")


@app.command()
def disable(seller_id: SellerId, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Give a seller no new customers; the old ones stay."""
    _set_active(shop, seller_id=seller_id, active=False, as_json=as_json)


@app.command()
def enable(seller_id: SellerId, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Give a seller new customers again."""
    _set_active(shop, seller_id=seller_id, active=True, as_json=as_json)


def _set_active(shop: str, *, seller_id: int, active: bool, as_json: bool) -> None:
    from crossdock.shop.customers import list_sellers, set_seller_active
    from crossdock.shop.shops import read_shop

    async def run(runtime: Runtime) -> "Seller":
        async with runtime.database.begin() as tx:
            shop_id = (await read_shop(tx, slug=shop)).id
            await set_seller_active(tx, shop_id=shop_id, seller_id=seller_id, active=active)
            sellers = await list_sellers(tx, shop_id=shop_id)
            return next(seller for seller in sellers if seller.id == seller_id)

    seller = with_runtime(run)
    text = f"Seller {seller_id} is {'active' if active else 'disabled'}."
    typer.echo(msgspec.json.encode(seller) if as_json else text)


def _print_table(sellers: "list[Seller]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("Seller", "Name", "E-mail", "Active", "Customers")
    for seller in sellers:
        row = (str(seller.id), seller.name, seller.email or "", "yes" if seller.active else "no")
        table.add_row(*row, str(seller.customers))
    Console().print(table)
