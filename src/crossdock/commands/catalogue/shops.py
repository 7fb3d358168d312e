"""`crossdock shop`: add and list shops."""

from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.running import with_runtime
from crossdock.db.runtime import Runtime
from crossdock.terminal import JsonOption, print_json, report

if TYPE_CHECKING:
    from crossdock.shop.shops import Shop

app = typer.Typer(help="Add and list shops.", no_args_is_help=True)


@app.command()
def add(
    slug: Annotated[str, typer.Argument(help="Lower-case letters, digits and hyphens.")],
    name: Annotated[str, typer.Option(help="The name that people see.")],
    currency: Annotated[str, typer.Option(help="ISO 4217, such as EUR.")],
    country: Annotated[str, typer.Option(help="ISO 3166, such as NL.")] = "US",
    languages: Annotated[
        str, typer.Option(help="Language codes separated by commas, the main one first.")
    ] = "en",
    as_json: JsonOption = False,
) -> None:
    """Add a shop with its own catalogue, stock and order book."""
    from crossdock.shop.shops import add_shop

    codes = tuple(code.strip() for code in languages.split(",") if code.strip())

    async def write(runtime: Runtime) -> "Shop":
        async with runtime.database.begin() as tx:
            return await add_shop(
                tx, slug=slug, name=name, currency=currency, country=country, languages=codes
            )

    shop = with_runtime(write)
    report(shop, as_json=as_json, text=f"Added shop {shop.slug} ({shop.id}).")


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List all shops."""
    from crossdock.shop.shops import list_shops

    async def read(runtime: Runtime) -> "list[Shop]":
        async with runtime.database.statement() as tx:
            return await list_shops(tx)

    shops = with_runtime(read)
    if as_json:
        print_json(shops)
        return
    for shop in shops:
        typer.echo(f"{shop.slug}  {shop.name}  {shop.currency}  {shop.country}")
