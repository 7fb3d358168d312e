"""`crossdock merchant`: the sellers of a shop and the terms on which they sell."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossdock.commands.running import with_transaction
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.kit.money import format_minor
from crossdock.terminal import JsonOption, ShopOption, print_table, report, report_list

if TYPE_CHECKING:
    from crossdock.shop.catalogue import MerchantView
    from crossdock.shop.shops import Shop

app = typer.Typer(
    help="Merchants: whose goods a shop sells, and on which terms.", no_args_is_help=True
)

Who = Annotated[str, typer.Argument(help="The merchant's name, slug or number.")]
Email = Annotated[str | None, typer.Option(help="Contact address; empty takes it away.")]
Country = Annotated[str | None, typer.Option(help="ISO 3166, such as NL; empty takes it away.")]
Shipping = Annotated[
    str | None, typer.Option(help="What shipping an order costs, such as 5.95; 0 for nothing.")
]
FreeFrom = Annotated[
    str | None,
    typer.Option(help="Goods of this value are shipped free, such as 35; empty: never by value."),
]
Share = Annotated[
    str | None, typer.Option(help="The shop's share of what it sells, in percent, such as 12.5.")
]
Service = Annotated[str | None, typer.Option(help="URL of its customer service.")]
Policy = Annotated[str | None, typer.Option(help="URL of its return policy.")]
ConnectorOption = Annotated[
    str | None, typer.Option(help="Connector that its orders go to; empty is the shop's default.")
]

Given = tuple[str | None, ...]
"""The words of MERCHANT_WORDS in their order; None for what was not given."""


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The name that buyers see; its slug is its key.")],
    shop: ShopOption,
    email: Email = None,
    country: Country = None,
    shipping: Shipping = None,
    free_from: FreeFrom = None,
    share: Share = None,
    customer_service_url: Service = None,
    return_policy_url: Policy = None,
    connector: ConnectorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a merchant. Imports add merchants by themselves, without terms."""
    from crossdock.shop.catalogue import add_merchant, merchant_record
    from crossdock.shop.shops import read_shop

    given = (
        email, country, shipping, free_from, share, customer_service_url, return_policy_url, connector,
    )  # fmt: skip

    async def write(runtime: Runtime, tx: Transaction) -> "MerchantView":
        found = await read_shop(tx, slug=shop)
        values = await _changes(tx, found, given)
        return await add_merchant(
            tx,
            shop_id=found.id,
            record=merchant_record({"name": name} | values),
            now=runtime.clock.now(),
        )

    merchant = with_transaction(write)
    report(merchant, as_json=as_json, text=f"Added merchant {merchant.slug} ({merchant.id}).")


@app.command("set")
def set_(
    who: Who,
    shop: ShopOption,
    email: Email = None,
    country: Country = None,
    shipping: Shipping = None,
    free_from: FreeFrom = None,
    share: Share = None,
    customer_service_url: Service = None,
    return_policy_url: Policy = None,
    connector: ConnectorOption = None,
    enabled: Annotated[
        bool | None, typer.Option("--enable/--disable", help="Whether its goods are for sale.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Change a merchant. Orders that were placed keep their sums; carts have the new terms at once."""
    from crossdock.shop.catalogue import set_merchant
    from crossdock.shop.shops import read_shop

    given = (
        email, country, shipping, free_from, share, customer_service_url, return_policy_url, connector,
    )  # fmt: skip
    if enabled is None and all(value is None for value in given):
        raise Invalid("invalid_input", "Say what to change, for example --shipping 5.95.")

    async def write(runtime: Runtime, tx: Transaction) -> "tuple[Shop, MerchantView]":
        found = await read_shop(tx, slug=shop)
        changes = await _changes(tx, found, given)
        changes |= {} if enabled is None else {"enabled": enabled}
        return found, await set_merchant(
            tx, shop_id=found.id, who=who, changes=changes, now=runtime.clock.now()
        )

    found, merchant = with_transaction(write)
    report(merchant, as_json=as_json, text=_told(merchant, found.currency))


@app.command("list")
def list_(shop: ShopOption, as_json: JsonOption = False) -> None:
    """List the shop's merchants with their terms."""
    from crossdock.shop.catalogue import list_merchants
    from crossdock.shop.shops import read_shop

    async def read(_runtime: Runtime, tx: Transaction) -> "tuple[Shop, list[MerchantView]]":
        found = await read_shop(tx, slug=shop)
        return found, await list_merchants(tx, shop_id=found.id)

    found, merchants = with_transaction(read)
    report_list(
        merchants,
        as_json=as_json,
        table=lambda shown: _print_table(shown, found.currency),
        none="There is no merchant; an import adds them, or: crossdock merchant add NAME --shop SHOP",
    )


@app.command()
def show(who: Who, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Show a merchant and its terms."""
    from crossdock.shop.catalogue import read_merchant
    from crossdock.shop.shops import read_shop

    async def read(_runtime: Runtime, tx: Transaction) -> "tuple[Shop, MerchantView]":
        found = await read_shop(tx, slug=shop)
        return found, await read_merchant(tx, shop_id=found.id, who=who)

    found, merchant = with_transaction(read)
    report(merchant, as_json=as_json, text=_told(merchant, found.currency))


async def _changes(tx: Transaction, shop: "Shop", given: Given) -> dict[str, Any]:
    """The fields of a merchant that were given. Raises Invalid `invalid_input` for what cannot be."""
    from crossdock.shop.catalogue import MERCHANT_WORDS, merchant_changes
    from crossdock.shop.dispatch import list_connectors

    words = {
        name: word for name, word in zip(MERCHANT_WORDS, given, strict=True) if word is not None
    }
    known = [connector.name for connector in await list_connectors(tx, shop_id=shop.id)]
    return merchant_changes(words, currency=shop.currency, connectors=known)


def _money(minor: int | None, currency: str) -> str:
    return "-" if minor is None else f"{format_minor(minor, currency)}\u00a0{currency}"


def _percent(rate_bp: int) -> str:
    return f"{rate_bp / 100:g} %"


def _told(merchant: "MerchantView", currency: str) -> str:
    terms = merchant.terms
    facts = {
        "for sale": "yes" if merchant.enabled else "no",
        "e-mail": merchant.email or "-",
        "country": merchant.country or "-",
        "products": str(merchant.products),
        "shipping": _money(terms.shipping_flat_minor, currency),
        "free from": _money(terms.free_shipping_from_minor, currency),
        "the shop's share": _percent(terms.commission_bp),
        "customer service": terms.customer_service_url or "-",
        "return policy": terms.return_policy_url or "-",
        "connector": terms.connector or "the default",
    }
    lines = [f"{name:18}{value}" for name, value in facts.items()]
    return "\n".join([f"{merchant.name} ({merchant.id}, {merchant.slug})", *lines])


def _print_table(merchants: "list[MerchantView]", currency: str) -> None:
    from rich.table import Column, Table

    columns = (Column(name, no_wrap=True) for name in ("Shipping", "Free from", "Share"))
    table = Table("Merchant", "Name", "For sale", *columns, "Connector", "Products")
    for merchant in merchants:
        terms = merchant.terms
        table.add_row(
            merchant.slug,
            merchant.name,
            "yes" if merchant.enabled else "no",
            _money(terms.shipping_flat_minor, currency),
            _money(terms.free_shipping_from_minor, currency),
            _percent(terms.commission_bp),
            terms.connector or "the default",
            str(merchant.products),
        )
    print_table(table)
