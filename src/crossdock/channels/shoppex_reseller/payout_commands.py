"""`crossdock reseller payouts`: what resellers claim, and what the shop decides, for staff."""

from typing import TYPE_CHECKING, Annotated

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
from crossdock.errors import Invalid, NotFound
from crossdock.kit.numbers import read_number
from crossdock.terminal import JsonOption, print_table, report_list

if TYPE_CHECKING:
    from crossdock.shop.resellers import Claim, ClaimAction, ClaimStatus

app = typer.Typer(help="Payouts of commission.", no_args_is_help=True)

PayoutArgument = Annotated[
    str, typer.Argument(help="The payout's id, or its number.", metavar="PAYOUT")
]
ReasonOption = Annotated[str, typer.Option(help="Why; the API tells it.")]
_COLUMNS = ("number", "status", "amount", "currency", "asset", "network", "address", "created")
_SHOWN = 100


@app.command("list")
def list_payouts(
    context: typer.Context,
    who: Who,
    status: Annotated[
        str | None,
        typer.Option(help="pending, approved, rejected, completed or cancelled."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the newest payouts of a reseller."""
    from crossdock.kit.paging import PlacePage
    from crossdock.shop.resellers import list_claims

    async def read(runtime: Runtime, tx: Transaction) -> "list[Claim]":
        shop_id, reseller_id, _ = await find_reseller(runtime, tx, who)
        found = await list_claims(
            tx,
            shop_id=shop_id,
            reseller_id=reseller_id,
            page=PlacePage(size=_SHOWN),
            status=_status(status),
        )
        return found[:_SHOWN]

    report_list(run(context, read), as_json=as_json, table=_print, none="There are no payouts.")


@app.command()
def balance(context: typer.Context, who: Who, as_json: JsonOption = False) -> None:
    """Show what a reseller earned: held, available, reserved by payouts, and paid."""
    from crossdock.kit.money import format_minor
    from crossdock.shop.resellers import read_buckets

    async def read(runtime: Runtime, tx: Transaction) -> Found:
        shop_id, reseller_id, shown = await find_reseller(runtime, tx, who)
        found = await read_buckets(tx, shop_id=shop_id, reseller_id=reseller_id)
        amounts = {
            name: format_minor(getattr(found, f"{name}_minor"), found.currency)
            for name in ("pending", "available", "reserved", "paid")
        }
        return {"relationship_id": shown, **amounts, "currency": found.currency}

    tell(run(context, read), as_json=as_json)


@app.command()
def request(
    context: typer.Context,
    who: Who,
    amount: Annotated[str, typer.Argument(help="In major units, such as 20.00.")],
    address: Annotated[str, typer.Option(help="Where it is to be paid to.")],
    asset: Annotated[str, typer.Option(help="What is paid, such as USDT.")] = "USDT",
    network: Annotated[str, typer.Option(help="Over which network, such as TRON.")] = "",
    note: Annotated[str, typer.Option(help="What the reseller says about it.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Ask for a payout in the name of a reseller; its amount is reserved."""
    from crossdock.kit.money import parse_amount
    from crossdock.shop.resellers import NewClaim, read_buckets, request_payout

    async def write(runtime: Runtime, tx: Transaction) -> Found:
        shop_id, reseller_id, _ = await find_reseller(runtime, tx, who)
        before = await read_buckets(tx, shop_id=shop_id, reseller_id=reseller_id)
        claim = await request_payout(
            tx,
            shop_id=shop_id,
            reseller_id=reseller_id,
            claim=NewClaim(
                amount_minor=parse_amount(amount, currency=before.currency),
                asset=asset,
                network=network,
                address=address,
                note=note,
            ),
            now=runtime.clock.now(),
        )
        return await _describe(runtime, shop_id, claim)

    tell(run(context, write), as_json=as_json)


@app.command()
def approve(
    context: typer.Context,
    who: Who,
    payout: PayoutArgument,
    force: Annotated[
        bool,
        typer.Option(help="Whatever the reseller's status, what it owes and the threshold."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Approve a pending payout."""
    _decide(context, who, payout, "force_approve" if force else "approve", as_json=as_json)


@app.command()
def reject(
    context: typer.Context,
    who: Who,
    payout: PayoutArgument,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Reject a pending payout; its amount is available again."""
    _decide(context, who, payout, "reject", reason=reason, as_json=as_json)


@app.command()
def complete(
    context: typer.Context, who: Who, payout: PayoutArgument, as_json: JsonOption = False
) -> None:
    """Tell that an approved payout was paid."""
    _decide(context, who, payout, "complete", as_json=as_json)


@app.command()
def cancel(
    context: typer.Context,
    who: Who,
    payout: PayoutArgument,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Cancel a payout that was not paid; its amount is available again."""
    _decide(context, who, payout, "cancel", reason=reason, as_json=as_json)


def _decide(
    context: typer.Context,
    who: str,
    payout: str,
    action: "ClaimAction",
    *,
    as_json: bool,
    reason: str = "",
) -> None:
    from crossdock.shop.resellers import decide_claim

    async def write(runtime: Runtime, tx: Transaction) -> Found:
        shop_id, reseller_id, _ = await find_reseller(runtime, tx, who)
        claim = await decide_claim(
            tx,
            shop_id=shop_id,
            reseller_id=reseller_id,
            claim_id=await _number(runtime, shop_id, payout),
            action=action,
            reason=reason,
            now=runtime.clock.now(),
        )
        return await _describe(runtime, shop_id, claim)

    tell(run(context, write), as_json=as_json)


async def _number(runtime: Runtime, shop_id: int, payout: str) -> int:
    from crossdock.channels.shoppex_reseller.ids import Kind

    if (number := read_number(payout)) is not None:
        return number
    found = (await ids_of(runtime).of(shop_id)).find(Kind.CLAIM, payout)
    if found is None:
        raise NotFound("not_found", "There is no such payout.")
    return found


async def _describe(runtime: Runtime, shop_id: int, claim: "Claim") -> Found:
    from crossdock.channels.shoppex_reseller.ids import Kind
    from crossdock.kit.money import format_minor

    return {
        "payout_id": (await ids_of(runtime).of(shop_id)).write(Kind.CLAIM, claim.id),
        "number": claim.id,
        "status": claim.status,
        "amount": format_minor(claim.amount_minor, claim.currency),
        "currency": claim.currency,
        "forced": claim.forced,
    }


def _status(text: str | None) -> "ClaimStatus | None":
    from crossdock.channels.shoppex_reseller.payouts import STATUSES

    if text is None:
        return None
    if text.upper() not in STATUSES:
        states = ", ".join(STATUSES.values())
        raise Invalid("invalid_input", f"A status is one of {states}.", {"field": "status"})
    return STATUSES[text.upper()]


def _print(claims: "list[Claim]") -> None:
    from rich.table import Table

    from crossdock.kit.money import format_minor

    table = Table(*_COLUMNS)
    for claim in claims:
        table.add_row(
            str(claim.id),
            claim.status,
            format_minor(claim.amount_minor, claim.currency),
            claim.currency,
            claim.asset,
            claim.network,
            claim.address,
            f"{claim.created_at:%Y-%m-%d %H:%M}",
        )
    print_table(table)
