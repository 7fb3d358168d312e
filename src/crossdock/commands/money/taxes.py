"""`crossdock tax`: the rates that are added to prices where goods go."""

from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.running import with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.money import parse_rate_bp
from crossdock.terminal import JsonOption, ShopOption, report, report_list

if TYPE_CHECKING:
    from crossdock.shop.pricing import TaxRate

app = typer.Typer(
    help="Taxes that are added to the prices of carts where goods go.", no_args_is_help=True
)

Region = Annotated[
    str, typer.Argument(help="A country such as US, or a state of it such as US-TX.")
]


@app.command("set")
def set_(
    region: Region,
    percent: Annotated[str, typer.Argument(help="The rate in percent, such as 8.25.")],
    shop: ShopOption,
    on_shipping: Annotated[
        bool, typer.Option("--on-shipping", help="Shipping is taxed too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Set the rate of a region. A state's rate goes before its country's; no rate is no tax."""
    from crossdock.shop.pricing import TaxRate, set_tax_rate

    country, _, state = region.partition("-")
    rate = TaxRate(
        country=country, state=state, rate_bp=parse_rate_bp(percent), taxes_shipping=on_shipping
    )

    async def write(_runtime: Runtime, tx: Transaction) -> "TaxRate":
        return await set_tax_rate(tx, shop_id=await shop_id_of(tx, shop), rate=rate)

    kept = with_transaction(write)
    report(kept, as_json=as_json, text=_line(kept))


@app.command("list")
def list_(shop: ShopOption, as_json: JsonOption = False) -> None:
    """List the shop's rates."""
    from crossdock.shop.pricing import list_tax_rates

    async def read(_runtime: Runtime, tx: Transaction) -> "list[TaxRate]":
        return await list_tax_rates(tx, shop_id=await shop_id_of(tx, shop))

    report_list(
        with_transaction(read),
        as_json=as_json,
        table=lambda rates: typer.echo("\n".join(map(_line, rates))),
        none="There is no tax rate: nothing is added to prices.",
    )


@app.command()
def remove(region: Region, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Take a region's rate away."""
    from crossdock.shop.pricing import remove_tax_rate

    country, _, state = region.partition("-")

    async def write(_runtime: Runtime, tx: Transaction) -> None:
        shop_id = await shop_id_of(tx, shop)
        await remove_tax_rate(tx, shop_id=shop_id, country=country, state=state)

    with_transaction(write)
    report({"removed": region}, as_json=as_json, text=f"{region} has no rate of its own any more.")


def _line(rate: "TaxRate") -> str:
    region = f"{rate.country}-{rate.state}" if rate.state else rate.country
    shipping = ", shipping too" if rate.taxes_shipping else ""
    return f"{region}  {rate.rate_bp / 100:g} %{shipping}"
