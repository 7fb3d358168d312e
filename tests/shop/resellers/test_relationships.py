"""A relationship with a reseller..."""

import asyncio
import contextlib
from datetime import timedelta

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError, Invalid, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.kit.paging import PlacePage
from crossdock.shop.partners import (
    BearerTokens,
    Callers,
    enable_credential,
    refuse_kept_by_others,
    rotate_secret,
)
from crossdock.shop.resellers import (
    Action,
    NewInvitation,
    ProductTerms,
    Program,
    ProgramChanges,
    Reseller,
    ResellerTerms,
    accept_invitation,
    add_key,
    change_program,
    change_terms,
    credit,
    invite,
    list_resellers,
    move_reseller,
    read_balance,
    read_program,
    read_reseller,
)
from tests.support.factories import box, make_shop
from tests.support.locks import waiting_for_a_lock
from tests.support.reselling import CHANNEL, Reselling


@pytest.fixture
async def selling(database: Database, clock: FrozenClock) -> Reselling:
    return await Reselling.open(database, clock)


async def _invite(
    selling: Reselling, email: str = "partner@example.com", days: int = 7, **terms: object
) -> NewInvitation:
    async with selling.database.begin() as tx:
        return await invite(
            tx,
            shop_id=selling.shop.id,
            email=email,
            terms=ResellerTerms(**terms),  # type: ignore[arg-type]
            ids=RandomIds(),
            now=selling.clock.now(),
            expires_in_days=days,
        )


async def _accept(selling: Reselling, token: str) -> Reseller:
    async with selling.database.begin() as tx:
        return await accept_invitation(
            tx, token=token, channel=CHANNEL, ids=RandomIds(), now=selling.clock.now()
        )


async def _move(selling: Reselling, reseller: Reseller, action: Action) -> Reseller:
    async with selling.database.begin() as tx:
        return await move_reseller(
            tx,
            shop_id=selling.shop.id,
            reseller_id=reseller.id,
            action=action,
            now=selling.clock.now(),
        )


async def _key(selling: Reselling, reseller: Reseller) -> str:
    async with selling.database.begin() as tx:
        made = await add_key(
            tx,
            shop_id=selling.shop.id,
            reseller_id=reseller.id,
            prefix="shr_",
            ids=RandomIds(),
            box=box(),
        )
    return made.secret


async def _works(selling: Reselling, token: str) -> bool:
    callers = Callers(selling.database, channel=CHANNEL, box=box(), clock=selling.clock)
    with contextlib.suppress(Refused):
        await BearerTokens(callers, prefix="shr_").verify(token=token, rate_limit_per_minute=0)
        return True
    return False


async def _kinds(selling: Reselling) -> list[str]:
    async with selling.database.statement() as tx:
        rows = await tx.all(
            "select kind from events where shop_id = %s and topic = 'resellers' order by id",
            (selling.shop.id,),
        )
    return [row[0] for row in rows]


async def test_begins_with_the_acceptance_of_its_invitation(selling: Reselling) -> None:
    licence = await selling.licence("K-1")
    terms = (ProductTerms(product_id=licence.product_id, commission_bp=3000, max_quantity=100),)
    invited = await _invite(
        selling, mode="stock", commission_bp=3000, limit_daily=50, products=terms
    )
    assert invited.token not in repr(invited)
    assert invited.mailed_token not in repr(invited)
    assert invited.invitation.expires_at - invited.invitation.created_at == timedelta(days=7)

    reseller = await _accept(selling, invited.token)

    assert (reseller.status, reseller.mode, reseller.email) == (
        "active",
        "stock",
        "partner@example.com",
    )
    assert (reseller.commission_bp, reseller.discount_bp) == (3000, None)
    assert (reseller.limit_daily, reseller.limit_monthly) == (50, None)
    assert reseller.products == terms
    assert reseller.invitation_id == invited.invitation.id
    assert reseller.verified_at == selling.clock.now()
    assert reseller.attribution_code.startswith("r-")
    assert await _kinds(selling) == ["reseller.invited", "reseller.accepted"]


async def test_takes_the_programmes_mode_and_every_product_unless_told_otherwise(
    selling: Reselling,
) -> None:
    everything = await _accept(selling, (await _invite(selling)).token)
    nothing = await _accept(selling, (await _invite(selling, "b@example.com", products=())).token)
    assert (everything.mode, everything.products, nothing.products) == ("both", None, ())


async def test_begins_by_the_token_that_was_mailed_as_well_and_once(selling: Reselling) -> None:
    invited = await _invite(selling)
    assert invited.mailed_token != invited.token
    reseller = await _accept(selling, invited.mailed_token)
    assert reseller.invitation_id == invited.invitation.id
    with pytest.raises(CrossdockError) as refused:
        await _accept(selling, invited.token)
    assert refused.value.code == "reseller_state"


async def test_begins_once(selling: Reselling, database: Database) -> None:
    invited = await _invite(selling)
    async with database.begin() as tx:
        await accept_invitation(
            tx, token=invited.token, channel=CHANNEL, ids=RandomIds(), now=selling.clock.now()
        )
        second = asyncio.create_task(_accept(selling, invited.token))
        await waiting_for_a_lock(database, behind=tx)
    with pytest.raises(CrossdockError) as refused:
        await second
    assert refused.value.code == "reseller_state"


async def test_that_is_accepted_and_invited_again_at_once_is_one_or_the_other(
    selling: Reselling, database: Database
) -> None:
    invited = await _invite(selling)
    async with database.begin() as tx:
        await tx.run(
            "select 1 from reseller_programs where shop_id = %s for no key update",
            (selling.shop.id,),
        )
        both = [
            asyncio.create_task(_accept(selling, invited.token)),
            asyncio.create_task(_invite(selling)),
        ]
        await waiting_for_a_lock(database, behind=tx, count=2)
    done = await asyncio.gather(*both, return_exceptions=True)

    [refused] = [each.code for each in done if isinstance(each, CrossdockError)]
    assert refused in {"reseller_state", "exists"}


async def test_does_not_begin_with_an_invitation_that_is_over(
    selling: Reselling, clock: FrozenClock
) -> None:
    first = await _invite(selling)
    second = await _invite(selling, "Partner@Example.com", days=1)
    with pytest.raises(CrossdockError) as revoked:
        await _accept(selling, first.token)
    clock.move(timedelta(days=1))
    with pytest.raises(CrossdockError) as expired:
        await _accept(selling, second.token)
    with pytest.raises(CrossdockError) as unknown:
        await _accept(selling, "nonsense")
    assert (revoked.value.data, expired.value.data) == ({"state": "revoked"}, {"state": "expired"})
    assert unknown.value.code == "not_found"


async def test_is_the_only_one_of_an_address_until_it_is_terminated(selling: Reselling) -> None:
    reseller = await _accept(selling, (await _invite(selling)).token)
    with pytest.raises(CrossdockError) as refused:
        await _invite(selling, "PARTNER@example.com")
    assert refused.value.code == "exists"
    await _move(selling, reseller, "terminate")
    again = await _accept(selling, (await _invite(selling)).token)
    assert again.id != reseller.id


async def test_needs_a_programme(database: Database, clock: FrozenClock) -> None:
    selling = await Reselling.open(database, clock)
    invited = await _invite(selling)
    await selling.set(enabled=False)
    for refused in (_invite(selling, "b@example.com"), _accept(selling, invited.token)):
        with pytest.raises(CrossdockError) as disabled:
            await refused
        assert disabled.value.code == "program_disabled"


@pytest.mark.parametrize(
    ("email", "days", "field"),
    [("nobody", 7, "email"), ("a@example.com", 0, "expires_in_days"), ("a@b.example", 91, None)],
)
async def test_is_not_offered_to_nobody_or_for_ever(
    selling: Reselling, email: str, days: int, field: str | None
) -> None:
    with pytest.raises(CrossdockError) as refused:
        await _invite(selling, email, days)
    assert refused.value.data["field"] == field or field is None


async def test_is_about_products_of_the_shop_named_once(selling: Reselling) -> None:
    licence = await selling.licence("K-1")
    known, unknown = ProductTerms(product_id=licence.product_id), ProductTerms(product_id=1)
    for products, place in (((known, unknown), 1), ((known, known), 1)):
        with pytest.raises(CrossdockError) as refused:
            await _invite(selling, products=products)
        assert (refused.value.code, refused.value.data["place"]) == ("invalid_input", place)


async def test_has_no_terms_whose_bounds_cross(selling: Reselling) -> None:
    licence = await selling.licence("K-1")
    units = ProductTerms(product_id=licence.product_id, min_quantity=3, max_quantity=2)
    prices = ProductTerms(product_id=licence.product_id, min_resale_minor=500, max_resale_minor=499)
    for terms, name in ((units, "max_quantity"), (prices, "max_resale_minor")):
        with pytest.raises(CrossdockError) as refused:
            await _invite(selling, products=(terms,))
        assert (refused.value.code, refused.value.data["names"]) == ("invalid_input", [name])
    equal = ProductTerms(product_id=licence.product_id, min_quantity=2, max_quantity=2)
    reseller, _ = await selling.reseller(products=(equal,))
    assert reseller.products == (equal,)


async def test_awaits_approval_where_the_shop_verifies(selling: Reselling) -> None:
    await selling.set(requires_verification=True)
    reseller = await _accept(selling, (await _invite(selling)).token)
    assert (reseller.status, reseller.verified_at) == ("invited", None)
    with pytest.raises(CrossdockError) as early:
        await _key(selling, reseller)
    assert early.value.code == "reseller_state"
    approved = await _move(selling, reseller, "approve")
    assert (approved.status, approved.verified_at) == ("active", selling.clock.now())
    assert await _works(selling, await _key(selling, approved))


async def test_that_is_suspended_has_keys_that_do_not_work_until_it_is_active_again(
    selling: Reselling,
) -> None:
    reseller = await _accept(selling, (await _invite(selling)).token)
    key = await _key(selling, reseller)
    assert await _works(selling, key)
    suspended = await _move(selling, reseller, "suspend")
    assert (suspended.status, await _works(selling, key)) == ("suspended", False)
    assert await _move(selling, reseller, "suspend") == suspended
    active = await _move(selling, reseller, "reactivate")
    assert (active.status, active.suspended_at, await _works(selling, key)) == (
        "active",
        None,
        True,
    )


async def test_that_is_terminated_is_so_for_ever_and_keeps_its_balance(selling: Reselling) -> None:
    reseller, _ = await selling.reseller(credit_minor=700)
    key = await _key(selling, reseller)
    ended = await _move(selling, reseller, "terminate")
    assert (ended.status, await _works(selling, key)) == ("terminated", False)
    assert await _move(selling, reseller, "terminate") == ended
    for action in ("approve", "suspend", "reactivate"):
        with pytest.raises(CrossdockError) as refused:
            await _move(selling, reseller, action)
        assert refused.value.code == "reseller_state"
    async with selling.database.begin() as tx:
        with pytest.raises(CrossdockError) as fixed:
            await change_terms(
                tx,
                shop_id=selling.shop.id,
                reseller_id=reseller.id,
                terms=ResellerTerms(mode="both"),
                now=selling.clock.now(),
            )
        balance = await read_balance(tx, shop_id=selling.shop.id, reseller_id=reseller.id)
        live = await tx.value(
            "select count(*) from credentials where partner_id = %s and disabled_at is null",
            (reseller.partner_id,),
        )
    assert (fixed.value.code, balance.balance_minor, live) == ("reseller_state", 700, 0)


async def test_changes_what_is_given_and_keeps_the_rest(selling: Reselling) -> None:
    licence = await selling.licence("K-1")
    reseller, _ = await selling.reseller(commission_bp=100, limit_daily=5)

    async def change(**terms: object) -> Reseller:
        async with selling.database.begin() as tx:
            return await change_terms(
                tx,
                shop_id=selling.shop.id,
                reseller_id=reseller.id,
                terms=ResellerTerms(**terms),  # type: ignore[arg-type]
                now=selling.clock.now(),
            )

    only = (ProductTerms(product_id=licence.product_id),)
    changed = await change(limit_daily=None, products=only)
    assert (changed.limit_daily, changed.commission_bp, changed.products) == (None, 100, only)
    assert (await change(mode="stock")).products == only
    assert (await change(products=())).products == ()
    assert (await change(products=None)).products is None


async def test_is_listed_with_the_others_newest_first_by_pages(
    selling: Reselling, clock: FrozenClock
) -> None:
    made = []
    for number in range(5):
        clock.move(timedelta(seconds=number % 2))
        made.append((await selling.reseller(f"r{number}@example.com"))[0])
    await _move(selling, made[0], "suspend")
    found: list[int] = []
    after = None
    while True:
        async with selling.database.statement() as tx:
            asked = PlacePage(size=1, after=after)
            page, more = asked.cut(await list_resellers(tx, shop_id=selling.shop.id, page=asked))
        found += [each.id for each in page]
        if not more:
            break
        after = (page[-1].created_at, page[-1].id)
    assert found == [each.id for each in reversed(made)]
    async with selling.database.statement() as tx:
        suspended = await list_resellers(
            tx, shop_id=selling.shop.id, page=PlacePage(size=9), status="suspended"
        )
        named = await list_resellers(
            tx, shop_id=selling.shop.id, page=PlacePage(size=9), email="R1@example.com"
        )
    assert [each.id for each in suspended] == [made[0].id]
    assert [each.id for each in named] == [made[1].id]


async def test_of_another_shop_is_not_there(selling: Reselling, database: Database) -> None:
    reseller, _ = await selling.reseller()
    async with database.begin() as tx:
        other = await make_shop(tx)
        for refused in (
            read_reseller(tx, shop_id=other.id, reseller_id=reseller.id),
            read_balance(tx, shop_id=other.id, reseller_id=reseller.id),
        ):
            with pytest.raises(CrossdockError) as foreign:
                await refused
            assert foreign.value.code == "not_found"
    with pytest.raises(CrossdockError) as foreign:
        async with database.begin() as tx:
            await move_reseller(
                tx,
                shop_id=other.id,
                reseller_id=reseller.id,
                action="suspend",
                now=selling.clock.now(),
            )
    assert foreign.value.code == "not_found"


async def test_has_a_balance_that_never_falls_below_nothing(selling: Reselling) -> None:
    reseller, _ = await selling.reseller(credit_minor=500)
    with pytest.raises(CrossdockError) as refused:
        async with selling.database.begin() as tx:
            await credit(
                tx,
                shop_id=selling.shop.id,
                reseller_id=reseller.id,
                amount_minor=-501,
                now=selling.clock.now(),
            )
    assert refused.value.code == "balance_insufficient"
    with pytest.raises(CrossdockError) as nothing:
        async with selling.database.begin() as tx:
            await selling.credit(tx, reseller, 0)
    assert nothing.value.code == "invalid_input"
    async with selling.database.begin() as tx:
        left = await credit(
            tx,
            shop_id=selling.shop.id,
            reseller_id=reseller.id,
            amount_minor=-500,
            reference="paid out",
            now=selling.clock.now(),
        )
    assert (left.balance_minor, left.currency) == (0, "USD")


async def test_follows_a_programme_whose_settings_change_one_by_one(
    database: Database, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        assert await read_program(tx, shop_id=shop.id) == Program(shop_id=shop.id)
        first = await change_program(
            tx,
            shop_id=shop.id,
            changes=ProgramChanges(enabled=True, default_commission_bp=2500, min_payout_minor=5000),
            now=clock.now(),
        )
        second = await change_program(
            tx,
            shop_id=shop.id,
            changes=ProgramChanges(default_commission_bp=None),
            now=clock.now(),
        )
    assert (first.enabled, first.default_commission_bp, first.default_mode) == (
        True,
        2500,
        "affiliate",
    )
    assert (second.enabled, second.default_commission_bp) == (True, None)
    assert second.min_payout_minor == 5000


async def test_has_keys_that_nobody_else_makes_or_switches_on(selling: Reselling) -> None:
    reseller, _ = await selling.reseller(credit_minor=700)
    key = await _key(selling, reseller)
    now = selling.clock.now()
    async with selling.database.begin() as tx:
        name = await tx.value(
            "select public_key from credentials where partner_id = %s", (reseller.partner_id,)
        )
        with pytest.raises(Invalid, match="makes its own keys"):
            await rotate_secret(tx, key=name, ids=RandomIds(), box=box(), now=now, overlap_s=0)
        with pytest.raises(Invalid, match="makes its own keys"):
            await refuse_kept_by_others(tx, partner_id=reseller.partner_id)
    await _move(selling, reseller, "terminate")
    async with selling.database.begin() as tx:
        with pytest.raises(Invalid, match="makes its own keys"):
            await enable_credential(tx, key=name)
    assert not await _works(selling, key)
