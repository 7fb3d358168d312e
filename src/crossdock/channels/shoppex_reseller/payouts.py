"""`/dev/v1/resellers/{id}/payouts` (spec sections 6.7, 8.3)."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.ids import Kind, WireIds
from crossdock.channels.shoppex_reseller.paging import cursor_list
from crossdock.channels.shoppex_reseller.routes import DEV, Route, Writes
from crossdock.channels.shoppex_reseller.wire import Reply, iso, number, one, text
from crossdock.db.unit_of_work import Transaction
from crossdock.shop.resellers import (
    Claim,
    ClaimAction,
    ClaimStatus,
    decide_claim,
    list_claims,
    read_reseller,
)

STATUSES: Final[dict[str, ClaimStatus]] = {
    "PENDING": "pending",
    "APPROVED": "approved",
    "REJECTED": "rejected",
    "COMPLETED": "completed",
    "CANCELLED": "cancelled",
}
REASON_MAX: Final = 500


class ShownPayout(msgspec.Struct, kw_only=True):
    """A payout, but for its amount. `note` is the reseller's, `reason` the merchant's."""

    id: str
    reseller_relationship_id: str
    status: str
    currency: str
    payout_asset: str
    payout_network: str
    payout_address: str
    note: str | None
    reason: str | None
    forced: bool
    created_at: str | None
    updated_at: str | None
    approved_at: str | None
    completed_at: str | None
    rejected_at: str | None
    cancelled_at: str | None


class ShownClaim(ShownPayout, kw_only=True):
    """A payout as the shop sees it; its amount is a number, as all money there."""

    amount: Decimal | None


class ShownOwnClaim(ShownPayout, kw_only=True):
    """A payout as the reseller sees it; its amount is a text, as all money there."""

    amount: str | None


async def list_(call: Call, tx: Transaction) -> Reply:
    """The relationship's payouts, newest first."""
    reseller_id, page = call.number(Kind.RELATIONSHIP), call.place_page(Kind.CLAIM)
    filters = call.filters()
    status = filters.choice("status", STATUSES)
    filters.check()
    await read_reseller(tx, shop_id=call.shop_id, reseller_id=reseller_id)  # 404 for another shop's
    found = await list_claims(
        tx, shop_id=call.shop_id, reseller_id=reseller_id, page=page, status=status
    )
    return cursor_list(
        found,
        page=page,
        kind=Kind.CLAIM,
        ids=call.ids,
        place=lambda each: (each.created_at, each.id),
        show=lambda each: show_claim(call.ids, each),
    )


def decide(action: ClaimAction) -> Writes:
    """Answers the route of an action; `reason` or `note` of its body are kept as the reason."""

    async def act(call: Call, tx: Transaction) -> Reply:
        reseller_id = call.number(Kind.RELATIONSHIP)
        claim_id, fields = call.number(Kind.CLAIM, "claimId"), call.fields()
        reason = fields.text("reason", nullable=True, longest=REASON_MAX)
        note = fields.text("note", nullable=True, longest=REASON_MAX)
        fields.check()
        claim = await decide_claim(
            tx,
            shop_id=call.shop_id,
            reseller_id=reseller_id,
            claim_id=claim_id,
            action=action,
            reason=reason or note or "",
            now=call.now,
        )
        return one(show_claim(call.ids, claim))

    return act


def show_claim(ids: WireIds, claim: Claim) -> ShownClaim:
    """A payout as the shop is told of it."""
    amount = number(claim.amount_minor, claim.currency)
    return ShownClaim(amount=amount, **_shown(ids, claim))


def show_own_claim(ids: WireIds, claim: Claim) -> ShownOwnClaim:
    """A payout as its reseller is told of it."""
    return ShownOwnClaim(amount=text(claim.amount_minor, claim.currency), **_shown(ids, claim))


def _shown(ids: WireIds, claim: Claim) -> dict[str, Any]:
    return {
        "id": ids.write(Kind.CLAIM, claim.id),
        "reseller_relationship_id": ids.write(Kind.RELATIONSHIP, claim.reseller_id),
        "status": claim.status,
        "currency": claim.currency,
        "payout_asset": claim.asset,
        "payout_network": claim.network,
        "payout_address": claim.address,
        "note": claim.note or None,
        "reason": claim.reason or None,
        "forced": claim.forced,
        "created_at": iso(claim.created_at),
        "updated_at": iso(claim.updated_at),
        "approved_at": iso(claim.approved_at),
        "completed_at": iso(claim.completed_at),
        "rejected_at": iso(claim.rejected_at),
        "cancelled_at": iso(claim.cancelled_at),
    }


_ALL: Final = f"{DEV}/resellers/{{id}}/payouts"
_BODY: Final[dict[str, dict[str, Any]]] = {
    "reason": {"type": ["string", "null"], "maxLength": REASON_MAX}
}
_ACTIONS: Final[tuple[tuple[str, str, ClaimAction, str], ...]] = (
    ("approve", "approveResellerPayout", "approve", "Approve a pending payout."),
    ("force-approve", "forceApproveResellerPayout", "force_approve",
     "Approve a pending payout whatever the reseller's status, what it owes and the threshold."),
    ("reject", "rejectResellerPayout", "reject", "Reject a pending payout; its amount is available again."),
    ("complete", "completeResellerPayout", "complete", "Tell that an approved payout was paid."),
    ("cancel", "cancelResellerPayout", "cancel",
     "Cancel a payout that was not paid; its amount is available again."),
)  # fmt: skip
ROUTES: Final = (
    Route(
        method="GET", covers="shop", path=_ALL, name="listResellerPayouts",
        summary="A reseller's payouts, newest first.", scope="reseller_payouts.read",
        reads=list_, answer=ShownClaim, listed="cursor",
        query={"status": {"type": "string", "enum": [*STATUSES]}},
    ),
    *(
        Route(
            method="POST", covers="shop", path=f"{_ALL}/{{claimId}}/{segment}", name=name, summary=summary,
            scope="reseller_payouts.write", writes=decide(action), answer=ShownClaim, body=_BODY,
        )
        for segment, name, action, summary in _ACTIONS
    ),
)  # fmt: skip
