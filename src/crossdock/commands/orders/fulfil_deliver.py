"""`crossdock fulfil deliver`: deliver what no parcel carries."""

from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.orders.fulfil_quantities import worded
from crossdock.commands.running import with_runtime
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.terminal import JsonOption, ShopOption, report

if TYPE_CHECKING:
    from crossdock.shop.orders import Delivery


def deliver(
    order: Annotated[
        str, typer.Argument(help="The order's number, ours or the partner's.", metavar="ORDER")
    ],
    shop: ShopOption,
    note: Annotated[str, typer.Option("--note", help="A note for the buyer, in the mail.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Deliver what is not shipped of an order, and mail the buyer what it is, with its serials.

    Most of it is delivered by itself: as soon as an order is released that has nothing else, or with the first package
    of one that has.
    """
    order_id, done = with_runtime(lambda runtime: _deliver(runtime, shop, order, note))
    facts = {
        "order_id": order_id,
        "delivered": {str(line_no): many for line_no, many in done.quantities.items()},
        "state": done.state,
    }
    text = f"Delivered {worded(done.quantities)}; order {order_id} is {done.state}."
    report(facts, as_json=as_json, text=text)


async def _deliver(runtime: Runtime, slug: str, number: str, note: str) -> "tuple[int, Delivery]":
    from crossdock.compose import Services
    from crossdock.shop.orders import deliver_order, find_order_id

    async with Services(runtime) as services, runtime.database.begin() as tx:
        shop_id = await shop_id_of(tx, slug)
        order_id = await find_order_id(tx, shop_id=shop_id, number=number)
        done = await deliver_order(
            tx,
            shop_id=shop_id,
            order_id=order_id,
            mailing=services.mailing,
            note=note,
            now=runtime.clock.now(),
        )
    return order_id, done
