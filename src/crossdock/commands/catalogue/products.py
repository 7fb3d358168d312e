"""`crossdock product`: the products of a shop, their prices, and whether they are for sale."""

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from crossdock.commands.running import with_transaction
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.kit.money import format_minor, parse_amount
from crossdock.terminal import JsonOption, ShopOption, print_table, report, report_list

if TYPE_CHECKING:
    from crossdock.shop.catalogue import OwnedProduct, VariantPrices
    from crossdock.shop.shops import Shop

app = typer.Typer(
    help="Products: list, show, rename, price, and put on sale or off.", no_args_is_help=True
)

Who = Annotated[
    str, typer.Argument(help="A SKU, GTIN, UPC or number of the product.", metavar="PRODUCT")
]


@app.command("list")
def list_(
    shop: ShopOption,
    search: Annotated[
        str, typer.Option("--search", help="A part of the name, or a whole SKU.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most this many.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the newest products with their prices and stock."""
    from crossdock.kit.paging import PlacePage
    from crossdock.shop.catalogue import list_owned
    from crossdock.shop.shops import read_shop

    async def read(_runtime: Runtime, tx: Transaction) -> "tuple[Shop, list[OwnedProduct]]":
        found = await read_shop(tx, slug=shop)
        page = PlacePage(size=limit, after=None)
        rows = await list_owned(tx, shop_id=found.id, merchant_ids=None, page=page, search=search)
        return found, rows[:limit]

    found, products = with_transaction(read)
    report_list(
        products,
        as_json=as_json,
        table=lambda rows: _print_products(rows, currency=found.currency),
        none="There are no such products.",
    )


@app.command()
def show(product: Who, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Show a product with its variants."""

    async def read(
        _runtime: Runtime, tx: Transaction
    ) -> "tuple[Shop, OwnedProduct, dict[int, VariantPrices]]":
        from crossdock.shop.catalogue import read_variant_prices

        found, known = await _find(tx, slug=shop, number=product)
        ids = [variant.id for variant in known.variants]
        return found, known, await read_variant_prices(tx, shop_id=found.id, variant_ids=ids)

    found, known, prices = with_transaction(read)
    report(
        _document(known, prices),
        as_json=as_json,
        text=lambda: _print_product(known, prices, currency=found.currency),
    )


@app.command("set")
def set_(
    product: Who,
    shop: ShopOption,
    name: Annotated[str | None, typer.Option(help="Its name.")] = None,
    description: Annotated[str | None, typer.Option(help="Text or simple HTML.")] = None,
    sku: Annotated[
        str, typer.Option("--sku", help="Price this variant alone; else all of the product.")
    ] = "",
    price: Annotated[str | None, typer.Option(help="Such as 19.95; empty: not for sale.")] = None,
    sale: Annotated[str | None, typer.Option(help="While it is on sale; empty ends it.")] = None,
    cost: Annotated[
        str | None, typer.Option(help="What it costs the shop; empty takes it away.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Change a product. A later import of it writes it whole again."""
    from crossdock.shop.catalogue import ProductChanges, change_product, price_variants

    if all(value is None for value in (name, description, price, sale, cost)):
        raise Invalid("invalid_input", "Say what is to change.")

    async def write(runtime: Runtime, tx: Transaction) -> "OwnedProduct":
        found, known = await _find(tx, slug=shop, number=product)
        now = runtime.clock.now()
        if name is not None or description is not None:
            changes = ProductChanges(name=name, description=description)
            await change_product(
                tx,
                shop_id=found.id,
                merchant_ids=None,
                product_id=known.id,
                changes=changes,
                now=now,
            )
        given = {"retail_minor": price, "sale_minor": sale, "cost_minor": cost}
        prices = await _priced(tx, found, known, sku=sku, given=given)
        await price_variants(tx, shop_id=found.id, prices=prices, now=now)
        return known

    known = with_transaction(write)
    report({"product_id": known.id}, as_json=as_json, text=f"product {known.id} is changed")


@app.command()
def on(product: Who, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Put a product on sale."""
    _switch(product, shop, is_on=True, as_json=as_json)


@app.command()
def off(product: Who, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Take a product out of sale; orders that are placed stay as they are."""
    _switch(product, shop, is_on=False, as_json=as_json)


def _switch(product: str, shop: str, *, is_on: bool, as_json: bool) -> None:
    from crossdock.shop.catalogue import ProductChanges, change_product

    async def write(runtime: Runtime, tx: Transaction) -> int:
        found, known = await _find(tx, slug=shop, number=product)
        await change_product(
            tx,
            shop_id=found.id,
            merchant_ids=None,
            product_id=known.id,
            changes=ProductChanges(is_enabled=is_on),
            now=runtime.clock.now(),
        )
        return known.id

    product_id = with_transaction(write)
    text = f"product {product_id} is {'for sale' if is_on else 'out of sale'}"
    report({"product_id": product_id, "is_enabled": is_on}, as_json=as_json, text=text)


async def _find(tx: Transaction, *, slug: str, number: str) -> "tuple[Shop, OwnedProduct]":
    """The shop and the one product that the number names."""
    from crossdock.shop.catalogue import find_products, read_owned
    from crossdock.shop.shops import read_shop

    shop = await read_shop(tx, slug=slug)
    found = await find_products(tx, shop_id=shop.id, number=number)
    if not found:
        raise NotFound("not_found", f"There is no product {number!r}.")
    if len(found) > 1:
        listed = ", ".join(map(str, found))
        raise Conflict("exists", f"Several products have {number!r}: {listed}.")
    return shop, await read_owned(tx, shop_id=shop.id, merchant_ids=None, product_id=found[0])


async def _priced(
    tx: Transaction,
    shop: "Shop",
    product: "OwnedProduct",
    *,
    sku: str,
    given: dict[str, str | None],
) -> "dict[int, VariantPrices]":
    """The prices of the variants that are priced, with what is given in place of what was."""
    from crossdock.shop.catalogue import read_variant_prices

    variants = [variant.id for variant in product.variants if sku in {"", variant.sku}]
    if not variants:
        raise NotFound("variant_not_found", f"The product has no variant {sku!r}.")
    changes = {
        name: parse_amount(text, currency=shop.currency) if text else None
        for name, text in given.items()
        if text is not None
    }
    if not changes:
        return {}
    known = await read_variant_prices(tx, shop_id=shop.id, variant_ids=variants)
    return {key: msgspec.structs.replace(prices, **changes) for key, prices in known.items()}


def _document(product: "OwnedProduct", prices: "dict[int, VariantPrices]") -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(product)
    for variant in document["variants"]:
        variant["sale_minor"] = prices[variant["id"]].sale_minor
    return document


def _print_products(products: "list[OwnedProduct]", *, currency: str) -> None:
    from rich.table import Column, Table

    table = Table(
        "Product",
        "SKU",
        "Name",
        Column("Price", no_wrap=True, justify="right"),
        Column("Available", justify="right"),
        "For sale",
    )
    for product in products:
        price = product.price_minor
        table.add_row(
            str(product.id),
            " ".join(variant.sku for variant in product.variants),
            product.name,
            "" if price is None else f"{format_minor(price, currency)} {currency}",
            "no limit" if product.is_unlimited else str(product.available),
            "yes" if product.is_enabled else "no",
        )
    print_table(table)


def _print_product(
    product: "OwnedProduct", prices: "dict[int, VariantPrices]", *, currency: str
) -> None:
    from rich.table import Column, Table

    def money(minor: int | None) -> str:
        return "" if minor is None else f"{format_minor(minor, currency)} {currency}"

    state = "for sale" if product.is_enabled else "out of sale"
    typer.echo(f"Product {product.id}, {product.handle}: {product.name}, {state}")
    columns = (Column(name, no_wrap=True, justify="right") for name in ("Price", "Sale", "Cost"))
    table = Table("Variant", "SKU", "Name", *columns, "On hand", "Available")
    for variant in product.variants:
        known = prices[variant.id]
        table.add_row(
            str(variant.id),
            variant.sku,
            variant.name,
            money(known.retail_minor),
            money(known.sale_minor),
            money(known.cost_minor),
            str(variant.on_hand),
            "no limit" if variant.is_unlimited else str(variant.available),
        )
    print_table(table)
