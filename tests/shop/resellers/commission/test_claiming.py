"""A payout..."""

import asyncio
from datetime import timedelta

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Conflict, CrossdockError, Invalid, NotFound, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.kit.paging import PlacePage
from crossdock.shop.alerts import list_alerts
from crossdock.shop.resellers import (
    Action,
    Claim,
    ClaimAction,
    ClaimStatus,
    Reseller,
    decide_claim,
    list_claims,
    move_reseller,
    watch_commissions,
)
from tests.support.earning import (
    book,
    buckets,
    claim,
    decide,
    faults,
    give_back,
    line,
    sold,
)
from tests.support.locks import waiting_for_a_lock
from tests.support.reselling import Reselling

ACTIONS: tuple[ClaimAction, ...] = ("approve", "force_approve", "reject", "complete", "cancel")


@pytest.fixture
async def selling(database: Database, clock: FrozenClock) -> Reselling:
    return await Reselling.open(database, clock, default_commission_bp=5000)


@pytest.fixture
async def reseller(selling: Reselling) -> Reseller:
    """A relationship with 100.00 available."""
    goods = await selling.licence()
    found, _ = await selling.reseller()
    await sold(selling, found, line(selling, goods, price_minor=20_000))
    return found


async def _refused(
    selling: Reselling, reseller: Reseller, amount_minor: int, **more: str
) -> CrossdockError:
    """The refusal of a request; nothing may be written then."""
    before = await buckets(selling, reseller)
    with pytest.raises(CrossdockError) as refused:
        await claim(selling, reseller, amount_minor, **more)
    assert await buckets(selling, reseller) == before
    async with selling.database.statement() as tx:
        found = await list_claims(tx, shop_id=selling.shop.id, page=PlacePage(size=1))
    assert found == []
    return refused.value


async def _move(selling: Reselling, reseller: Reseller, action: Action) -> None:
    async with selling.database.begin() as tx:
        await move_reseller(
            tx,
            shop_id=selling.shop.id,
            reseller_id=reseller.id,
            action=action,
            now=selling.clock.now(),
        )


async def _in(selling: Reselling, reseller: Reseller, status: str) -> Claim:
    """A claim of 20.00 in this state."""
    asked = await claim(selling, reseller, 2000)
    steps: dict[str, tuple[ClaimAction, ...]] = {
        "pending": (),
        "approved": ("approve",),
        "forced": ("force_approve",),
        "rejected": ("reject",),
        "completed": ("approve", "complete"),
        "cancelled": ("cancel",),
    }
    for action in steps[status]:
        asked = await decide(selling, reseller, asked.id, action)
    return asked


async def test_reserves_its_amount_and_is_told(selling: Reselling, reseller: Reseller) -> None:
    asked = await claim(selling, reseller, 2000, note="Weekly payout")

    assert (asked.status, asked.amount_minor, asked.currency, asked.note, asked.forced) == (
        "pending",
        2000,
        "USD",
        "Weekly payout",
        False,
    )
    assert await buckets(selling, reseller) == (0, 8000, 2000, 0)
    async with selling.database.statement() as tx:
        told = await tx.value(
            "select payload from events where shop_id = %s and kind = 'reseller.payout_requested'",
            (selling.shop.id,),
        )
    assert told == {
        "reseller_id": reseller.id,
        "email": "partner@example.com",
        "amount_minor": 2000,
        "currency": "USD",
        "asset": "USDT",
        "network": "TRON",
        "status": "pending",
    }
    assert await faults(selling) == []


async def test_of_all_that_is_available_is_granted_and_of_a_cent_more_is_not(
    selling: Reselling, reseller: Reseller
) -> None:
    refused = await _refused(selling, reseller, 10_001)
    assert isinstance(refused, Invalid)
    assert refused.data == {"field": "amount", "available_minor": 10_000}

    await claim(selling, reseller, 10_000)

    assert await buckets(selling, reseller) == (0, 0, 10_000, 0)


@pytest.mark.parametrize("amount", [0, -1])
async def test_is_of_an_amount(selling: Reselling, reseller: Reseller, amount: int) -> None:
    assert (await _refused(selling, reseller, amount)).data == {"field": "amount"}


@pytest.mark.parametrize("field", ["asset", "address"])
async def test_goes_somewhere(selling: Reselling, reseller: Reseller, field: str) -> None:
    assert (await _refused(selling, reseller, 1, **{field: " "})).data == {"field": field}


async def test_is_asked_for_when_the_threshold_is_available(
    selling: Reselling, reseller: Reseller
) -> None:
    await selling.set(min_payout_minor=10_001)
    refused = await _refused(selling, reseller, 5000)
    assert (type(refused), refused.code) == (Refused, "payout_below_threshold")
    await selling.set(min_payout_minor=10_000)

    await claim(selling, reseller, 5000)

    assert await buckets(selling, reseller) == (0, 5000, 5000, 0)


@pytest.mark.parametrize("action", ["suspend", "terminate"])
async def test_is_not_asked_for_by_who_is_not_active(
    selling: Reselling, reseller: Reseller, action: Action
) -> None:
    await _move(selling, reseller, action)
    refused = await _refused(selling, reseller, 1)
    assert (type(refused), refused.code) == (Conflict, "reseller_state")


# What each action makes of each state; every other one is refused.
DECISIONS: dict[tuple[str, ClaimAction], ClaimStatus] = {
    ("pending", "approve"): "approved",
    ("pending", "force_approve"): "approved",
    ("pending", "reject"): "rejected",
    ("pending", "cancel"): "cancelled",
    ("approved", "approve"): "approved",
    ("approved", "complete"): "completed",
    ("approved", "cancel"): "cancelled",
    ("forced", "force_approve"): "approved",
    ("forced", "complete"): "completed",
    ("forced", "cancel"): "cancelled",
    ("rejected", "reject"): "rejected",
    ("completed", "complete"): "completed",
    ("cancelled", "cancel"): "cancelled",
}
WHERE: dict[str, tuple[int, int, int, int]] = {
    "pending": (0, 8000, 2000, 0),
    "approved": (0, 8000, 2000, 0),
    "forced": (0, 8000, 2000, 0),
    "rejected": (0, 10_000, 0, 0),
    "cancelled": (0, 10_000, 0, 0),
    "completed": (0, 8000, 0, 2000),
}


@pytest.mark.parametrize(
    "before", ["pending", "approved", "forced", "rejected", "completed", "cancelled"]
)
async def test_is_decided_as_the_table_says(
    selling: Reselling, reseller: Reseller, before: str
) -> None:
    taken = 0
    for action in ACTIONS:
        asked = await _in(selling, reseller, before)
        to = DECISIONS.get((before, action))
        if to is None:
            with pytest.raises(Conflict) as refused:
                await decide(selling, reseller, asked.id, action)
            assert refused.value.code == "reseller_state"
            after = before
        else:
            found = await decide(selling, reseller, asked.id, action)
            assert found.status == to
            assert await decide(selling, reseller, asked.id, action) == found
            after = to
        pending, available, reserved, paid = WHERE[after]
        assert await buckets(selling, reseller) == (
            pending,
            available - taken,
            reserved,
            paid + taken,
        )
        if after in {"pending", "approved", "forced"}:
            await decide(selling, reseller, asked.id, "cancel")
        taken += 2000 if after == "completed" else 0
    assert await faults(selling) == []


async def test_of_somebody_who_was_suspended_is_approved_by_force_alone(
    selling: Reselling, reseller: Reseller
) -> None:
    first, second = await claim(selling, reseller, 2000), await claim(selling, reseller, 1000)
    await _move(selling, reseller, "terminate")

    with pytest.raises(Conflict):
        await decide(selling, reseller, first.id, "approve")
    forced = await decide(selling, reseller, first.id, "force_approve")
    assert (forced.status, forced.forced) == ("approved", True)
    assert (await decide(selling, reseller, second.id, "reject")).status == "rejected"
    assert (await decide(selling, reseller, first.id, "complete")).forced


async def test_below_a_threshold_of_today_is_approved_by_force_alone(
    selling: Reselling, reseller: Reseller
) -> None:
    asked = await claim(selling, reseller, 2000)
    await selling.set(min_payout_minor=10_000)
    assert (await decide(selling, reseller, asked.id, "approve")).status == "approved"

    await decide(selling, reseller, asked.id, "cancel")
    again = await claim(selling, reseller, 2000)
    await selling.set(min_payout_minor=10_001)
    with pytest.raises(Refused) as refused:
        await decide(selling, reseller, again.id, "approve")
    assert refused.value.code == "payout_below_threshold"
    assert (await decide(selling, reseller, again.id, "force_approve")).status == "approved"


async def test_that_was_paid_out_leaves_a_debt_after_a_refund(
    selling: Reselling, reseller: Reseller
) -> None:
    goods = await selling.licence()
    order_id = await sold(selling, reseller, line(selling, goods, price_minor=6000))
    first, second = await claim(selling, reseller, 12_000), await claim(selling, reseller, 500)
    await decide(selling, reseller, first.id, "approve")
    await decide(selling, reseller, first.id, "complete")

    await give_back(selling, order_id)
    await book(selling)

    assert await buckets(selling, reseller) == (0, -2500, 500, 12_000)
    with pytest.raises(Invalid):
        await claim(selling, reseller, 1)
    with pytest.raises(Conflict) as refused:
        await decide(selling, reseller, second.id, "approve")
    assert refused.value.data == {"available_minor": -2500}
    assert (await decide(selling, reseller, second.id, "force_approve")).status == "approved"
    assert await faults(selling) == []


async def test_of_another_relationship_is_not_found(selling: Reselling, reseller: Reseller) -> None:
    other, _ = await selling.reseller("other@example.com")
    asked = await claim(selling, reseller, 2000)

    for wrong, number in ((other, asked.id), (reseller, asked.id + 10**9)):
        with pytest.raises(NotFound):
            await decide(selling, wrong, number, "cancel")
    assert await buckets(selling, reseller) == (0, 8000, 2000, 0)


@pytest.mark.parametrize(
    ("first", "second", "codes"),
    [
        ("approve", "approve", None),
        ("approve", "reject", "reseller_state"),
        ("complete", "cancel", "reseller_state"),
        ("cancel", "complete", "reseller_state"),
    ],
)
async def test_is_decided_once_when_two_decide_at_once(
    selling: Reselling,
    reseller: Reseller,
    first: ClaimAction,
    second: ClaimAction,
    codes: str | None,
) -> None:
    asked = await _in(selling, reseller, "approved" if "complete" in {first, second} else "pending")
    async with selling.database.begin() as tx:
        made = await decide_claim(
            tx,
            shop_id=selling.shop.id,
            reseller_id=reseller.id,
            claim_id=asked.id,
            action=first,
            now=selling.clock.now(),
        )
        other = asyncio.create_task(decide(selling, reseller, asked.id, second))
        await waiting_for_a_lock(selling.database, behind=tx)

    if codes is None:
        assert await other == made
    else:
        with pytest.raises(Conflict) as refused:
            await other
        assert refused.value.code == codes
    after = {"approve": "approved", "complete": "completed", "cancel": "cancelled"}[first]
    assert await buckets(selling, reseller) == WHERE[after]
    assert await faults(selling) == []


async def test_is_not_asked_for_twice_of_the_same_money(
    selling: Reselling, reseller: Reseller
) -> None:
    answers = await asyncio.gather(
        *(claim(selling, reseller, 3000) for _ in range(5)), return_exceptions=True
    )

    assert sum(isinstance(each, Claim) for each in answers) == 3
    assert sum(isinstance(each, Invalid) for each in answers) == 2
    assert await buckets(selling, reseller) == (0, 1000, 9000, 0)
    assert await faults(selling) == []


async def test_that_nobody_decides_is_told_once_and_so_is_commission_that_nobody_releases(
    selling: Reselling, reseller: Reseller, clock: FrozenClock
) -> None:
    goods = await selling.licence()
    await sold(selling, reseller, line(selling, goods), hold=timedelta(days=1))
    waiting = await claim(selling, reseller, 2000)
    done = await claim(selling, reseller, 1000)
    await decide(selling, reseller, done.id, "cancel")
    week, asked_at = timedelta(days=7), clock.now()

    async def told(after: timedelta) -> list[tuple[str, str]]:
        await watch_commissions(selling.database, payout_overdue=week, now=asked_at + after)
        async with selling.database.statement() as tx:
            found = await list_alerts(tx, shop_id=selling.shop.id)
        return sorted((each.kind, each.message) for each in found)

    assert await told(timedelta(days=1, minutes=59)) == []
    late = (
        "commission_unreleased",
        "Commission of partner@example.com for 1 order is due and was not released; see the log.",
    )
    assert await told(timedelta(days=1, hours=1)) == [late]
    overdue = (
        "payout_overdue",
        f"Payout {waiting.id} of 20.00 USD to partner@example.com is pending for too long.",
    )
    for _ in range(2):
        assert await told(week) == [late, overdue]


async def test_is_approved_by_another_than_who_asked_and_completed_by_yet_another(
    selling: Reselling, reseller: Reseller
) -> None:
    async def step(number: int, action: ClaimAction, by: str) -> Claim:
        async with selling.database.begin() as tx:
            return await decide_claim(
                tx,
                shop_id=selling.shop.id,
                reseller_id=reseller.id,
                claim_id=number,
                action=action,
                by=by,
                now=selling.clock.now(),
            )

    async def refused(number: int, action: ClaimAction, by: str) -> None:
        before = await buckets(selling, reseller)
        with pytest.raises(Refused) as told:
            await step(number, action, by)
        assert told.value.code == "permission_denied"
        assert await buckets(selling, reseller) == before

    asked = await claim(selling, reseller, 2_000)
    assert asked.asked_by == reseller.email
    approvals: tuple[ClaimAction, ...] = ("approve", "force_approve")
    for action in approvals:
        await refused(asked.id, action, reseller.email.upper())
    approved = await step(asked.id, "force_approve", "noor@shop.example")
    assert (approved.approved_by, approved.forced) == ("noor@shop.example", True)
    await refused(asked.id, "complete", "Noor@shop.example")
    completed = await step(asked.id, "complete", "ada@shop.example")

    assert (completed.status, completed.approved_by) == ("completed", "noor@shop.example")
    assert await faults(selling) == []


async def test_may_be_cancelled_by_who_approved_it(selling: Reselling, reseller: Reseller) -> None:
    asked = await claim(selling, reseller, 2_000)
    steps: tuple[tuple[ClaimAction, ClaimStatus], ...] = (
        ("approve", "approved"), ("cancel", "cancelled"),
    )  # fmt: skip
    for action, status in steps:
        async with selling.database.begin() as tx:
            made = await decide_claim(
                tx,
                shop_id=selling.shop.id,
                reseller_id=reseller.id,
                claim_id=asked.id,
                action=action,
                by="noor@shop.example",
                now=selling.clock.now(),
            )
        assert made.status == status
