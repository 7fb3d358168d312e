"""An order that somebody brought..."""

from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.resellers import (
    Action,
    Attribution,
    CampaignChanges,
    CampaignStatus,
    ProductTerms,
    Reseller,
    ResellerTerms,
    change_campaign,
    change_terms,
    move_reseller,
)
from tests.support.earning import campaign, line, order
from tests.support.reselling import Reselling


@pytest.fixture
async def selling(database: Database, clock: FrozenClock) -> Reselling:
    return await Reselling.open(database, clock, default_commission_bp=1000)


async def _rates(selling: Reselling, order_id: int) -> dict[int, int]:
    """The rate of each line that earns."""
    async with selling.database.statement() as tx:
        rows = await tx.all(
            "select line_no, commission_bp from reseller_attributed_lines"
            " where shop_id = %s and order_id = %s",
            (selling.shop.id, order_id),
        )
    return dict(rows)


async def _attributed(selling: Reselling) -> int:
    async with selling.database.statement() as tx:
        return int(
            await tx.value(
                "select (select count(*) from reseller_attributions where shop_id = %(shop)s)"
                " + (select count(*) from reseller_attributed_lines where shop_id = %(shop)s)",
                {"shop": selling.shop.id},
            )
        )


async def test_is_the_relationships_whose_code_it_has_in_any_case(selling: Reselling) -> None:
    goods = await selling.licence()
    reseller, _ = await selling.reseller()

    order_id, found = await order(
        selling, line(selling, goods), code=f" {reseller.attribution_code.upper()} "
    )

    assert found == Attribution(reseller_id=reseller.id, campaign_id=None)
    assert await _rates(selling, order_id) == {1: 1000}


@pytest.mark.parametrize(
    ("default", "custom", "override", "rate"),
    [
        (2500, None, None, 2500),
        (2500, 3000, None, 3000),
        (2500, 3000, 500, 500),
        (2500, 3000, 0, 0),
        (2500, 0, None, 0),
        (None, None, None, 0),
    ],
)
async def test_keeps_the_rate_of_its_moment(
    selling: Reselling, default: int | None, custom: int | None, override: int | None, rate: int
) -> None:
    await selling.set(default_commission_bp=default)
    goods = await selling.licence()
    products = (ProductTerms(product_id=goods.product_id, commission_bp=override),)
    reseller, _ = await selling.reseller(
        commission_bp=custom, products=None if override is None else products
    )

    order_id, _ = await order(selling, line(selling, goods), code=reseller.attribution_code)
    await selling.set(default_commission_bp=9999)
    await _change(selling, reseller, commission_bp=9999)

    assert await _rates(selling, order_id) == {1: rate}


async def test_earns_only_with_lines_that_the_reseller_may_sell(selling: Reselling) -> None:
    ours, other = await selling.licence(), await selling.licence()
    reseller, _ = await selling.reseller(products=(ProductTerms(product_id=ours.product_id),))

    order_id, found = await order(
        selling,
        line(selling, other),
        line(selling, ours),
        code=reseller.attribution_code,
    )

    assert found == Attribution(reseller_id=reseller.id, campaign_id=None)
    assert await _rates(selling, order_id) == {2: 1000}


async def test_is_a_campaigns_with_the_lines_that_are_its_own(selling: Reselling) -> None:
    first, second, third = [await selling.licence() for _ in range(3)]
    reseller, _ = await selling.reseller()
    running = await campaign(
        selling, reseller, product_ids=(first.product_id,), variant_ids=(third.variant_id,)
    )

    order_id, found = await order(
        selling,
        line(selling, first),
        line(selling, second),
        line(selling, third),
        code=running.public_token,
    )

    assert found == Attribution(reseller_id=reseller.id, campaign_id=running.id)
    assert await _rates(selling, order_id) == {1: 1000, 3: 1000}


async def test_is_a_campaigns_for_everything_that_names_no_goods(selling: Reselling) -> None:
    ours, other = await selling.licence(), await selling.licence()
    reseller, _ = await selling.reseller(products=(ProductTerms(product_id=ours.product_id),))
    running = await campaign(selling, reseller)

    order_id, _ = await order(
        selling, line(selling, ours), line(selling, other), code=running.public_token
    )

    assert await _rates(selling, order_id) == {1: 1000}


@pytest.mark.parametrize("status", ["paused", "revoked"])
async def test_is_nobodys_when_its_campaign_is_not_active(
    selling: Reselling, status: CampaignStatus
) -> None:
    goods = await selling.licence()
    reseller, _ = await selling.reseller()
    running = await campaign(selling, reseller)
    async with selling.database.begin() as tx:
        await change_campaign(
            tx,
            shop_id=selling.shop.id,
            reseller_id=reseller.id,
            campaign_id=running.id,
            changes=CampaignChanges(status=status),
            now=selling.clock.now(),
        )

    _, found = await order(selling, line(selling, goods), code=running.public_token)

    assert found is None
    assert await _attributed(selling) == 0


@pytest.mark.parametrize(
    ("code", "terms", "action", "is_test"),
    [
        ("r-nobody", {}, None, False),
        ("", {}, None, False),
        ("campaign-1.0123456789abcdef0123456789abcdef01234567", {}, None, False),
        (None, {"mode": "stock"}, None, False),
        (None, {"products": ()}, None, False),
        (None, {}, "suspend", False),
        (None, {}, "terminate", False),
        (None, {}, None, True),
    ],
)
async def test_is_nobodys_and_placed_all_the_same(
    selling: Reselling,
    code: str | None,
    terms: dict[str, Any],
    action: Action | None,
    is_test: bool,
) -> None:
    goods = await selling.licence()
    reseller, _ = await selling.reseller(**terms)
    if action is not None:
        async with selling.database.begin() as tx:
            await move_reseller(
                tx,
                shop_id=selling.shop.id,
                reseller_id=reseller.id,
                action=action,
                now=selling.clock.now(),
            )
    wanted = reseller.attribution_code if code is None else code

    order_id, found = await order(selling, line(selling, goods), code=wanted, is_test=is_test)

    assert order_id
    assert found is None
    assert await _attributed(selling) == 0


async def test_is_nobodys_while_the_programme_is_off(selling: Reselling) -> None:
    goods = await selling.licence()
    reseller, _ = await selling.reseller()
    await selling.set(enabled=False)

    _, found = await order(selling, line(selling, goods), code=reseller.attribution_code)

    assert found is None


async def test_of_another_shop_is_not_brought_by_this_shops_code(
    selling: Reselling, database: Database, clock: FrozenClock
) -> None:
    other = await Reselling.open(database, clock)
    goods = await other.licence()
    reseller, _ = await selling.reseller()
    running = await campaign(selling, reseller)

    for code in (reseller.attribution_code, running.public_token):
        assert (await order(other, line(other, goods), code=code))[1] is None


async def _change(selling: Reselling, reseller: Reseller, **terms: Any) -> None:
    async with selling.database.begin() as tx:
        await change_terms(
            tx,
            shop_id=selling.shop.id,
            reseller_id=reseller.id,
            terms=ResellerTerms(**terms),
            now=selling.clock.now(),
        )
