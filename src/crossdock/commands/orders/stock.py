"""`crossdock stock`: levels, receipts, counts, transfers, and the entries that record them."""

from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.orders import serials
from crossdock.commands.running import with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.terminal import JsonOption, ShopOption, print_json, print_table, report

if TYPE_CHECKING:
    from crossdock.shop.stock import Entry, Level, LowLevel

app = typer.Typer(help="Levels, receipts, counts and entries.", no_args_is_help=True)

app.add_typer(serials.app, name="serials")

Variant = Annotated[str, typer.Argument(help="The variant's SKU or number.", metavar="VARIANT")]
PoolOption = Annotated[str, typer.Option("--pool", help="own or supplier.")]


@app.command()
def show(variant: Variant, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Show a variant's levels: on hand, held, committed, available."""

    async def read(_runtime: Runtime, tx: Transaction) -> "list[Level]":
        return await _levels(tx, slug=shop, variant=variant)

    _print_levels(with_transaction(read), as_json=as_json)


@app.command()
def receive(
    variant: Variant,
    quantity: Annotated[int, typer.Argument(help="How many units came in.")],
    shop: ShopOption,
    pool: PoolOption = "own",
    reason: Annotated[str, typer.Option(help="The reason, recorded in the entry.")] = "receipt",
    as_json: JsonOption = False,
) -> None:
    """Receive stock; orders that wait for it are released right after."""
    from crossdock.shop.stock import find_variant
    from crossdock.shop.warehouse import receive_variant

    async def write(runtime: Runtime, tx: Transaction) -> "list[Level]":
        shop_id = await shop_id_of(tx, shop)
        await receive_variant(
            tx,
            shop_id=shop_id,
            variant_id=await find_variant(tx, shop_id=shop_id, who=variant),
            quantity=quantity,
            now=runtime.clock.now(),
            pool=pool,
            reason=reason,
        )
        return await _levels(tx, slug=shop, variant=variant)

    _print_levels(with_transaction(write), as_json=as_json)


@app.command()
def adjust(
    variant: Variant,
    shop: ShopOption,
    by: Annotated[
        int | None, typer.Option("--by", help="The difference, positive or negative.")
    ] = None,
    to: Annotated[
        int | None, typer.Option("--to", min=0, help="The quantity that was counted.")
    ] = None,
    pool: PoolOption = "own",
    reason: Annotated[str, typer.Option(help="The reason, recorded in the entry.")] = "counted",
    as_json: JsonOption = False,
) -> None:
    """Correct a level after a count."""
    from crossdock.shop.stock import find_variant
    from crossdock.shop.warehouse import count_variant

    if (by is None) == (to is None):
        raise Invalid("invalid_input", "Give --by or --to.")

    async def write(runtime: Runtime, tx: Transaction) -> "list[Level]":
        shop_id = await shop_id_of(tx, shop)
        variant_id = await find_variant(tx, shop_id=shop_id, who=variant)
        await count_variant(
            tx,
            shop_id=shop_id,
            variant_id=variant_id,
            difference=by,
            counted=to,
            now=runtime.clock.now(),
            pool=pool,
            reason=reason,
        )
        return await _levels(tx, slug=shop, variant=variant)

    _print_levels(with_transaction(write), as_json=as_json)


@app.command()
def transfer(
    variant: Variant,
    quantity: Annotated[int, typer.Argument(help="How many units are moved.")],
    shop: ShopOption,
    source: Annotated[str, typer.Option("--from", help="The pool that they leave.")],
    target: Annotated[str, typer.Option("--to", help="The pool that they come into.")],
    reason: Annotated[
        str, typer.Option(help="The reason, recorded in the entries.")
    ] = "transferred",
    as_json: JsonOption = False,
) -> None:
    """Move units from one pool to the other; orders that wait for them are released right after."""
    from crossdock.shop.stock import find_variant
    from crossdock.shop.warehouse import transfer_variant

    async def write(runtime: Runtime, tx: Transaction) -> "list[Level]":
        shop_id = await shop_id_of(tx, shop)
        await transfer_variant(
            tx,
            shop_id=shop_id,
            variant_id=await find_variant(tx, shop_id=shop_id, who=variant),
            quantity=quantity,
            source=source,
            target=target,
            reason=reason,
            now=runtime.clock.now(),
        )
        return await _levels(tx, slug=shop, variant=variant)

    _print_levels(with_transaction(write), as_json=as_json)


@app.command()
def low(
    shop: ShopOption,
    at_most: Annotated[
        int | None,
        typer.Option(help="Of which no more can be sold; without, at or below the warning level."),
    ] = None,
    pool: Annotated[
        str | None, typer.Option("--pool", help="own or supplier; both without.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most this many.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List levels that run out, the emptiest first."""
    from crossdock.shop.stock import list_low

    async def read(_runtime: Runtime, tx: Transaction) -> "list[LowLevel]":
        shop_id = await shop_id_of(tx, shop)
        found, _ = await list_low(tx, shop_id=shop_id, at_most=at_most, pool=pool, limit=limit)
        return found

    found = with_transaction(read)
    report(found, as_json=as_json, text=lambda: _print_low(found))


@app.command()
def entries(
    variant: Variant,
    shop: ShopOption,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most this many.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the newest entries of a variant, with their reasons."""
    from crossdock.shop.stock import find_variant, read_entries

    async def read(_runtime: Runtime, tx: Transaction) -> "list[Entry]":
        shop_id = await shop_id_of(tx, shop)
        variant_id = await find_variant(tx, shop_id=shop_id, who=variant)
        return await read_entries(tx, shop_id=shop_id, variant_id=variant_id, limit=limit)

    found = with_transaction(read)
    report(found, as_json=as_json, text=lambda: _print_entries(found))


async def _levels(tx: Transaction, *, slug: str, variant: str) -> "list[Level]":
    from crossdock.shop.stock import find_variant, read_levels

    shop_id = await shop_id_of(tx, slug)
    variant_id = await find_variant(tx, shop_id=shop_id, who=variant)
    return await read_levels(tx, shop_id=shop_id, variant_id=variant_id)


def _print_levels(levels: "list[Level]", *, as_json: bool) -> None:
    if as_json:
        print_json(levels)
        return
    from rich.table import Table

    table = Table("SKU", "Pool", "On hand", "Held", "Committed", "Kept back", "Available")
    for level in levels:
        numbers = (level.on_hand, level.held, level.committed, level.kept_back, _sellable(level))
        table.add_row(level.sku, level.pool, *map(str, numbers))
    print_table(table)


def _print_low(found: "list[LowLevel]") -> None:
    from rich.table import Table

    table = Table(
        "SKU", "Product", "Pool", "On hand", "Held", "Committed", "Kept back", "Available"
    )
    for each in found:
        numbers = (each.on_hand, each.held, each.committed, each.kept_back, _sellable(each))
        table.add_row(each.sku, each.product, each.pool, *map(str, numbers))
    print_table(table)


def _sellable(level: "Level | LowLevel") -> str:
    """How many can be sold; what is taken and not there beside it."""
    return f"{level.sellable} ({level.short} short)" if level.short else str(level.sellable)


def _print_entries(found: "list[Entry]") -> None:
    from rich.table import Table

    table = Table("When", "Pool", "What", "On hand", "Held", "Committed", "Order", "Why")
    for entry in found:
        table.add_row(
            f"{entry.created_at:%Y-%m-%d %H:%M:%S}",
            entry.pool,
            entry.kind,
            f"{entry.on_hand:+d}" if entry.on_hand else "",
            f"{entry.held:+d}" if entry.held else "",
            f"{entry.committed:+d}" if entry.committed else "",
            str(entry.order_id or ""),
            entry.reason,
        )
    print_table(table)
