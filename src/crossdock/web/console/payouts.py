"""The queue of resellers' payouts, which two people decide on."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.gate import Gate
from crossdock.kit.languages import gettext, lazy
from crossdock.kit.paging import PlacePage
from crossdock.shop.resellers import (
    Claim,
    ClaimAction,
    ClaimStatus,
    decide_claim,
    list_claims,
    read_buckets,
    read_claim,
    read_reseller,
)
from crossdock.web.console.confirming import Effect, Question, ask, is_sure
from crossdock.web.console.effect_words import money_effect
from crossdock.web.console.list_columns import Column, read_columns
from crossdock.web.console.paging import PAGE_SIZE, paging, path_number, place_text, read_place
from crossdock.web.console.rendering import Pages, redirect

PAYOUTS: Final = "/console/payouts"
COLUMNS: Final[Mapping[str, Column]] = {
    "asked": Column(lazy("Asked (UTC)")),
    "to": Column(lazy("To")),
    "status": Column(lazy("Status")),
    "amount": Column(lazy("Amount"), is_number=True),
}
"""The columns of the list besides its first."""
STATUSES: Final[tuple[ClaimStatus, ...]] = (
    *("pending", "approved", "completed", "rejected", "cancelled"),
)
_ACTIONS: Final[dict[str, ClaimAction]] = {
    "approve": "approve",
    "force": "force_approve",
    "reject": "reject",
    "complete": "complete",
    "cancel": "cancel",
}
_DONE: Final = {
    "approve": lazy("It is approved. A second person confirms the payment."),
    "force": lazy("It is approved despite the checks. A second person confirms the payment."),
    "reject": lazy("It is rejected; its amount is available to the reseller again."),
    "complete": lazy("It is paid; its amount has left the ledger's reserve."),
    "cancel": lazy("It is cancelled; its amount is available to the reseller again."),
}
_REASON_MAX: Final = 500


class PayoutPages:
    """The queue by status, and one payout with what may be done."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def browse(self, request: Request) -> Response:
        """Payouts of one status, the newest first; those that wait unless another is named."""
        visit = await self._gate.require_person(request, right="payouts.manage")
        wanted = request.query_params.get("status", "pending")
        status = next((each for each in STATUSES if each == wanted), None)
        page = PlacePage(size=PAGE_SIZE, after=read_place(request.query_params))
        async with self._db.statement() as tx:
            found = await list_claims(tx, shop_id=visit.person.shop_id, page=page, status=status)
        claims, has_more = page.cut(found)
        older = place_text((claims[-1].created_at, claims[-1].id)) if has_more else None
        return self._pages.page(
            "payouts.html",
            visit=visit,
            columns=read_columns(request, COLUMNS),
            claims=claims,
            chosen=status or "",
            statuses=STATUSES,
            paging=paging(request, older=older),
        )

    async def show(self, request: Request) -> Response:
        """One payout, its reseller's commission, and who has decided."""
        visit = await self._gate.require_person(request, right="payouts.manage")
        shop_id = visit.person.shop_id
        async with self._db.statement() as tx:
            claim = await read_claim(tx, shop_id=shop_id, claim_id=path_number(request, "payout"))
            reseller = await read_reseller(tx, shop_id=shop_id, reseller_id=claim.reseller_id)
            buckets = await read_buckets(tx, shop_id=shop_id, reseller_id=claim.reseller_id)
        mine = visit.person.email.casefold()
        return self._pages.page(
            "payout.html",
            visit=visit,
            claim=claim,
            reseller=reseller,
            buckets=buckets,
            is_asker=claim.asked_by.casefold() == mine,
            is_approver=claim.approved_by.casefold() == mine,
            done=_DONE.get(request.query_params.get("done", ""), ""),
        )

    async def decide(self, request: Request) -> Response:
        """Approve, reject, complete or cancel; the core refuses who may not take the step."""
        visit, form = await self._gate.require_form(request, right="payouts.manage")
        number, word = path_number(request, "payout"), form.get("action", "")
        action = _ACTIONS.get(word)
        if action is None:
            raise Invalid("invalid_input", gettext("The form names no action."))
        if action == "complete" and form.get("sure") != "on":
            raise Invalid(
                "invalid_input", gettext("Confirm that it was paid; this cannot be undone.")
            )
        shop_id = visit.person.shop_id
        decide = partial(
            _decide,
            shop_id=shop_id,
            number=number,
            action=action,
            reason=form.get("reason", "").replace("\x00", "").strip()[:_REASON_MAX],
            by=visit.person.email,
            now=self._clock.now(),
        )
        if action in {"reject", "cancel"} and not is_sure(form):
            async with self._db.trial() as tx:
                question = _question(await decide(tx), action=action)
            return ask(self._pages, request, visit=visit, form=form, question=question)
        async with self._db.begin() as tx:
            await decide(tx)
        return redirect(f"{PAYOUTS}/{number}?done={word}")


async def _decide(
    tx: Transaction,
    *,
    shop_id: int,
    number: int,
    action: ClaimAction,
    reason: str,
    by: str,
    now: datetime,
) -> Claim:
    claim = await read_claim(tx, shop_id=shop_id, claim_id=number)
    return await decide_claim(
        tx,
        shop_id=shop_id,
        reseller_id=claim.reseller_id,
        claim_id=number,
        action=action,
        reason=reason,
        by=by,
        now=now,
    )


def _question(claim: Claim, *, action: str) -> Question:
    """Before a payout is rejected, or an approved one cancelled."""
    is_reject = action == "reject"
    title = (
        gettext("Reject payout %(number)s?") if is_reject else gettext("Cancel payout %(number)s?")
    )
    return Question(
        title=title % {"number": claim.id},
        effects=[
            money_effect(
                claim.amount_minor,
                claim.currency,
                text=gettext("%(amount)s leaves the reserve and can be asked for again."),
            ),
            Effect(gettext("Reseller"), gettext("Reads the payout and its reason as decided.")),
        ],
        button=gettext("Reject now") if is_reject else gettext("Cancel now"),
        back=f"{PAYOUTS}/{claim.id}",
        here="money",
    )
