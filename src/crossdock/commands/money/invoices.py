"""`crossdock invoice`: amounts that are asked for without goods."""

from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.running import with_runtime, with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.money import format_minor, parse_amount
from crossdock.terminal import JsonOption, ShopOption, report

if TYPE_CHECKING:
    from crossdock.shop.invoices import Invoice

app = typer.Typer(
    help="Invoices without goods: payments, stock purchases, top-ups.", no_args_is_help=True
)
InvoiceArgument = Annotated[int, typer.Argument(help="The invoice's number.")]


@app.command("list")
def list_(
    shop: ShopOption,
    before: Annotated[
        int | None, typer.Option(help="Only invoices with a number below this.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most this many.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the newest invoices."""
    from crossdock.shop.invoices import list_invoices

    async def read(_runtime: Runtime, tx: Transaction) -> "list[Invoice]":
        shop_id = await shop_id_of(tx, shop)
        return await list_invoices(tx, shop_id=shop_id, before=before, limit=limit)

    found = with_transaction(read)
    facts = [_facts(invoice) for invoice in found]
    text = "\n".join(map(_line, found)) or "There are no invoices."
    report(facts, as_json=as_json, text=text)


@app.command()
def void(invoice: InvoiceArgument, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Void an invoice that is not paid; a card that is authorised for it is let go of."""
    from crossdock.shop.invoices import void_invoice

    async def act(runtime: Runtime, tx: Transaction) -> "Invoice":
        shop_id = await shop_id_of(tx, shop)
        return await void_invoice(tx, shop_id=shop_id, invoice_id=invoice, now=runtime.clock.now())

    done = with_transaction(act)
    report(_facts(done), as_json=as_json, text=f"invoice {done.id} is {done.state}")


@app.command()
def refund(
    invoice: InvoiceArgument,
    shop: ShopOption,
    amount: Annotated[
        str | None, typer.Option(help="In major units, such as 4.50; without it all that is left.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Refund what was paid for an invoice, also after it was voided; a top-up is taken back from the balance."""
    done = with_runtime(lambda runtime: _refund(runtime, shop, invoice, amount))
    report(_facts(done), as_json=as_json, text=f"invoice {done.id} is {done.state}")


async def _refund(runtime: Runtime, slug: str, number: int, amount: str | None) -> "Invoice":
    from crossdock.compose import Services
    from crossdock.shop.invoices import read_invoice, refund_invoice

    async with Services(runtime) as services:
        async with runtime.database.statement() as tx:
            shop_id = await shop_id_of(tx, slug)
            found = await read_invoice(tx, shop_id=shop_id, invoice_id=number)
        minor = None if amount is None else parse_amount(amount, currency=found.currency)
        return await refund_invoice(
            services.paying, shop_id=shop_id, invoice_id=number, amount_minor=minor
        )


def _facts(invoice: "Invoice") -> dict[str, object]:
    """What is told of an invoice, without the token of its page."""
    return {
        "id": invoice.id,
        "purpose": invoice.purpose,
        "title": invoice.title,
        "total": format_minor(invoice.total_minor, invoice.currency),
        "currency": invoice.currency,
        "email": invoice.email,
        "state": invoice.state,
        "paid_late": invoice.paid_late_at is not None,
        "payment_id": invoice.payment_id,
        "created_at": invoice.created_at,
    }


def _line(invoice: "Invoice") -> str:
    total = f"{format_minor(invoice.total_minor, invoice.currency)} {invoice.currency}"
    late = ", paid late" if invoice.paid_late_at else ""
    return f"{invoice.id}  {invoice.purpose}  {total}  {invoice.state}{late}  {invoice.email}  {invoice.title}"
