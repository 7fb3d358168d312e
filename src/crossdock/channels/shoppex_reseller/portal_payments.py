"""`/portal/v1`: pay money in by an invoice, and ask for commission to be paid out (spec section 14)."""

from typing import Any, Final

import msgspec

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.invoice_happenings import STATUSES
from crossdock.channels.shoppex_reseller.paging import cursor_list
from crossdock.channels.shoppex_reseller.payouts import ShownOwnClaim, show_own_claim
from crossdock.channels.shoppex_reseller.portal_keys import own_reseller
from crossdock.channels.shoppex_reseller.routes import PORTAL, Route, Writes
from crossdock.channels.shoppex_reseller.wire import Reply, iso, one, text
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.ids import Ids
from crossdock.shop.invoices import Invoice
from crossdock.shop.resellers import (
    NewClaim,
    list_claims,
    read_buckets,
    request_payout,
    top_up,
)

TEXT_MAX: Final = 200
NOTE_MAX: Final = 500


class ShownTopUpInvoice(msgspec.Struct, kw_only=True):
    """The invoice of a top-up, under the id that the shop sees it by; `checkout_url` is where it is paid by card."""

    id: str
    uniqid: str
    status: str
    total: str | None
    currency: str
    checkout_url: str
    expires_at: str | None


class ShownTopUp(msgspec.Struct, kw_only=True):
    """A top-up: the balance is credited when its invoice is paid."""

    invoice: ShownTopUpInvoice


class ShownCommission(msgspec.Struct, kw_only=True):
    """What was earned: held, free to be claimed, claimed, paid out."""

    currency: str
    pending: str | None
    available: str | None
    reserved: str | None
    paid: str | None


def create_top_up(*, ids: Ids) -> Writes:
    """Answers the route that makes the invoice of a top-up."""

    async def act(call: Call, tx: Transaction) -> Reply:
        fields = call.fields()
        amount = fields.amount("amount", currency=call.currency, required=True)
        fields.check()
        assert amount is not None  # required
        invoice = await top_up(
            tx,
            shop_id=call.shop_id,
            reseller_id=await own_reseller(call, tx),
            amount_minor=amount,
            ids=ids,
            now=call.now,
        )
        return one(ShownTopUp(invoice=show_invoice(call, invoice)), status=201)

    return act


async def ask_payout(call: Call, tx: Transaction) -> Reply:
    """Claim an amount of the commission that is available."""
    fields = call.fields()
    amount = fields.amount("amount", currency=call.currency, required=True)
    asset = fields.text("asset", required=True, longest=TEXT_MAX)
    network = fields.text("network", nullable=True, longest=TEXT_MAX)
    address = fields.text("address", required=True, longest=TEXT_MAX)
    note = fields.text("note", nullable=True, longest=NOTE_MAX)
    fields.check()
    claim = await request_payout(
        tx,
        shop_id=call.shop_id,
        reseller_id=await own_reseller(call, tx),
        claim=NewClaim(
            amount_minor=amount or 0,
            asset=asset or "",
            network=network or "",
            address=address or "",
            note=note or "",
        ),
        now=call.now,
    )
    return one(show_own_claim(call.ids, claim), status=201)


async def list_payouts(call: Call, tx: Transaction) -> Reply:
    """The relationship's payouts, newest first."""
    page = call.place_page(Kind.CLAIM)
    found = await list_claims(
        tx, shop_id=call.shop_id, reseller_id=await own_reseller(call, tx), page=page
    )
    return cursor_list(
        found,
        page=page,
        kind=Kind.CLAIM,
        ids=call.ids,
        place=lambda each: (each.created_at, each.id),
        show=lambda each: show_own_claim(call.ids, each),
    )


async def get_commission(call: Call, tx: Transaction) -> Reply:
    """What the relationship earned, and where it is."""
    found = await read_buckets(tx, shop_id=call.shop_id, reseller_id=await own_reseller(call, tx))
    return one(
        ShownCommission(
            currency=found.currency,
            pending=text(found.pending_minor, found.currency),
            available=text(found.available_minor, found.currency),
            reserved=text(found.reserved_minor, found.currency),
            paid=text(found.paid_minor, found.currency),
        )
    )


def show_invoice(call: Call, invoice: Invoice) -> ShownTopUpInvoice:
    """An invoice that waits to be paid, as it is told."""
    shown = call.ids.write(Kind.INVOICE, invoice.id)
    return ShownTopUpInvoice(
        id=shown,
        uniqid=shown,
        status=STATUSES[invoice.state],
        total=text(invoice.total_minor, invoice.currency),
        currency=invoice.currency,
        checkout_url=call.pay_url + invoice.token,
        expires_at=iso(invoice.expires_at),
    )


_AMOUNT: Final[dict[str, Any]] = {"type": ["number", "string"], "description": "In major units."}
_TEXT: Final[dict[str, Any]] = {"type": "string", "maxLength": TEXT_MAX}
_MAYBE: Final[dict[str, Any]] = {"type": ["string", "null"]}


def create_routes(*, ids: Ids) -> tuple[Route, ...]:
    """The routes of this file."""
    return (
        Route(
            method="POST", path=f"{PORTAL}/top-ups", name="createTopUp",
            summary="Make the invoice of a top-up; the balance is credited when it is paid.",
            writes=create_top_up(ids=ids), status=201, answer=ShownTopUp,
            body={"amount": _AMOUNT}, required=("amount",),
        ),
        Route(
            method="GET", path=f"{PORTAL}/commission", name="getCommission",
            summary="What the relationship earned, and where it is.", reads=get_commission,
            answer=ShownCommission,
        ),
        Route(
            method="GET", path=f"{PORTAL}/payouts", name="listMyPayouts",
            summary="The relationship's payouts, newest first.", reads=list_payouts,
            answer=ShownOwnClaim, listed="cursor",
        ),
        Route(
            method="POST", path=f"{PORTAL}/payouts", name="requestPayout",
            summary="Claim an amount of the commission that is available.", writes=ask_payout,
            status=201, answer=ShownOwnClaim,
            body={"amount": _AMOUNT, "asset": _TEXT, "network": _MAYBE, "address": _TEXT, "note": _MAYBE},
            required=("amount", "asset", "address"),
        ),
    )  # fmt: skip
