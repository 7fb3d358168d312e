"""`crossdock order note`: a note about an order that only staff see."""

from typing import Annotated

import typer

from crossdock.commands.running import with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.terminal import JsonOption, ShopOption, report


def note(
    order: Annotated[str, typer.Argument(help="The order's number, ours or the partner's.")],
    text: Annotated[str, typer.Argument(help="What your colleagues should know.")],
    shop: ShopOption,
    as_json: JsonOption = False,
) -> None:
    """Write a note about an order; only staff see it, on its page and in `order show`."""
    from crossdock.shop.orders import find_order_id, note_order

    async def write(runtime: Runtime, tx: Transaction) -> int:
        shop_id = await shop_id_of(tx, shop)
        order_id = await find_order_id(tx, shop_id=shop_id, number=order)
        await note_order(tx, shop_id=shop_id, order_id=order_id, text=text, now=runtime.clock.now())
        return order_id

    order_id = with_transaction(write)
    report({"order_id": order_id}, as_json=as_json, text=f"noted with order {order_id}")
