"""`crossdock fulfil cancel`: cancel an order before its fulfilment has started."""

from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.orders.given_back import cancelled_facts, cancelled_text
from crossdock.commands.running import with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound, Refused
from crossdock.terminal import JsonOption, report

if TYPE_CHECKING:
    from crossdock.shop.orders import Cancelled

_BY_HAND = "manual"


def cancel(
    order_id: Annotated[int, typer.Argument(help="The order's number.", metavar="ORDER")],
    shop: Annotated[str, typer.Option("--shop", help="The shop's slug.")],
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
    as_json: JsonOption = False,
) -> None:
    """Cancel an order before work on it has started; release its stock and give its money back."""
    from crossdock.shop.orders import cancel_order, read_order, read_reason

    why = read_reason(refund_reason)

    async def write(runtime: Runtime, tx: Transaction) -> "tuple[Cancelled, str]":
        shop_id, now = await shop_id_of(tx, shop), runtime.clock.now()
        try:
            cancelled = await cancel_order(
                tx,
                shop_id=shop_id,
                order_id=order_id,
                now=now,
                reason=reason,
                refund_reason=why,
            )
        except Refused as refusal:
            advice = await _advice(tx, slug=shop, shop_id=shop_id, order_id=order_id)
            raise Refused(
                refusal.code, f"{refusal.message} {advice}".strip(), refusal.data
            ) from refusal
        order = await read_order(tx, shop_id=shop_id, order_id=order_id, sections=())
        return cancelled, order.currency

    cancelled, currency = with_transaction(write)
    facts = {
        "order_id": order_id,
        "state": "cancelled",
        **cancelled_facts(cancelled, currency=currency),
    }
    more = cancelled_text(cancelled, currency=currency)
    text = f"Order {order_id} is cancelled. {more}".strip()
    report(facts, as_json=as_json, text=text)


async def _advice(tx: Transaction, *, slug: str, shop_id: int, order_id: int) -> str:
    """Advice for an order that cannot be cancelled here; "" for none."""
    from crossdock.shop.dispatch import show_dispatch
    from crossdock.shop.warehouse import list_returnable

    if any((await list_returnable(tx, shop_id=shop_id, order_id=order_id)).values()):
        return f"What has left comes back by `crossdock fulfil return announce {order_id} --all --shop {slug}`."
    try:
        dispatch = await show_dispatch(tx, shop_id=shop_id, order_id=order_id)
    except NotFound:
        return ""
    if dispatch.external_id == _BY_HAND:
        return ""
    if dispatch.status == "sent":
        return f"{dispatch.connector} knows it as {dispatch.external_id}: have it cancelled there."
    if dispatch.status in {"queued", "sending"}:
        look = f"`crossdock dispatch show {order_id} --shop {slug}`"
        return f"See {look}: once that says failed it can be cancelled here, once sent only there."
    return ""
