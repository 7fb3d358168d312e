"""`crossdock order refund-line`: one line of an order."""

from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.running import with_runtime
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.kit.money import format_minor
from crossdock.terminal import JsonOption, ShopOption, report

if TYPE_CHECKING:
    from crossdock.shop.orders import OrderView


def refund_line(
    order: Annotated[str, typer.Argument(help="The order's number, ours or the partner's.")],
    line: Annotated[int, typer.Argument(help="The line's number.", min=1)],
    shop: ShopOption,
    reason: Annotated[
        str,
        typer.Option(
            help="customer_cancelled, out_of_stock, bad_address, agreement, fraud or not_shipped."
        ),
    ],
    with_shipping: Annotated[
        bool, typer.Option("--with-shipping", help="What its shipping cost as well.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Refund a line once, without its shipping or with it; its shipping may follow later.

    The line keeps its state.
    """

    async def act(runtime: Runtime) -> "tuple[int, OrderView]":
        return await _act(runtime, shop, order, line, reason, with_shipping=with_shipping)

    amount, view = with_runtime(act)
    report(
        {
            "order_id": view.id,
            "line": line,
            "amount_minor": amount,
            "payment_state": view.payment_state,
        },
        as_json=as_json,
        text=f"{format_minor(amount, view.currency)} {view.currency} of line {line} are refunded",
    )


async def _act(
    runtime: Runtime, slug: str, number: str, line: int, reason: str, *, with_shipping: bool
) -> "tuple[int, OrderView]":
    from crossdock.compose import Services
    from crossdock.shop.orders import find_order_id, read_order, read_reason, refund_line

    why = read_reason(reason)
    async with Services(runtime) as services:
        async with runtime.database.statement() as tx:
            shop_id = await shop_id_of(tx, slug)
            order_id = await find_order_id(tx, shop_id=shop_id, number=number)
        amount = await refund_line(
            services.paying,
            shop_id=shop_id,
            order_id=order_id,
            line_no=line,
            reason=why,
            with_shipping=with_shipping,
        )
        async with runtime.database.statement() as tx:
            return amount, await read_order(tx, shop_id=shop_id, order_id=order_id)
