"""`crossdock fulfil`: the fulfilment of orders, from release to return."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.orders import (
    fulfil_back,
    fulfil_cancel,
    fulfil_close,
    fulfil_deliver,
    fulfil_returns,
    fulfil_sender,
    fulfil_tracking,
)
from crossdock.commands.orders.fulfil_quantities import quantities, worded
from crossdock.commands.orders.fulfil_tables import ShownOrder, print_order, print_work
from crossdock.commands.running import with_runtime, with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.kit.numbers import counted
from crossdock.terminal import JsonOption, ShopOption, report, report_list

if TYPE_CHECKING:
    from crossdock.shop.warehouse import WorkSummary

app = typer.Typer(help="Fulfil orders: release, pick, pack, ship, returns.", no_args_is_help=True)
app.add_typer(fulfil_returns.app, name="return")
app.command()(fulfil_sender.sender)
app.command()(fulfil_cancel.cancel)
app.command()(fulfil_close.close)
app.command()(fulfil_deliver.deliver)
app.command()(fulfil_back.unpick)
app.command()(fulfil_tracking.track)
app.command()(fulfil_tracking.checkpoint)
app.command()(fulfil_back.unpack)

OrderId = Annotated[int, typer.Argument(help="The order's number.", metavar="ORDER")]
Lines = Annotated[
    list[str] | None,
    typer.Argument(help="LINE=QUANTITY, for example 1=2 2=1.", metavar="LINE=QUANTITY..."),
]
AllOption = Annotated[bool, typer.Option("--all", help="Everything that is left.")]
CarrierOption = Annotated[str, typer.Option("--carrier", help="The carrier; else the default one.")]
ServiceOption = Annotated[
    str, typer.Option("--service", help="The carrier's service; else its default.")
]
WeightOption = Annotated[
    int, typer.Option("--weight", min=0, help="Grams; 0 for the weight of the contents.")
]


@app.command("list")
def list_(
    shop: ShopOption,
    state: Annotated[str | None, typer.Option(help="Only orders in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most this many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List open orders, oldest first."""
    from crossdock.shop.orders import STATES
    from crossdock.shop.warehouse import list_work

    if state is not None and state not in STATES:
        raise Invalid("invalid_input", f"--state must be one of {', '.join(STATES)}.")

    async def read(_runtime: Runtime, tx: Transaction) -> "list[WorkSummary]":
        return await list_work(tx, shop_id=await shop_id_of(tx, shop), state=state, limit=limit)

    found = with_transaction(read)
    report_list(found, as_json=as_json, table=print_work, none="There is nothing to do.")


@app.command()
def show(
    order_id: OrderId,
    shop: ShopOption,
    serials: Annotated[
        bool, typer.Option("--serials", help="Show the serial numbers too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show an order with its lines and packages and their states."""
    _show(with_runtime(lambda runtime: _read(runtime, shop, order_id, serials=serials)), as_json)


@app.command()
def release(order_id: OrderId, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Release an order if its stock is available; else it becomes reserved."""
    from crossdock.shop.orders import release_order

    async def write(runtime: Runtime, tx: Transaction) -> str:
        shop_id = await shop_id_of(tx, shop)
        return await release_order(tx, shop_id=shop_id, order_id=order_id, now=runtime.clock.now())

    state = with_transaction(write)
    _say(as_json, f"Order {order_id} is {state}.", order_id=order_id, state=state)


@app.command()
def start(order_id: OrderId, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Start the fulfilment of a released order; it can no longer be cancelled."""
    from crossdock.shop.warehouse import start_fulfilment

    async def write(runtime: Runtime, tx: Transaction) -> None:
        shop_id = await shop_id_of(tx, shop)
        await start_fulfilment(tx, shop_id=shop_id, order_id=order_id, now=runtime.clock.now())

    with_transaction(write)
    _say(as_json, f"Order {order_id} is in fulfilment.", order_id=order_id, state="in_fulfilment")


@app.command()
def pick(
    order_id: OrderId,
    shop: ShopOption,
    lines: Lines = None,
    all_: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """Record picked quantities."""
    from crossdock.shop.warehouse import left_to_pick, pick_lines

    async def write(runtime: Runtime, tx: Transaction) -> dict[int, int]:
        shop_id = await shop_id_of(tx, shop)
        wanted = quantities(lines, all_=all_)
        if all_:
            wanted = await left_to_pick(tx, shop_id=shop_id, order_id=order_id)
        await pick_lines(
            tx, shop_id=shop_id, order_id=order_id, quantities=wanted, now=runtime.clock.now()
        )
        return wanted

    picked = with_transaction(write)
    _say(as_json, f"Picked {worded(picked)}.", order_id=order_id, picked=picked)


@app.command()
def pack(
    order_id: OrderId,
    shop: ShopOption,
    lines: Lines = None,
    all_: AllOption = False,
    weight: WeightOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Pack picked units; prints the package's number."""
    from crossdock.shop.warehouse import left_to_pack, pack_lines

    async def write(runtime: Runtime, tx: Transaction) -> tuple[int, dict[int, int]]:
        shop_id = await shop_id_of(tx, shop)
        wanted = quantities(lines, all_=all_)
        if all_:
            wanted = await left_to_pack(tx, shop_id=shop_id, order_id=order_id)
        package_id = await pack_lines(
            tx,
            shop_id=shop_id,
            order_id=order_id,
            quantities=wanted,
            now=runtime.clock.now(),
            weight_g=weight,
        )
        return package_id, wanted

    package_id, packed = with_transaction(write)
    text = f"Package {package_id} holds {worded(packed)}."
    _say(as_json, text, order_id=order_id, package_id=package_id, packed=packed)


@app.command()
def serial(
    order_id: OrderId,
    line_no: Annotated[int, typer.Argument(help="The line's number.", metavar="LINE")],
    shop: ShopOption,
    as_json: JsonOption = False,
) -> None:
    """Record serial numbers of a picked line, one per line of standard input.

    They are secrets of the buyer, so they are not taken from the command line, which others can see.
    """
    from crossdock.compose import Services
    from crossdock.shop.warehouse import capture_serials

    found = [line for line in typer.get_text_stream("stdin").read().splitlines() if line.strip()]

    async def write(runtime: Runtime, tx: Transaction) -> None:
        await capture_serials(
            tx,
            shop_id=await shop_id_of(tx, shop),
            order_id=order_id,
            line_no=line_no,
            serials=found,
            box=Services(runtime).box,
            now=runtime.clock.now(),
        )

    with_transaction(write)
    _say(as_json, f"{len(found)} noted.", order_id=order_id, line=line_no, noted=len(found))


@app.command("find-serial")
def find_serial(shop: ShopOption, as_json: JsonOption = False) -> None:
    """List the orders that a serial number, read from standard input, was shipped with."""
    from crossdock.compose import Services
    from crossdock.shop.warehouse import find_serial

    wanted = typer.get_text_stream("stdin").readline().strip()

    async def read(runtime: Runtime, tx: Transaction) -> list[tuple[int, int]]:
        shop_id = await shop_id_of(tx, shop)
        return await find_serial(tx, shop_id=shop_id, serial=wanted, box=Services(runtime).box)

    found = [{"order_id": order, "line": line} for order, line in with_transaction(read)]
    text = "\n".join(f"Order {place['order_id']}, line {place['line']}" for place in found)
    report(found, as_json=as_json, text=text or "No order has it.")


@app.command()
def ship(
    order_id: OrderId,
    shop: ShopOption,
    package: Annotated[
        int | None, typer.Option("--package", help="Only this package; else all packed ones.")
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Pick and pack everything left, then ship it all.")
    ] = False,
    carrier: CarrierOption = "",
    service: ServiceOption = "",
    as_json: JsonOption = False,
) -> None:
    """Book packed packages with a carrier and ship them."""
    from crossdock.commands.orders.fulfil_shipping import ship_order

    async def run(runtime: Runtime) -> ShownOrder:
        await ship_order(
            runtime,
            slug=shop,
            order_id=order_id,
            package_id=package,
            everything=all_,
            carrier=carrier,
            carrier_service=service,
        )
        return await _read(runtime, shop, order_id)

    _show(with_runtime(run), as_json)


@app.command()
def deliver(
    package_id: Annotated[int, typer.Argument(help="The package's number.", metavar="PACKAGE")],
    shop: ShopOption,
    as_json: JsonOption = False,
) -> None:
    """Record that a package was delivered, if no carrier reports it."""
    from crossdock.shop.warehouse import deliver_package

    async def write(runtime: Runtime, tx: Transaction) -> bool:
        shop_id = await shop_id_of(tx, shop)
        return await deliver_package(
            tx, shop_id=shop_id, package_id=package_id, now=runtime.clock.now()
        )

    is_news = with_transaction(write)
    text = f"Package {package_id} {'has arrived' if is_news else 'had arrived already'}."
    _say(as_json, text, package_id=package_id, state="delivered", news=is_news)


@app.command()
def label(
    package_id: Annotated[int, typer.Argument(help="The package's number.", metavar="PACKAGE")],
    shop: ShopOption,
    to: Annotated[Path, typer.Option("--to", help="The file to write; .pdf or .zpl.")],
    as_json: JsonOption = False,
) -> None:
    """Write the label of a shipped package to a file."""
    from crossdock.commands.orders.fulfil_shipping import label_of

    if to.suffix not in {".pdf", ".zpl"}:
        raise Invalid("invalid_input", "--to must end in .pdf or .zpl.")
    data = with_runtime(
        lambda runtime: label_of(runtime, slug=shop, package_id=package_id, kind=to.suffix)
    )
    to.write_bytes(data)
    _say(as_json, f"{to}: {counted(len(data), 'byte')}.", package_id=package_id, bytes=len(data))


async def _read(runtime: Runtime, slug: str, order_id: int, *, serials: bool = False) -> ShownOrder:
    from crossdock.compose import Services
    from crossdock.shop.orders import read_order
    from crossdock.shop.warehouse import read_serials

    async with runtime.database.statement() as tx:
        shop_id = await shop_id_of(tx, slug)
        order = await read_order(
            tx,
            shop_id=shop_id,
            order_id=order_id,
            sections=("lines", "parts", "packages", "returns"),
        )
        found = {}
        if serials:
            box = Services(runtime).box
            found = await read_serials(tx, shop_id=shop_id, order_id=order_id, box=box)
        return ShownOrder(order=order, serials=found)


def _show(order: ShownOrder, as_json: bool) -> None:
    report(order.document(), as_json=as_json, text=lambda: print_order(order))


def _say(as_json: bool, text: str, **facts: object) -> None:
    report(facts, as_json=as_json, text=text)
