"""`crossdock fulfil close`: close an order short."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from crossdock.commands.orders.fulfil_quantities import worded
from crossdock.commands.orders.given_back import told_of_money
from crossdock.commands.running import with_runtime
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.terminal import JsonOption, ShopOption, report

if TYPE_CHECKING:
    from crossdock.compose import Services
    from crossdock.shop.orders import Closed, RefundReason


def close(
    order: Annotated[
        str, typer.Argument(help="The order's number, ours or the partner's.", metavar="ORDER")
    ],
    shop: ShopOption,
    reason: Annotated[
        str, typer.Option("--reason", help="The reason, recorded in the order's event.")
    ] = "",
    refund_reason: Annotated[
        str,
        typer.Option(
            "--refund-reason",
            help="Why its lines are refunded, for partners who ask: customer_cancelled, out_of_stock,"
            " bad_address, agreement, fraud or not_shipped.",
        ),
    ] = "out_of_stock",
    in_full: Annotated[
        bool,
        typer.Option(
            "--in-full",
            help="Give back all that is cancelled, beside what was refunded before, such as a goodwill.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Cancel what has not left of an order, release its stock and give its money back.

    What was refunded before counts as given back for it, so that no more is refunded than is cancelled or returned.
    """
    from crossdock.compose import Services
    from crossdock.shop.orders import read_reason

    async def act(runtime: Runtime) -> "tuple[int, Closed]":
        async with Services(runtime) as services:
            return await _close(
                services,
                slug=shop,
                number=order,
                reason=reason,
                refund_reason=read_reason(refund_reason),
                in_full=in_full,
            )

    order_id, closed = with_runtime(act)
    facts = {"order_id": order_id, **msgspec.to_builtins(closed, str_keys=True)}
    report(facts, as_json=as_json, text=_text(order_id, closed))


async def _close(
    services: "Services",
    *,
    slug: str,
    number: str,
    reason: str,
    refund_reason: "RefundReason",
    in_full: bool,
) -> "tuple[int, Closed]":
    """Close it, then have the provider refund at once what the worker would refund in its next run."""
    from crossdock.shop.invoices import settle_every_payment
    from crossdock.shop.orders import find_order_id
    from crossdock.shop.warehouse import close_short

    now = services.runtime.clock.now()
    async with services.runtime.database.begin() as tx:
        shop_id = await shop_id_of(tx, slug)
        order_id = await find_order_id(tx, shop_id=shop_id, number=number)
        closed = await close_short(
            tx,
            shop_id=shop_id,
            order_id=order_id,
            now=now,
            reason=reason,
            counts_refunds=not in_full,
            refund_reason=refund_reason,
        )
    if closed.given_back:
        await settle_every_payment(services.paying)
    return order_id, closed


def _text(order_id: int, closed: "Closed") -> str:
    if not closed.cancelled:
        return f"Order {order_id} is {closed.state}; nothing is left of it to close."
    text = f"Order {order_id} is {closed.state}: {worded(closed.cancelled)} will not be shipped."
    money = told_of_money(
        closed.amount_minor, currency=closed.currency, given_back=closed.given_back
    )
    text += f" {money}" if money else ""
    if closed.may_be_at:
        text += f" An attempt that failed may have reached {closed.may_be_at}: see that it is not there."
    return text.strip()
