"""`crossdock fulfil return`: returns from buyers."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from crossdock.commands.orders.fulfil_quantities import quantities
from crossdock.commands.running import with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.numbers import counted
from crossdock.terminal import JsonOption, ShopOption, report

if TYPE_CHECKING:
    from crossdock.shop.warehouse import Received

app = typer.Typer(help="Returns from buyers.", no_args_is_help=True)

Lines = Annotated[
    list[str] | None,
    typer.Argument(help="LINE=QUANTITY, for example 1=2.", metavar="LINE=QUANTITY..."),
]


@app.command()
def announce(
    order_id: Annotated[int, typer.Argument(help="The order's number.", metavar="ORDER")],
    shop: ShopOption,
    lines: Lines = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Everything shipped and not announced yet.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="The reason of the return.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Announce a return; prints its number."""
    from crossdock.shop.warehouse import ReturnItem, announce_return, list_returnable

    wanted = quantities(lines, all_=all_)

    async def write(runtime: Runtime, tx: Transaction) -> tuple[int, dict[int, int]]:
        shop_id = await shop_id_of(tx, shop)
        coming = wanted
        if all_:
            left = await list_returnable(tx, shop_id=shop_id, order_id=order_id)
            coming = {line: many for line, many in sorted(left.items()) if many}
        return_id = await announce_return(
            tx,
            shop_id=shop_id,
            order_id=order_id,
            items=[ReturnItem(line_no=line, quantity=many) for line, many in coming.items()],
            now=runtime.clock.now(),
            reason=reason,
        )
        return return_id, coming

    return_id, announced = with_transaction(write)
    facts = {"order_id": order_id, "return_id": return_id, "announced": announced}
    report(facts, as_json=as_json, text=f"Return {return_id} is announced.")


@app.command()
def receive(
    return_id: Annotated[int, typer.Argument(help="The return's number.", metavar="RETURN")],
    shop: ShopOption,
    lines: Annotated[
        list[str] | None,
        typer.Argument(
            help="The quantities that go back into stock, as LINE=QUANTITY.",
            metavar="LINE=QUANTITY...",
        ),
    ] = None,
    serials: Annotated[
        list[int] | None,
        typer.Option(
            "--serial",
            help="The number of a licence key that came back, from `crossdock stock serials list`.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Receive a return; only the quantities named go back into stock. Licence keys are revoked instead.

    Keys need no names if all of a line come back.
    """
    from crossdock.shop.warehouse import receive_return

    wanted = quantities(lines, all_=False) if lines else {}

    async def write(runtime: Runtime, tx: Transaction) -> "Received":
        return await receive_return(
            tx,
            shop_id=await shop_id_of(tx, shop),
            return_id=return_id,
            restocked=wanted,
            now=runtime.clock.now(),
            serials=serials or (),
        )

    found = with_transaction(write)
    text = f"Return {return_id} is in; {sum(found.restocked.values())} back on the shelf"
    if found.revoked_serials:
        text += f", {counted(len(found.revoked_serials), 'serial')} revoked"
    facts = {"return_id": return_id, **msgspec.structs.asdict(found)}
    report(facts, as_json=as_json, text=f"{text}.")
