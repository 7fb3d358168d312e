"""Payouts: a reseller claims what it earned, and the shop decides (spec shoppex_reseller 6.7, 8.3, 9.5).

| action | from | to | its amount goes |
|---|---|---|---|
| request | | pending | from available to reserved |
| approve, force_approve | pending | approved | nowhere |
| reject | pending | rejected | back to available |
| complete | approved | completed | out |
| cancel | pending, approved | cancelled | back to available |

Two people are behind each payout: who asked for it does not approve it, and who approved it, by force or not, does
not complete it. A program's key and a command are nobody: there, whoever holds them answers for it.

The action that made the state, again, changes nothing; any other is refused. All of it is behind the lock of the
relationship, so that two decisions follow each other.
"""

from datetime import datetime
from typing import Any, Literal

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, NotFound, Refused
from crossdock.kit.paging import PlacePage
from crossdock.shop.events import ResellerPayoutRequested, write_event
from crossdock.shop.ledger import Account, Transfer, post_transfers
from crossdock.shop.resellers.commission.earning import commission_owner
from crossdock.shop.resellers.model import Status

ClaimStatus = Literal["pending", "approved", "rejected", "completed", "cancelled"]
ClaimAction = Literal["approve", "force_approve", "reject", "complete", "cancel"]

_FROM: dict[ClaimAction, tuple[ClaimStatus, ...]] = {
    "approve": ("pending",),
    "force_approve": ("pending",),
    "reject": ("pending",),
    "complete": ("approved",),
    "cancel": ("pending", "approved"),
}
_TO: dict[ClaimAction, ClaimStatus] = {
    "approve": "approved",
    "force_approve": "approved",
    "reject": "rejected",
    "complete": "completed",
    "cancel": "cancelled",
}


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A payout that was asked for: in which asset, over which network, to which address. `reason` is the shop's."""

    id: int
    reseller_id: int
    status: ClaimStatus
    amount_minor: int
    currency: str
    asset: str
    network: str
    address: str
    note: str
    reason: str
    forced: bool
    asked_by: str
    approved_by: str
    created_at: datetime
    updated_at: datetime
    approved_at: datetime | None
    completed_at: datetime | None
    rejected_at: datetime | None
    cancelled_at: datetime | None


class NewClaim(msgspec.Struct, frozen=True, kw_only=True):
    """What a reseller asks for."""

    amount_minor: int
    asset: str
    network: str
    address: str
    note: str = ""


async def request_payout(
    tx: Transaction,
    *,
    shop_id: int,
    reseller_id: int,
    claim: NewClaim,
    now: datetime,
    by: str = "",
) -> Claim:
    """Claim an amount of what is available, and reserve it. `by` is the e-mail of who
    asks in the reseller's name.

    Raises NotFound `not_found`; Conflict `reseller_state` unless the relationship is active; Invalid `invalid_input`
    for an amount that is none or is more than is available, and for an empty asset or address; Refused
    `payout_below_threshold` where less is available than the programme asks for.
    """
    for field in ("asset", "address"):
        if not getattr(claim, field).strip():
            raise Invalid("invalid_input", "Say where it is to be paid to.", {"field": field})
    if claim.amount_minor <= 0:
        raise Invalid("invalid_input", "An amount is above zero.", {"field": "amount"})
    facts = await _lock(tx, shop_id=shop_id, reseller_id=reseller_id)
    if facts.status != "active":
        raise _not_now(f"The reseller is {facts.status}.", status=facts.status)
    if facts.threshold_minor and facts.available_minor < facts.threshold_minor:
        raise _below(facts, facts.available_minor)
    if claim.amount_minor > facts.available_minor:
        data = {"field": "amount", "available_minor": facts.available_minor}
        raise Invalid("invalid_input", "More than is available.", data)
    values = {"shop": shop_id, "reseller": reseller_id, "currency": facts.currency, "now": now,
              "by": by or facts.email}  # fmt: skip
    claim_id = await tx.value(_ADD, values | msgspec.structs.asdict(claim))
    await _move_amount(
        tx,
        shop_id=shop_id,
        reseller_id=reseller_id,
        amount_minor=claim.amount_minor,
        currency=facts.currency,
        fact="payout_reserved",
        claim_id=int(claim_id),
        now=now,
    )
    event = ResellerPayoutRequested(
        reseller_id=reseller_id,
        email=facts.email,
        amount_minor=claim.amount_minor,
        currency=facts.currency,
        asset=claim.asset,
        network=claim.network,
        status="pending",
    )
    await write_event(tx, shop_id=shop_id, event=event, subject_id=claim_id, now=now)
    return await read_claim(tx, shop_id=shop_id, reseller_id=reseller_id, claim_id=claim_id)


async def decide_claim(
    tx: Transaction,
    *,
    shop_id: int,
    reseller_id: int,
    claim_id: int,
    action: ClaimAction,
    now: datetime,
    reason: str = "",
    by: str = "",
) -> Claim:
    """Approve, reject, complete or cancel a claim, as the table says. Returns it. `by` is the e-mail of who decides.

    Raises NotFound `not_found`; Conflict `reseller_state` for a state that the action does not begin in; Refused
    `permission_denied` where the table needs a second person. Without force
    an approval also raises it unless the relationship is active, and while it owes commission that was paid out;
    and Refused `payout_below_threshold` where all that it may claim is less than the programme asks for now.
    """
    facts = await _lock(tx, shop_id=shop_id, reseller_id=reseller_id)
    claim = await read_claim(tx, shop_id=shop_id, reseller_id=reseller_id, claim_id=claim_id)
    if _is_done(claim, action):
        return claim
    if claim.status not in _FROM[action]:
        raise _not_now(f"The payout is {claim.status}.", status=claim.status)
    _check_second_person(claim, action, by=by)
    if action == "approve":
        _check_approval(facts)
    values = {
        "status": _TO[action],
        "forced": action == "force_approve",
        "reason": reason,
        "by": by,
        "now": now,
        "shop": shop_id,
        "id": claim_id,
    }
    await tx.run(_MOVE, values)
    if fact := _FACTS.get(action):
        await _move_amount(
            tx,
            shop_id=shop_id,
            reseller_id=reseller_id,
            amount_minor=claim.amount_minor,
            currency=claim.currency,
            fact=fact,
            claim_id=claim_id,
            now=now,
        )
    return await read_claim(tx, shop_id=shop_id, reseller_id=reseller_id, claim_id=claim_id)


async def read_claim(
    tx: Transaction, *, shop_id: int, claim_id: int, reseller_id: int | None = None
) -> Claim:
    """A claim of the relationship, or of any. Raises NotFound `not_found`."""
    row = await tx.one(
        f"{_SELECT} where shop_id = %s and (%s::bigint is null or reseller_id = %s) and id = %s",
        (shop_id, reseller_id, reseller_id, claim_id),
    )
    if row is None:
        raise NotFound("not_found", "There is no such payout.")
    return _claim(row)


async def list_claims(
    tx: Transaction,
    *,
    shop_id: int,
    page: PlacePage,
    reseller_id: int | None = None,
    status: ClaimStatus | None = None,
) -> list[Claim]:
    """A page of the claims of a relationship, or of all, newest first; one more if there are more."""
    chosen = {"shop": shop_id, "reseller": reseller_id, "status": status}
    return [_claim(row) for row in await tx.all(_PAGE, page.bounds() | chosen)]


class _Facts(msgspec.Struct, frozen=True, kw_only=True):
    status: Status
    email: str
    currency: str
    threshold_minor: int
    available_minor: int
    reserved_minor: int


async def _lock(tx: Transaction, *, shop_id: int, reseller_id: int) -> _Facts:
    """Lock the relationship, then its available commission, and read what decides."""
    locked = await tx.value(
        "select true from resellers where shop_id = %s and id = %s for no key update",
        (shop_id, reseller_id),
    )
    if not locked:
        raise NotFound("not_found", "There is no such reseller.")
    values = {"shop": shop_id, "id": reseller_id, "owner": commission_owner(reseller_id)}
    await tx.run(_LOCK_AVAILABLE, values)
    row = await tx.one(_READ_FACTS, values)
    assert row is not None  # it is locked
    return msgspec.convert(dict(zip(_Facts.__struct_fields__, row, strict=True)), _Facts)


def _is_done(claim: Claim, action: ClaimAction) -> bool:
    """Whether this action made the claim's state."""
    if claim.status != _TO[action]:
        return False
    return claim.status != "approved" or claim.forced == (action == "force_approve")


def _check_second_person(claim: Claim, action: ClaimAction, *, by: str) -> None:
    if not by:
        return
    if action in {"approve", "force_approve"} and by.casefold() == claim.asked_by.casefold():
        raise Refused("permission_denied", "Who asked for a payout does not approve it.")
    if action == "complete" and by.casefold() == claim.approved_by.casefold():
        raise Refused("permission_denied", "Who approved a payout does not complete it.")


def _check_approval(facts: _Facts) -> None:
    if facts.status != "active":
        raise _not_now(f"The reseller is {facts.status}.", status=facts.status)
    if facts.available_minor < 0:
        message = "The reseller owes commission of sales that were refunded."
        raise _not_now(message, available_minor=facts.available_minor)
    if facts.available_minor + facts.reserved_minor < facts.threshold_minor:
        raise _below(facts, facts.available_minor + facts.reserved_minor)


def _not_now(message: str, **data: Any) -> Conflict:
    return Conflict("reseller_state", message, data)


def _below(facts: _Facts, minor: int) -> Refused:
    data = {"threshold_minor": facts.threshold_minor, "available_minor": minor}
    return Refused("payout_below_threshold", data=data)


async def _move_amount(
    tx: Transaction,
    *,
    shop_id: int,
    reseller_id: int,
    amount_minor: int,
    currency: str,
    fact: str,
    claim_id: int,
    now: datetime,
) -> None:
    owner = commission_owner(reseller_id)
    available, reserved = Account("reseller_available", owner), Account("reseller_reserved", owner)
    debit, credit = {
        "payout_reserved": (available, reserved),
        "payout_released": (reserved, available),
        "payout": (reserved, Account("bank")),
    }[fact]
    transfer = Transfer(
        debit=debit,
        credit=credit,
        amount_minor=amount_minor,
        currency=currency,
        kind=fact,
        reason=f"payout {claim_id}",
    )
    await post_transfers(tx, shop_id=shop_id, transfers=[transfer], now=now)


def _claim(row: tuple[Any, ...]) -> Claim:
    return msgspec.convert(dict(zip(Claim.__struct_fields__, row, strict=True)), Claim)


_FACTS: dict[ClaimAction, str] = {
    "reject": "payout_released",
    "cancel": "payout_released",
    "complete": "payout",
}
_LOCK_AVAILABLE = """
    select 1 from accounts a join shops s on s.id = a.shop_id and s.currency = a.currency
    where a.shop_id = %(shop)s and a.kind = 'reseller_available' and a.owner = %(owner)s for no key update of a
"""
_READ_FACTS = """
    select r.status, r.email, s.currency, coalesce(g.min_payout_minor, 0),
           coalesce(sum(a.balance_minor) filter (where a.kind = 'reseller_available'), 0)::bigint,
           coalesce(sum(a.balance_minor) filter (where a.kind = 'reseller_reserved'), 0)::bigint
    from resellers r join shops s on s.id = r.shop_id
    left join reseller_programs g on g.shop_id = r.shop_id
    left join accounts a on a.shop_id = r.shop_id and a.owner = %(owner)s and a.currency = s.currency
      and a.kind in ('reseller_available', 'reseller_reserved')
    where r.shop_id = %(shop)s and r.id = %(id)s
    group by r.status, r.email, s.currency, g.min_payout_minor
"""
_ADD = """
    insert into reseller_claims (shop_id, reseller_id, amount_minor, currency, asset, network, address, note,
                                 asked_by, created_at, updated_at)
    values (%(shop)s, %(reseller)s, %(amount_minor)s, %(currency)s, %(asset)s, %(network)s, %(address)s, %(note)s,
            %(by)s, %(now)s, %(now)s)
    returning id
"""
_MOVE = """
    update reseller_claims
    set status = %(status)s, forced = forced or %(forced)s, updated_at = %(now)s,
        reason = coalesce(nullif(%(reason)s, ''), reason),
        approved_at = case when %(status)s = 'approved' then %(now)s else approved_at end,
        approved_by = case when %(status)s = 'approved' then %(by)s else approved_by end,
        completed_at = case when %(status)s = 'completed' then %(now)s end,
        rejected_at = case when %(status)s = 'rejected' then %(now)s end,
        cancelled_at = case when %(status)s = 'cancelled' then %(now)s end
    where shop_id = %(shop)s and id = %(id)s
"""
_COLUMNS = ", ".join(Claim.__struct_fields__)
_SELECT = f"select {_COLUMNS} from reseller_claims"
_PAGE = f"""
    {_SELECT}
    where shop_id = %(shop)s and (%(reseller)s::bigint is null or reseller_id = %(reseller)s)
      and (%(status)s::text is null or status = %(status)s)
      and (created_at, id) < (%(after_time)s::timestamptz, %(after_id)s)
    order by created_at desc, id desc limit %(size)s
"""
