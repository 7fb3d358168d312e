"""`crossdock reseller credit` and `statement`: the prepaid balance of a relationship."""

import csv
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.channels.shoppex_reseller.command_tools import (
    Found,
    Who,
    find_reseller,
    run,
    tell,
)
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.terminal import JsonOption, print_table, report_list

if TYPE_CHECKING:
    from crossdock.shop.resellers import StatementLine

_COLUMNS = (
    *("entry", "at", "kind", "amount", "balance", "currency", "order", "fulfilment"),
    *("external_order_id", "reason"),
)


def credit(
    context: typer.Context,
    who: Who,
    amount: Annotated[
        str, typer.Argument(help="In major units, such as 100.00; a negative one takes back.")
    ],
    reason: Annotated[str, typer.Option(help="What the ledger says about it.")] = "",
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
            reason=reason,
            now=runtime.clock.now(),
        )
        return {
            "relationship_id": shown,
            "balance": format_minor(balance.balance_minor, balance.currency),
            "currency": balance.currency,
        }

    tell(run(context, write), as_json=as_json)


def statement(
    context: typer.Context,
    who: Who,
    since: Annotated[
        datetime | None, typer.Option(help="Only from this day, or time, on; in UTC.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="Only before this day, or time; in UTC.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print every change of the prepaid balance with its cause, the oldest first."""
    from crossdock.shop.resellers import read_statement

    async def read(runtime: Runtime, tx: Transaction) -> "list[StatementLine]":
        shop_id, reseller_id, _ = await find_reseller(runtime, tx, who)
        return await read_statement(
            tx, shop_id=shop_id, reseller_id=reseller_id, since=_in_utc(since), until=_in_utc(until)
        )

    lines = run(context, read)
    if as_csv and not as_json:
        writer = csv.writer(sys.stdout)
        writer.writerow(_COLUMNS)
        writer.writerows(_row(line) for line in lines)
        return
    report_list(lines, as_json=as_json, table=_print, none="Nothing was ever posted.")


def _in_utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _row(line: "StatementLine") -> tuple[str, ...]:
    from crossdock.kit.money import format_minor

    return (
        str(line.entry_id),
        line.at.astimezone(UTC).isoformat(timespec="seconds"),
        line.kind,
        format_minor(line.amount_minor, line.currency),
        format_minor(line.balance_minor, line.currency),
        line.currency,
        str(line.order_id or ""),
        str(line.fulfilment_id or ""),
        line.external_order_id or "",
        line.reason,
    )


def _print(lines: "list[StatementLine]") -> None:
    from rich.table import Table

    table = Table(*_COLUMNS)
    for line in lines:
        table.add_row(*_row(line))
    print_table(table)
