"""`crossdock order`: orders entered by staff; payments and history of any order."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from crossdock.commands.orders import order_address, order_notes, order_refunds
from crossdock.commands.orders.given_back import cancelled_facts, cancelled_text
from crossdock.commands.orders.order_tables import print_orders, print_shown
from crossdock.commands.running import with_runtime, with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.kit.money import parse_amount
from crossdock.kit.numbers import read_number
from crossdock.terminal import JsonOption, ShopOption, print_json, report

if TYPE_CHECKING:
    from crossdock.compose import Services
    from crossdock.shop.orders import Cancelled, Placed, StaffOrder
    from crossdock.shop.payments import Card, Payment
    from crossdock.shop.shops import Shop

app = typer.Typer(help="Place, pay, refund and list orders.", no_args_is_help=True)
app.command()(order_address.address)
app.command()(order_refunds.refund_line)
app.command()(order_notes.note)

OrderArgument = Annotated[str, typer.Argument(help="The order's number, ours or the partner's.")]


@app.command()
def place(
    customer: Annotated[str, typer.Option(help="The customer's e-mail or number.")],
    line: Annotated[list[str], typer.Option(help="SKU=QUANTITY; once for each line.")],
    shop: ShopOption,
    card: Annotated[
        bool,
        typer.Option("--card", help="Ask for a card, or read number, MM/YYYY and code from stdin."),
    ] = False,
    provider: Annotated[
        str,
        typer.Option(
            help="Who takes the card: stripe or sandbox; Stripe where the settings have its key."
        ),
    ] = "",
    number: Annotated[
        str, typer.Option(help="Your own order number; makes the command idempotent.")
    ] = "",
    shipping: Annotated[str, typer.Option(help="The shipping cost, such as 5.95.")] = "0",
    comments: Annotated[str, typer.Option(help="Comments for the packers.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Place an order for a customer, on account or by card."""
    from crossdock.compose import Services
    from crossdock.shop.orders import place_on_account, place_with_card
    from crossdock.shop.shops import read_shop

    given = _read_card() if card else None

    async def act(runtime: Runtime) -> "Placed":
        async with Services(runtime) as services:
            async with runtime.database.statement() as tx:
                found = await read_shop(tx, slug=shop)
                order = await _order(tx, found, customer, line, number, shipping, comments)
            if given is None:
                return await place_on_account(services.placing, shop=found, order=order)
            return await place_with_card(
                services.placing,
                services.paying,
                shop=found,
                order=order,
                card=_checked(given, runtime),
                provider=provider or services.card_provider,
            )

    placed = with_runtime(act)
    report(
        {"order_id": placed.id, "total_minor": placed.total_minor},
        as_json=as_json,
        text=f"order {placed.id} is placed",
    )


@app.command()
def pay(
    order: OrderArgument,
    shop: ShopOption,
    reference: Annotated[
        str, typer.Option(help="On account: the text of the bank statement.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Capture the card, or record a bank transfer; an order of which nothing is owed is paid without."""
    from crossdock.shop.orders import pay_order

    async def act(services: "Services", shop_id: int, order_id: int) -> "Payment | None":
        return await pay_order(
            services.paying, shop_id=shop_id, order_id=order_id, reference=reference
        )

    payment = _with_order(act, shop=shop, order=order)
    if payment is None:
        report(None, as_json=as_json, text="nothing was owed: the order is paid")
    else:
        _tell(payment, as_json=as_json)


@app.command()
def refund(
    order: OrderArgument,
    shop: ShopOption,
    amount: Annotated[
        str | None, typer.Option(help="Such as 19.99; without it, all that is left.")
    ] = None,
    goods_back: Annotated[
        bool,
        typer.Option("--goods-back", help="Take the goods back: by cancelling, or by a return."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Refund at most what was paid and, if asked, take the goods back."""
    from crossdock.shop.orders import read_order, refund_order
    from crossdock.shop.warehouse import refund_with_goods

    async def act(services: "Services", shop_id: int, order_id: int) -> "Payment":
        async with services.runtime.database.statement() as tx:
            currency = (await read_order(tx, shop_id=shop_id, order_id=order_id)).currency
        give = refund_with_goods if goods_back else refund_order
        minor = None if amount is None else parse_amount(amount, currency=currency)
        return await give(services.paying, shop_id=shop_id, order_id=order_id, amount_minor=minor)

    _tell(_with_order(act, shop=shop, order=order), as_json=as_json)


@app.command()
def cancel(
    order: OrderArgument,
    shop: ShopOption,
    reason: Annotated[str, typer.Option(help="The reason, recorded with the order.")] = "",
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
    """Cancel an order before its fulfilment has started and give its money back."""
    from crossdock.shop.invoices import settle_every_payment
    from crossdock.shop.orders import cancel_order, read_order, read_reason

    async def act(services: "Services", shop_id: int, order_id: int) -> "tuple[Cancelled, str]":
        now = services.runtime.clock.now()
        async with services.runtime.database.begin() as tx:
            cancelled = await cancel_order(
                tx,
                shop_id=shop_id,
                order_id=order_id,
                reason=reason,
                refund_reason=read_reason(refund_reason),
                now=now,
            )
            read = await read_order(tx, shop_id=shop_id, order_id=order_id, sections=())
        await settle_every_payment(services.paying)
        return cancelled, read.currency

    cancelled, currency = _with_order(act, shop=shop, order=order)
    report(
        {"state": "cancelled", **cancelled_facts(cancelled, currency=currency)},
        as_json=as_json,
        text=f"cancelled. {cancelled_text(cancelled, currency=currency)}".strip(),
    )


@app.command("list")
def list_(
    shop: ShopOption,
    state: Annotated[str | None, typer.Option(help="Only orders in this fulfilment state.")] = None,
    payment: Annotated[str | None, typer.Option(help="Only orders in this payment state.")] = None,
    before: Annotated[
        int | None, typer.Option(help="Only orders with a number below this.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most this many.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the newest orders of all channels."""
    from crossdock.shop.orders import OrderRow, list_orders

    async def read(_runtime: Runtime, tx: Transaction) -> list[OrderRow]:
        return await list_orders(
            tx,
            shop_id=await shop_id_of(tx, shop),
            fulfilment_state=state,
            payment_state=payment,
            before=before,
            limit=limit,
        )

    found = with_transaction(read)
    report(found, as_json=as_json, text=lambda: print_orders(found))


@app.command()
def show(order: OrderArgument, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Show an order with its lines, parts, payments and events."""
    from crossdock.shop.orders import OrderView, find_order_id, read_order
    from crossdock.shop.payments import list_payments

    async def read(_runtime: Runtime, tx: Transaction) -> "tuple[OrderView, list[Payment]]":
        shop_id = await shop_id_of(tx, shop)
        order_id = await find_order_id(tx, shop_id=shop_id, number=order)
        view = await read_order(
            tx,
            shop_id=shop_id,
            order_id=order_id,
            sections=("lines", "parts", "packages", "returns", "timeline"),
        )
        return view, await list_payments(tx, shop_id=shop_id, order_id=order_id)

    view, payments = with_transaction(read)
    if as_json:
        shown = msgspec.to_builtins(view, str_keys=True)
        del shown["order_key"]
        print_json({**shown, "payments": payments})
    else:
        print_shown(view, payments)


@app.command()
def serials(order: OrderArgument, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Print the licence keys and codes that an order bought, by line. Only its buyer may see them.

    Those that came back are marked as revoked.
    """
    from crossdock.shop.stock import BoughtSerial, read_bought_serials

    async def act(
        services: "Services", shop_id: int, order_id: int
    ) -> dict[int, list[BoughtSerial]]:
        async with services.runtime.database.statement() as tx:
            return await read_bought_serials(
                tx, shop_id=shop_id, order_id=order_id, box=services.box
            )

    found: dict[int, list[BoughtSerial]] = _with_order(act, shop=shop, order=order)
    lines = [
        f"{line_no}  {each.serial}"
        + (f"  revoked {each.revoked_at:%Y-%m-%d}" if each.revoked_at else "")
        for line_no, bought in found.items()
        for each in bought
    ]
    report(found, as_json=as_json, text="\n".join(lines) or "none")


async def _order(
    tx: Transaction,
    shop: "Shop",
    customer: str,
    lines: list[str],
    number: str,
    shipping: str,
    comments: str,
) -> "StaffOrder":
    from crossdock.shop.customers import find_customer
    from crossdock.shop.orders import OrderItem, StaffOrder
    from crossdock.shop.stock import find_variant

    buyer = await find_customer(tx, shop_id=shop.id, who=customer)
    if buyer is None:
        raise Invalid("invalid_input", f"There is no customer {customer!r}.")
    items = []
    for text in lines:
        who, quantity = _line(text)
        variant_id = await find_variant(tx, shop_id=shop.id, who=who)
        items.append(OrderItem(variant_id=variant_id, quantity=quantity))
    return StaffOrder(
        customer_id=buyer.id,
        items=tuple(items),
        number=number,
        comments=comments,
        shipping_minor=parse_amount(shipping, currency=shop.currency),
    )


def _line(text: str) -> tuple[str, int]:
    who, _, quantity = text.rpartition("=")
    number = read_number(quantity, digits_max=9)
    if not who or not number:
        raise Invalid("invalid_input", f"{text!r} is not SKU=QUANTITY.", {"field": "line"})
    return who, number


def _read_card() -> tuple[str, str, str]:
    """Ask for the card's data; arguments would be kept in the shell's history."""
    import sys

    if sys.stdin.isatty():
        asked = ("Card number", "Month and year (MM/YYYY)", "Code")
        number, expiry, code = (typer.prompt(text, hide_input=True) for text in asked)
    else:
        number, expiry, code = (sys.stdin.readline().strip() for _ in range(3))
    return number, expiry, code


def _checked(given: tuple[str, str, str], runtime: Runtime) -> "Card":
    from crossdock.shop.payments import checked_card

    number, expiry, code = given
    month, _, year = expiry.partition("/")
    if not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in (month, year)):
        raise Invalid("invalid_input", "Give month and year as MM/YYYY.")
    return checked_card(
        number=number, month=int(month), year=int(year), code=code, now=runtime.clock.now()
    )


def _with_order(
    act: "Callable[[Services, int, int], Awaitable[Any]]", *, shop: str, order: str
) -> Any:
    from crossdock.compose import Services
    from crossdock.shop.orders import find_order_id

    async def run(runtime: Runtime) -> Any:
        async with Services(runtime) as services:
            async with runtime.database.statement() as tx:
                shop_id = await shop_id_of(tx, shop)
                order_id = await find_order_id(tx, shop_id=shop_id, number=order)
            return await act(services, shop_id, order_id)

    return with_runtime(run)


def _tell(payment: "Payment", *, as_json: bool) -> None:
    report(payment, as_json=as_json, text=f"payment {payment.id} is {payment.state}")
