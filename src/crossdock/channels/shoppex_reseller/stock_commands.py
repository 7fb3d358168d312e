"""`crossdock reseller transfers` and `inventory`: stock that resellers buy and have, for staff."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossdock.channels.shoppex_reseller.command_tools import (
    Found,
    Who,
    find_reseller,
    ids_of,
    run,
    tell,
)
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.kit.numbers import read_number
from crossdock.terminal import JsonOption, print_table, report_list

if TYPE_CHECKING:
    from crossdock.shop.resellers import StockItem, StockTransfer

transfers = typer.Typer(help="Stock that resellers buy.", no_args_is_help=True)
inventory = typer.Typer(help="Stock that resellers have.", no_args_is_help=True)

Limit = Annotated[int, typer.Option(min=1, max=1_000, help="At most this many.")]
TransferArgument = Annotated[
    str, typer.Argument(help="The transfer's id, or its number.", metavar="TRANSFER")
]
Act = Callable[..., Awaitable["StockTransfer"]]


@transfers.command("list")
def list_(
    context: typer.Context,
    who: Who,
    status: Annotated[
        str | None,
        typer.Option(help="Only requested, invoiced, paid, allocated or revoked ones."),
    ] = None,
    limit: Limit = 100,
    as_json: JsonOption = False,
) -> None:
    """List a reseller's purchases of stock, the newest first."""
    from crossdock.channels.shoppex_reseller.purchases import STATES
    from crossdock.kit.paging import PlacePage
    from crossdock.shop.resellers import list_transfers

    state = _choice("--status", status, STATES)

    async def read(runtime: Runtime, tx: Transaction) -> list[Found]:
        shop_id, reseller_id, _ = await find_reseller(runtime, tx, who)
        page = PlacePage(size=limit)
        found, _ = page.cut(
            await list_transfers(
                tx, shop_id=shop_id, reseller_id=reseller_id, page=page, state=state
            )
        )
        return [await _describe(runtime, each) for each in found]

    found = run(context, read)
    report_list(found, as_json=as_json, table=_print_transfers, none="Nothing was asked for.")


@transfers.command()
def show(
    context: typer.Context, who: Who, transfer: TransferArgument, as_json: JsonOption = False
) -> None:
    """Show one purchase of stock."""
    from crossdock.shop.resellers import read_transfer

    _act(context, who, transfer, read_transfer, as_json=as_json)


@transfers.command("mark-paid")
def mark_paid(
    context: typer.Context, who: Who, transfer: TransferArgument, as_json: JsonOption = False
) -> None:
    """Record that the money has come in; it allocates nothing."""
    from crossdock.shop.resellers import mark_transfer_paid

    _act(context, who, transfer, mark_transfer_paid, as_json=as_json)


@transfers.command()
def allocate(
    context: typer.Context, who: Who, transfer: TransferArgument, as_json: JsonOption = False
) -> None:
    """Give the reseller the serials of a paid purchase, all or none."""
    from crossdock.shop.resellers import allocate_transfer

    _act(context, who, transfer, allocate_transfer, as_json=as_json)


@transfers.command()
def revoke(
    context: typer.Context, who: Who, transfer: TransferArgument, as_json: JsonOption = False
) -> None:
    """Take back what was not delivered; nothing is refunded."""
    from crossdock.shop.resellers import revoke_transfer

    _act(context, who, transfer, revoke_transfer, as_json=as_json)


@inventory.command("list")
def list_items(
    context: typer.Context,
    who: Who,
    status: Annotated[
        str | None, typer.Option(help="Only available, delivered or revoked ones.")
    ] = None,
    limit: Limit = 100,
    as_json: JsonOption = False,
) -> None:
    """List what a reseller has in stock, the newest first; serials are masked."""
    from crossdock.channels.shoppex_reseller.inventory import STATES
    from crossdock.compose import create_box
    from crossdock.kit.paging import PlacePage
    from crossdock.shop.resellers import list_items as list_stock

    state = _choice("--status", status, STATES)

    async def read(runtime: Runtime, tx: Transaction) -> list[Found]:
        shop_id, reseller_id, _ = await find_reseller(runtime, tx, who)
        page = PlacePage(size=limit)
        found, _ = page.cut(
            await list_stock(
                tx,
                shop_id=shop_id,
                reseller_id=reseller_id,
                page=page,
                box=create_box(runtime.settings),
                state=state,
            )
        )
        return [await _describe_item(runtime, shop_id, each) for each in found]

    found = run(context, read)
    report_list(found, as_json=as_json, table=_print_items, none="The reseller has no stock.")


@inventory.command()
def deliver(
    context: typer.Context,
    who: Who,
    item: Annotated[str, typer.Argument(help="The item's id, or its number.", metavar="ITEM")],
    email: Annotated[str, typer.Argument(help="The customer who gets it by mail.")],
    as_json: JsonOption = False,
) -> None:
    """Deliver an item to a customer by mail, once; its serial is not shown here."""
    from crossdock.channels.shoppex_reseller.ids import Kind
    from crossdock.compose import Services
    from crossdock.shop.resellers import deliver_item

    async def write(runtime: Runtime, tx: Transaction) -> Found:
        shop_id, reseller_id, _ = await find_reseller(runtime, tx, who)
        done = await deliver_item(
            tx,
            shop_id=shop_id,
            reseller_id=reseller_id,
            item_id=await _number(runtime, shop_id, Kind.ITEM, item),
            email=email.strip().lower(),
            mailing=Services(runtime).mailing,
            now=runtime.clock.now(),
        )
        return await _describe_item(runtime, shop_id, done.item)

    tell(run(context, write), as_json=as_json)


def _act(context: typer.Context, who: str, transfer: str, act: Act, *, as_json: bool) -> None:
    """Find the transfer, do something with it, and tell what it is then."""
    from crossdock.channels.shoppex_reseller.ids import Kind
    from crossdock.shop.resellers import read_transfer

    async def write(runtime: Runtime, tx: Transaction) -> Found:
        shop_id, reseller_id, _ = await find_reseller(runtime, tx, who)
        names: dict[str, Any] = {
            "shop_id": shop_id,
            "reseller_id": reseller_id,
            "transfer_id": await _number(runtime, shop_id, Kind.TRANSFER, transfer),
        }
        if act is not read_transfer:
            names["now"] = runtime.clock.now()
        return await _describe(runtime, await act(tx, **names))

    tell(run(context, write), as_json=as_json)


def _choice(option: str, given: str | None, options: dict[str, Any]) -> Any:
    if given is None:
        return None
    if given.upper() not in options:
        words = ", ".join(options).lower()
        raise Invalid("invalid_input", f"{option} must be one of {words}.")
    return options[given.upper()]


async def _number(runtime: Runtime, shop_id: int, kind: Any, text: str) -> int:
    """The number behind an id, or that is written out. Raises NotFound `not_found`."""
    if (number := read_number(text)) is not None:
        return number
    return (await ids_of(runtime).of(shop_id)).read(kind, text)


async def _describe(runtime: Runtime, transfer: "StockTransfer") -> Found:
    from crossdock.channels.shoppex_reseller.ids import Kind
    from crossdock.kit.money import format_minor

    ids = await ids_of(runtime).of(transfer.shop_id)
    return {
        "transfer_id": ids.write(Kind.TRANSFER, transfer.id),
        "number": transfer.id,
        "status": transfer.state,
        "product": transfer.product_name,
        "product_id": ids.write(Kind.PRODUCT, transfer.product_id),
        "quantity": transfer.quantity,
        "unit_price": format_minor(transfer.unit_minor, transfer.currency),
        "total": format_minor(transfer.total_minor, transfer.currency),
        "currency": transfer.currency,
        "allocated": transfer.allocated_count,
        "delivered": transfer.delivered_count,
        "payment_source": transfer.payment_source,
        "requested_at": transfer.requested_at.isoformat(),
        "paid_at": transfer.paid_at and transfer.paid_at.isoformat(),
        "allocated_at": transfer.allocated_at and transfer.allocated_at.isoformat(),
        "revoked_at": transfer.revoked_at and transfer.revoked_at.isoformat(),
    }


async def _describe_item(runtime: Runtime, shop_id: int, item: "StockItem") -> Found:
    from crossdock.channels.shoppex_reseller.ids import Kind

    ids = await ids_of(runtime).of(shop_id)
    return {
        "item_id": ids.write(Kind.ITEM, item.id),
        "number": item.id,
        "transfer": item.transfer_id,
        "status": item.state,
        "product": item.product_name,
        "serial": item.serial_preview,
        "delivered_to": item.delivered_to,
        "delivered_at": item.delivered_at and item.delivered_at.isoformat(),
        "created_at": item.created_at.isoformat(),
    }


def _print_transfers(found: list[Found]) -> None:
    columns = ("number", "status", "product", "quantity", "total", "currency", "allocated")
    _print(found, *columns, "delivered")


def _print_items(found: list[Found]) -> None:
    _print(found, "number", "transfer", "status", "product", "serial", "delivered_to")


def _print(found: list[Found], *columns: str) -> None:
    from rich.table import Table

    table = Table(*(name.capitalize().replace("_", " ") for name in columns))
    for each in found:
        table.add_row(*(str(each[name] or "") for name in columns))
    print_table(table)
