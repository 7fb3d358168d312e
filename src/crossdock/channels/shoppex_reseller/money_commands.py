"""`crossdock reseller credit`, `settle`, `top-up` and `statement`: what a relationship has with the shop."""

import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import msgspec
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
from crossdock.terminal import CommandLine, JsonOption, print_table

if TYPE_CHECKING:
    from crossdock.shop.resellers import Statement


def credit(
    context: typer.Context,
    who: Who,
    amount: Annotated[
        str, typer.Argument(help="In major units, such as 100.00; a negative one takes back.")
    ],
    reference: Annotated[
        str, typer.Option(help="Names this credit, in the ledger too; each credits once.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Credit the prepaid balance with money that has come in."""
    from crossdock.kit.money import format_minor, parse_amount
    from crossdock.shop.resellers import credit as credit_balance
    from crossdock.shop.resellers import read_balance

    async def write(runtime: Runtime, tx: Transaction) -> Found:
        shop_id, reseller_id, shown = await find_reseller(runtime, tx, who)
        before = await read_balance(tx, shop_id=shop_id, reseller_id=reseller_id)
        balance = await credit_balance(
            tx,
            shop_id=shop_id,
            reseller_id=reseller_id,
            amount_minor=parse_amount(amount, currency=before.currency),
            reference=reference.strip(),
            now=runtime.clock.now(),
        )
        return {
            "relationship_id": shown,
            "balance": format_minor(balance.balance_minor, balance.currency),
            "currency": balance.currency,
        }

    tell(run(context, write), as_json=as_json)


def settle(
    context: typer.Context,
    who: Who,
    to: Annotated[
        str | None,
        typer.Option(
            help="balance: it is credited to the prepaid balance; payout: you have paid it."
            " Without it nothing is settled.",
            metavar="balance|payout",
        ),
    ] = None,
    amount: Annotated[
        str | None, typer.Option(help="In major units, such as 13.00; else all of it.")
    ] = None,
    reference: Annotated[
        str,
        typer.Option(
            help="Names this settlement, in the ledger too; each settles once. With --to."
        ),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Settle what a reseller paid for stock that was revoked, or show how much it is."""
    from crossdock.kit.money import format_minor, parse_amount
    from crossdock.shop.resellers import read_balance, read_stock_credit, settle_stock_credit

    if to not in {None, "balance", "payout"}:
        raise Invalid("invalid_input", "--to must be balance or payout.")

    async def write(runtime: Runtime, tx: Transaction) -> Found:
        shop_id, reseller_id, shown = await find_reseller(runtime, tx, who)
        names = {"shop_id": shop_id, "reseller_id": reseller_id}
        found = await read_stock_credit(tx, **names)
        if to is not None:
            found = await settle_stock_credit(
                tx,
                **names,
                to="balance" if to == "balance" else "payout",
                amount_minor=None
                if amount is None
                else parse_amount(amount, currency=found.currency),
                reference=reference.strip(),
                now=runtime.clock.now(),
            )
        balance = await read_balance(tx, **names)
        return {
            "relationship_id": shown,
            "settled": format_minor(found.settled_minor, found.currency),
            "left": format_minor(found.left_minor, found.currency),
            "balance": format_minor(balance.balance_minor, balance.currency),
            "currency": found.currency,
        }

    tell(run(context, write), as_json=as_json)


def top_up(
    context: typer.Context,
    who: Who,
    amount: Annotated[str, typer.Argument(help="In major units, such as 100.00.")],
    as_json: JsonOption = False,
) -> None:
    """Make the invoice of a top-up: the prepaid balance is credited when it is paid."""
    from crossdock.channels.shoppex_reseller.ids import Kind
    from crossdock.kit.ids import RandomIds
    from crossdock.kit.money import format_minor, parse_amount
    from crossdock.shop.resellers import read_balance
    from crossdock.shop.resellers import top_up as make_top_up

    async def write(runtime: Runtime, tx: Transaction) -> Found:
        shop_id, reseller_id, shown = await find_reseller(runtime, tx, who)
        currency = (await read_balance(tx, shop_id=shop_id, reseller_id=reseller_id)).currency
        invoice = await make_top_up(
            tx,
            shop_id=shop_id,
            reseller_id=reseller_id,
            amount_minor=parse_amount(amount, currency=currency),
            ids=RandomIds(),
            now=runtime.clock.now(),
        )
        ids = await ids_of(runtime).of(shop_id)
        return {
            "relationship_id": shown,
            "invoice_id": ids.write(Kind.INVOICE, invoice.id),
            "number": invoice.id,
            "total": format_minor(invoice.total_minor, currency),
            "currency": currency,
            "expires_at": None if invoice.expires_at is None else invoice.expires_at.isoformat(),
        }

    tell(run(context, write), as_json=as_json)


def statement(
    context: typer.Context,
    who: Who,
    since: Annotated[
        datetime | None,
        typer.Option("--from", "--since", help="Only from this day, or time, on; in UTC."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--to", "--until", help="Only before this day, or time; in UTC."),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="table, json, csv or pdf.", metavar="FORMAT")
    ] = "table",
    as_csv: Annotated[bool, typer.Option("--csv", help="The same as --format csv.")] = False,
    commission: Annotated[
        bool, typer.Option("--commission", help="Of commission instead of the prepaid balance.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print every change of the prepaid balance, or of commission, with its cause, oldest first."""
    chosen = "csv" if as_csv else "json" if as_json else form.lower()
    if chosen not in _WRITERS:
        raise Invalid("invalid_input", f"--format must be one of {', '.join(_WRITERS)}.")
    line: CommandLine = context.obj

    async def write(runtime: Runtime) -> None:
        from crossdock.shop.resellers import read_statement

        async with runtime.database.statement() as tx:
            shop_id, reseller_id, _ = await find_reseller(runtime, tx, who)
            found = await read_statement(
                tx,
                shop_id=shop_id,
                reseller_id=reseller_id,
                purse="commission" if commission else "prepaid",
                since=_in_utc(since),
                until=_in_utc(until) or runtime.clock.now() + timedelta(microseconds=1),
            )
        await _WRITERS[chosen](runtime, found)

    line.with_runtime(write)


def _in_utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


async def _write_csv(runtime: Runtime, found: "Statement") -> None:
    from crossdock.shop.resellers import statement_csv, stream_lines

    lines = stream_lines(runtime.database, statement=found)
    async for piece in statement_csv(found, lines):
        sys.stdout.write(piece)


async def _write_json(runtime: Runtime, found: "Statement") -> None:
    """One line of JSON: the head's fields, and `lines` as they come."""
    from crossdock.shop.resellers import stream_lines

    head = msgspec.to_builtins(found)
    del head["lines"]
    sys.stdout.write(msgspec.json.encode(head).decode().removesuffix("}") + ',"lines":[')
    separator = ""
    async for line in stream_lines(runtime.database, statement=found):
        sys.stdout.write(separator + msgspec.json.encode(line).decode())
        separator = ","
    sys.stdout.write("]}\n")


async def _write_pdf(runtime: Runtime, found: "Statement") -> None:
    from crossdock.compose import Services
    from crossdock.shop.resellers import statement_pdf, stream_lines

    lines = [line async for line in stream_lines(runtime.database, statement=found)]
    fonts = Services(runtime).label_fonts
    sys.stdout.buffer.write(statement_pdf(found, lines, fonts=fonts, now=runtime.clock.now()))


async def _write_table(runtime: Runtime, found: "Statement") -> None:
    from rich.table import Table

    from crossdock.kit.money import format_minor
    from crossdock.shop.resellers import STATEMENT_COLUMNS, line_row, stream_lines

    table = Table(*STATEMENT_COLUMNS)
    async for line in stream_lines(runtime.database, statement=found):
        table.add_row(*line_row(line))
    opening, closing = (
        f"{format_minor(minor, found.currency)} {found.currency}"
        for minor in (found.opening_minor, found.closing_minor)
    )
    typer.echo(f"{found.shop}, {found.email}. Opening balance {opening}.")
    print_table(table)
    typer.echo(f"Closing balance {closing}.")


_WRITERS: dict[str, "Callable[[Runtime, Statement], Awaitable[None]]"] = {
    "table": _write_table,
    "json": _write_json,
    "csv": _write_csv,
    "pdf": _write_pdf,
}
