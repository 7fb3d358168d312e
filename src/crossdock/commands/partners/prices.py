"""`crossdock price-list`: prices agreed with partners."""

import csv
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.running import with_transaction
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import CrossdockError, Invalid
from crossdock.kit.numbers import counted
from crossdock.terminal import JsonOption, ShopOption, print_json, report

if TYPE_CHECKING:
    from crossdock.shop.pricing import ListedPrice, PriceList, PriceRow

app = typer.Typer(help="Prices agreed with partners.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The list's name or number.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The list's name.")],
    shop: ShopOption,
    as_json: JsonOption = False,
) -> None:
    """Add an empty list in the shop's currency."""
    from crossdock.shop.pricing import add_price_list
    from crossdock.shop.shops import read_shop

    async def write(_runtime: Runtime, tx: Transaction) -> int:
        shop_id = (await read_shop(tx, slug=shop)).id
        return await add_price_list(tx, shop_id=shop_id, name=name)

    list_id = with_transaction(write)
    if as_json:
        print_json({"id": list_id, "name": name, "shop": shop})
        return
    typer.echo(f"Price list {list_id} ({name}) is added. Fill it, then give it to a partner:")
    typer.echo(f"  crossdock price-list set '{name}' prices.csv --shop {shop}")
    typer.echo(f"  crossdock partner set PARTNER --set 'price_list={name}'")


@app.command("set")
def set_(
    name: Name,
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV with the columns sku and price, and merchant if a sku is ambiguous; - for stdin."
        ),
    ],
    shop: ShopOption,
    as_json: JsonOption = False,
) -> None:
    """Set prices from a CSV file; an empty price removes the sku from the list. All rows or none."""
    from crossdock.shop.pricing import read_price_list, set_prices
    from crossdock.shop.shops import read_shop

    lines = _lines(file)

    async def write(runtime: Runtime, tx: Transaction) -> int:
        found = await read_shop(tx, slug=shop)
        price_list = await read_price_list(tx, shop_id=found.id, name=name)
        return await set_prices(
            tx,
            shop_id=found.id,
            price_list_id=price_list.id,
            rows=_rows(lines, currency=price_list.currency),
            now=runtime.clock.now(),
        )

    changed = with_transaction(write)
    report({"changed": changed}, as_json=as_json, text=f"{counted(changed, 'price')} changed.")


@app.command("list")
def list_(shop: ShopOption, as_json: JsonOption = False) -> None:
    """List the shop's price lists."""
    from crossdock.shop.pricing import list_price_lists
    from crossdock.shop.shops import read_shop

    async def read(_runtime: Runtime, tx: Transaction) -> "list[PriceList]":
        return await list_price_lists(tx, shop_id=(await read_shop(tx, slug=shop)).id)

    lists = with_transaction(read)
    if as_json:
        print_json(lists)
        return
    for found in lists:
        typer.echo(f"{found.id}  {found.name}  {found.currency}  {counted(found.items, 'price')}")
    if not lists:
        typer.echo(
            "There is no price list. Add one with: crossdock price-list add NAME --shop SHOP"
        )


@app.command()
def show(name: Name, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Print a list's prices as CSV that `set` reads."""
    from crossdock.imports.tables import guard_cell
    from crossdock.kit.money import format_minor
    from crossdock.shop.pricing import read_price_list, read_prices
    from crossdock.shop.shops import read_shop

    async def read(_runtime: Runtime, tx: Transaction) -> "tuple[PriceList, list[ListedPrice]]":
        shop_id = (await read_shop(tx, slug=shop)).id
        found = await read_price_list(tx, shop_id=shop_id, name=name)
        return found, await read_prices(tx, shop_id=shop_id, price_list_id=found.id)

    found, prices = with_transaction(read)
    if as_json:
        print_json({"list": found, "prices": prices})
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("sku", "price", "merchant"))
    for price in prices:
        amount = format_minor(price.price_minor, found.currency)
        writer.writerow((guard_cell(price.sku), amount, guard_cell(price.merchant)))


def _lines(file: Path) -> list[str]:
    if str(file) == "-":
        return sys.stdin.read().splitlines()
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise Invalid("invalid_input", f"{file} is not UTF-8.") from error
    except OSError as error:
        raise Invalid("invalid_input", f"{file} cannot be read: {error.strerror}.") from error


def _rows(lines: Iterable[str], *, currency: str) -> "list[PriceRow]":
    """The rows of a CSV text. Raises Invalid `invalid_input` naming the line."""
    from crossdock.imports.tables import bare_cell
    from crossdock.kit.money import parse_amount
    from crossdock.shop.pricing import PriceRow

    reader = csv.DictReader(lines)
    if not {"sku", "price"} <= set(reader.fieldnames or ()):
        raise Invalid("invalid_input", "The first line must name the columns: sku,price")
    rows = []
    for record in reader:
        text = (record["price"] or "").strip()
        try:
            price_minor = parse_amount(text, currency=currency) if text else None
        except CrossdockError as error:
            raise Invalid("invalid_input", f"Line {reader.line_num}: {error.message}") from error
        merchant = bare_cell(record.get("merchant") or "")
        sku = bare_cell(record["sku"] or "")
        rows.append(PriceRow(sku=sku, price_minor=price_minor, merchant=merchant))
    return rows
