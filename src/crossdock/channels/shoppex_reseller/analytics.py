"""`/dev/v1/resellers/analytics` and `/dev/v1/resellers/{id}/analytics` (spec section 6.5)."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.periods import PERIOD, Period, read_period
from crossdock.channels.shoppex_reseller.routes import DEV, Route
from crossdock.channels.shoppex_reseller.wire import Reply, iso, number, one
from crossdock.db.unit_of_work import Transaction
from crossdock.shop.resellers import Analysis, SalesSums, analyse, read_reseller

Amount = Decimal | None


class ShownPeriod(msgspec.Struct, kw_only=True, rename={"from_": "from"}):
    """The period that was asked for; null has no end."""

    from_: str | None
    to: str | None


class ShownResellers(msgspec.Struct, kw_only=True):
    """How many relationships are in each state."""

    total: int
    invited: int
    active: int
    suspended: int
    terminated: int


class ShownCommission(msgspec.Struct, kw_only=True):
    """What was earned, by where it is now."""

    pending: Amount
    available: Amount
    reserved: Amount
    paid: Amount


class ShownPayouts(msgspec.Struct, kw_only=True):
    """Payouts that wait, approved ones too, and those that were paid."""

    pending_count: int
    pending_amount: Amount
    completed_count: int
    completed_amount: Amount


class ShownStock(msgspec.Struct, kw_only=True):
    """Stock that resellers bought."""

    requested: int
    units_allocated: int
    units_delivered: int
    wholesale_revenue: Amount


class ShownFulfillments(msgspec.Struct, kw_only=True):
    """What resellers' own shops had delivered."""

    count: int
    units: int
    wholesale_revenue: Amount


class ShownCampaigns(msgspec.Struct, kw_only=True):
    """How many embed campaigns are in each state."""

    active: int
    paused: int
    revoked: int


class ShownTop(msgspec.Struct, kw_only=True):
    """One of the resellers who sold most."""

    reseller_relationship_id: str
    email: str
    total_sales: int
    total_revenue: Amount
    total_commission: Amount


class _Shown(msgspec.Struct, kw_only=True):
    currency: str
    period: ShownPeriod
    total_sales: int
    total_revenue: Amount
    total_commission: Amount
    commission: ShownCommission
    payouts: ShownPayouts
    stock: ShownStock
    fulfillments: ShownFulfillments
    embed_campaigns: ShownCampaigns


class ShownShop(_Shown, kw_only=True):
    """The numbers of all resellers of the shop."""

    resellers: ShownResellers
    top_resellers: list[ShownTop]


class ShownRelationship(_Shown, kw_only=True):
    """The numbers of one reseller."""

    reseller_relationship_id: str
    prepaid_balance: Amount


async def of_shop(call: Call, tx: Transaction) -> Reply:
    """The numbers of all resellers of the shop."""
    period = _period(call)
    found = await analyse(tx, shop_id=call.shop_id, since=period.since, until=period.until)
    counts = found.resellers
    shown = ShownShop(
        **_numbers(found, period),
        resellers=ShownResellers(**msgspec.structs.asdict(counts)),
        top_resellers=[
            ShownTop(
                reseller_relationship_id=call.ids.write(Kind.RELATIONSHIP, each.reseller_id),
                email=each.email,
                **_totals(each.sales, found.currency),
            )
            for each in found.top
        ],
    )
    return one(shown)


async def of_reseller(call: Call, tx: Transaction) -> Reply:
    """The numbers of one reseller."""
    reseller_id, period = call.number(Kind.RELATIONSHIP), _period(call)
    await read_reseller(tx, shop_id=call.shop_id, reseller_id=reseller_id)  # 404 for another shop's
    found = await analyse(
        tx,
        shop_id=call.shop_id,
        reseller_id=reseller_id,
        since=period.since,
        until=period.until,
    )
    shown = ShownRelationship(
        **_numbers(found, period),
        reseller_relationship_id=call.ids.write(Kind.RELATIONSHIP, reseller_id),
        prepaid_balance=number(found.prepaid_minor, found.currency),
    )
    return one(shown)


def _period(call: Call) -> Period:
    filters = call.filters()
    period = read_period(filters)
    filters.check()
    return period


def _totals(sales: SalesSums, currency: str) -> dict[str, Any]:
    return {
        "total_sales": sales.count,
        "total_revenue": number(sales.revenue_minor, currency),
        "total_commission": number(sales.commission_minor, currency),
    }


def _numbers(found: Analysis, period: Period) -> dict[str, Any]:
    """What both tell."""
    currency, commission, payouts = found.currency, found.commission, found.payouts
    return {
        "currency": currency,
        "period": ShownPeriod(from_=iso(period.since), to=iso(period.until)),
        **_totals(found.sales, currency),
        "commission": ShownCommission(
            pending=number(commission.pending_minor, currency),
            available=number(commission.available_minor, currency),
            reserved=number(commission.reserved_minor, currency),
            paid=number(commission.paid_minor, currency),
        ),
        "payouts": ShownPayouts(
            pending_count=payouts.pending_count,
            pending_amount=number(payouts.pending_minor, currency),
            completed_count=payouts.completed_count,
            completed_amount=number(payouts.completed_minor, currency),
        ),
        "stock": ShownStock(
            requested=found.stock.requested,
            units_allocated=found.stock.units_allocated,
            units_delivered=found.stock.units_delivered,
            wholesale_revenue=number(found.stock.wholesale_minor, currency),
        ),
        "fulfillments": ShownFulfillments(
            count=found.fulfilments.count,
            units=found.fulfilments.units,
            wholesale_revenue=number(found.fulfilments.wholesale_minor, currency),
        ),
        "embed_campaigns": ShownCampaigns(**msgspec.structs.asdict(found.campaigns)),
    }


ROUTES: Final = (
    Route(
        method="GET", covers="shop", path=f"{DEV}/resellers/analytics", name="resellersAnalytics",
        summary="What all resellers sold, earned, bought and had delivered.",
        scope="reseller_sales.read", reads=of_shop, answer=ShownShop, query=PERIOD,
    ),
    Route(
        method="GET", covers="shop", path=f"{DEV}/resellers/{{id}}/analytics", name="resellerAnalytics",
        summary="What one reseller sold, earned, bought and had delivered.",
        scope="reseller_sales.read", reads=of_reseller, answer=ShownRelationship, query=PERIOD,
    ),
)  # fmt: skip
