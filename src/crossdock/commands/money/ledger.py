"""`crossdock ledger`: accounts, balances and entries, and their verification."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.running import with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.money import format_minor
from crossdock.terminal import JsonOption, ShopOption, print_json, print_table, report

if TYPE_CHECKING:
    from crossdock.shop.ledger import AccountView, LedgerDifference, LedgerEntry, TrialLine

app = typer.Typer(help="Accounts, their balances and their entries.", no_args_is_help=True)


@app.command()
def accounts(
    shop: ShopOption,
    kind: Annotated[str | None, typer.Option(help="Only this kind, such as sales.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only this owner, such as customer:17.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List accounts with their balances: credits less debits, so that a currency sums to zero."""
    from crossdock.shop.ledger import list_accounts

    async def read(_runtime: Runtime, tx: Transaction) -> "list[AccountView]":
        shop_id = await shop_id_of(tx, shop)
        return await list_accounts(tx, shop_id=shop_id, kind=kind, owner=owner)

    found = with_transaction(read)
    report(found, as_json=as_json, text=lambda: _print_accounts(found))


@app.command()
def entries(
    shop: ShopOption,
    account: Annotated[
        int | None, typer.Option(help="Only entries of the account with this number.")
    ] = None,
    order: Annotated[int | None, typer.Option(help="Only entries of this order.")] = None,
    before: Annotated[
        int | None, typer.Option(help="Only entries with a number below this.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most this many.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List entries, newest first; each is a debit and a credit with both balances after it."""
    from crossdock.shop.ledger import list_entries

    async def read(_runtime: Runtime, tx: Transaction) -> "list[LedgerEntry]":
        return await list_entries(
            tx,
            shop_id=await shop_id_of(tx, shop),
            account_id=account,
            order_id=order,
            before=before,
            limit=limit,
        )

    found = with_transaction(read)
    report(found, as_json=as_json, text=lambda: _print_entries(found))


@app.command()
def trial(
    shop: ShopOption,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="As of the end of this day; else as of now."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the trial balance: debits and credits by kind of account; exit 0 only if they are equal."""
    from crossdock.kit.zones import day_start
    from crossdock.shop.ledger import trial_balance
    from crossdock.shop.shops import read_shop

    async def read(runtime: Runtime, tx: Transaction) -> "list[TrialLine]":
        row = await read_shop(tx, slug=shop)
        last = day_start(day.date() + timedelta(days=1), zone=row.zone) if day else None
        until = last or runtime.clock.now()
        return await trial_balance(tx, shop_id=row.id, until=until)

    found = with_transaction(read)
    report(found, as_json=as_json, text=lambda: _print_trial(found))
    sides = {line.currency: 0 for line in found}
    for line in found:
        sides[line.currency] += line.debit_balance_minor - line.credit_balance_minor
    raise typer.Exit(1 if any(sides.values()) else 0)


@app.command()
def verify(shop: ShopOption, as_json: JsonOption = False) -> None:
    """Recompute the shop's balances from its entries; exit 0 only if nothing differs."""
    from crossdock.shop.ledger import verify_ledger

    async def look(_runtime: Runtime, tx: Transaction) -> "list[LedgerDifference]":
        return await verify_ledger(tx, shop_id=await shop_id_of(tx, shop))

    differences = with_transaction(look)
    if as_json:
        print_json(differences)
    else:
        for found in differences:
            typer.echo(
                f"{found.check}: {found.place}: expected {found.expected}, found {found.found}"
            )
        typer.echo(f"{len(differences)} differ" if differences else "right")
    raise typer.Exit(1 if differences else 0)


def _print_accounts(found: "list[AccountView]") -> None:
    from rich.table import Table

    table = Table("Account", "Kind", "Owner", "Balance", "Currency", "Floor")
    for account in found:
        floor = account.floor_minor
        table.add_row(
            str(account.id),
            account.kind,
            account.owner or "the shop",
            format_minor(account.balance_minor, account.currency),
            account.currency,
            "" if floor is None else format_minor(floor, account.currency),
        )
    print_table(table)


def _print_trial(found: "list[TrialLine]") -> None:
    from rich.table import Column, Table

    amounts = [Column(name, no_wrap=True) for name in ("Debits", "Credits", "Debit", "Credit")]
    table = Table("Currency", "Kind", "Accounts", *amounts)
    for line in found:
        minors = (
            *(line.debits_minor, line.credits_minor),
            *(line.debit_balance_minor, line.credit_balance_minor),
        )
        shown = [format_minor(minor, line.currency) for minor in minors]
        table.add_row(line.currency, line.kind, str(line.accounts), *shown)
    print_table(table)


def _print_entries(found: "list[LedgerEntry]") -> None:
    from rich.table import Column, Table

    table = Table("Row", "When", "What", "Debit", "Credit", Column("Amount", no_wrap=True), "Order")
    for entry in found:
        table.add_row(
            str(entry.id),
            f"{entry.created_at:%Y-%m-%d %H:%M:%S}",
            entry.kind,
            f"{entry.debit_kind} {entry.debit_owner}".strip(),
            f"{entry.credit_kind} {entry.credit_owner}".strip(),
            f"{format_minor(entry.amount_minor, entry.currency)} {entry.currency}",
            str(entry.order_id or ""),
        )
    print_table(table)
