"""Analytics, counted from what was sold, claimed, bought and delivered..."""

from decimal import Decimal
from typing import Any

from crossdock.channels.shoppex_reseller.ids import ShopIds
from crossdock.shop.resellers import (
    Reseller,
    StockRequest,
    allocate_transfer,
    mark_transfer_paid,
    request_stock,
)
from tests.channels.shoppex_reseller.test_payouts import NOBODY, goods, reseller, selling
from tests.channels.shoppex_reseller.test_reseller_program import wire_id
from tests.support.earning import (
    book,
    campaign,
    claim,
    decide,
    give_back,
    line,
    sold,
)
from tests.support.reseller_client import KeyHolder
from tests.support.reselling import Licence, Reselling

__all__ = ["goods", "reseller", "selling"]

PATH = "/dev/v1/resellers/analytics"
EMPTY: dict[str, Any] = {
    "currency": "USD",
    "period": {"from": None, "to": None},
    "total_sales": 0,
    "total_revenue": 0,
    "total_commission": 0,
    "commission": {"pending": 0, "available": 0, "reserved": 0, "paid": 0},
    "payouts": {
        "pending_count": 0,
        "pending_amount": 0,
        "completed_count": 0,
        "completed_amount": 0,
    },
    "stock": {
        "requested": 0,
        "units_allocated": 0,
        "units_delivered": 0,
        "wholesale_revenue": 0,
    },
    "fulfillments": {"count": 0, "units": 0, "wholesale_revenue": 0},
    "embed_campaigns": {"active": 0, "paused": 0, "revoked": 0},
}
NO_ONE = {"total": 0, "invited": 0, "active": 0, "suspended": 0, "terminated": 0}


async def test_of_a_shop_without_resellers_are_nothing(merchant: KeyHolder) -> None:
    assert await merchant.data("GET", PATH) == EMPTY | {"resellers": NO_ONE, "top_resellers": []}


async def test_add_up_everything_of_a_shop_and_of_each_reseller(
    selling: Reselling, goods: Licence, merchant: KeyHolder
) -> None:
    first, second, idle = await _busy(selling, goods)
    path = await _path(selling, first.id)

    found = await merchant.data("GET", path)

    assert found == EMPTY | {
        "reseller_relationship_id": path.split("/")[-2],
        "total_sales": 3,
        "total_revenue": Decimal("130.00"),
        "total_commission": Decimal("39.00"),
        "commission": {
            "pending": 0,
            "available": Decimal("14.00"),
            "reserved": Decimal("5.00"),
            "paid": Decimal("20.00"),
        },
        "payouts": {
            "pending_count": 1,
            "pending_amount": Decimal("5.00"),
            "completed_count": 1,
            "completed_amount": Decimal("20.00"),
        },
        "stock": {
            "requested": 1,
            "units_allocated": 1,
            "units_delivered": 0,
            "wholesale_revenue": Decimal("6.50"),
        },
        "fulfillments": {"count": 1, "units": 2, "wholesale_revenue": Decimal("13.00")},
        "embed_campaigns": {"active": 1, "paused": 0, "revoked": 0},
        "prepaid_balance": Decimal("87.00"),
    }
    shop = await merchant.data("GET", PATH)
    assert shop | {"top_resellers": []} == found_of_shop(found)
    names = [each["email"] for each in shop["top_resellers"]]
    assert names == ["partner@example.com", "second@example.com"]
    assert shop["top_resellers"][1] == {
        "reseller_relationship_id": await wire_id(
            selling.database, selling.shop.id, "RELATIONSHIP", second.id
        ),
        "email": "second@example.com",
        "total_sales": 1,
        "total_revenue": Decimal("30.00"),
        "total_commission": Decimal("3.00"),
    }
    nothing = await merchant.data("GET", await _path(selling, idle.id))
    assert nothing | {"reseller_relationship_id": ""} == EMPTY | {
        "reseller_relationship_id": "",
        "prepaid_balance": 0,
    }


async def _busy(selling: Reselling, goods: Licence) -> tuple[Reseller, Reseller, Reseller]:
    """Two who sold, were refunded, claimed, bought and had delivered, and one who did nothing."""
    await selling.set(min_payout_minor=None)
    first, partner = await selling.reseller(commission_bp=3000, credit_minor=10_000)
    second, _ = await selling.reseller("second@example.com", commission_bp=1000)
    idle, _ = await selling.reseller("idle@example.com")
    licence = await selling.licence("K-1", "K-2", "K-3", price_minor=1000)
    await campaign(selling, first)
    await sold(selling, first, line(selling, goods, price_minor=10_000), line(selling, goods))
    half = await sold(selling, first, line(selling, goods, price_minor=4000))
    whole = await sold(selling, second, line(selling, goods, price_minor=500))
    await sold(selling, second, line(selling, goods, price_minor=3000))
    await give_back(selling, half, 2000)
    await give_back(selling, whole)
    await book(selling)
    paid = await claim(selling, first, 2000)
    await decide(selling, first, paid.id, "approve")
    await decide(selling, first, paid.id, "complete")
    await claim(selling, first, 500)
    await selling.fulfil(partner, licence, quantity=2)
    async with selling.database.begin() as tx:
        transfer = await request_stock(
            tx,
            shop_id=selling.shop.id,
            reseller_id=first.id,
            request=StockRequest(product_id=licence.product_id, quantity=1),
            now=selling.clock.now(),
        )
    for act in (mark_transfer_paid, allocate_transfer):
        async with selling.database.begin() as tx:
            await act(
                tx,
                shop_id=selling.shop.id,
                reseller_id=first.id,
                transfer_id=transfer.id,
                now=selling.clock.now(),
            )
    return first, second, idle


def found_of_shop(first: dict[str, Any]) -> dict[str, Any]:
    """What the shop's are, by those of its first reseller: the second sold one line more."""
    rest = {
        name: each
        for name, each in first.items()
        if name not in {"reseller_relationship_id", "prepaid_balance"}
    }
    return rest | {
        "resellers": NO_ONE | {"total": 3, "active": 3},
        "total_sales": 4,
        "total_revenue": Decimal("160.00"),
        "total_commission": Decimal("42.00"),
        "commission": first["commission"] | {"available": Decimal("17.00")},
        "top_resellers": [],
    }


async def test_count_what_was_made_in_the_period(
    selling: Reselling, goods: Licence, merchant: KeyHolder
) -> None:
    reseller, _ = await selling.reseller(commission_bp=3000)
    await sold(selling, reseller, line(selling, goods))
    path = await _path(selling, reseller.id)

    for query, count in (
        ("from=2026-03-02", 1),
        ("from=2026-03-02T12:00:00Z&to=2026-03-02T12:00:01Z", 1),
        ("to=2026-03-02T12:00:00Z", 0),
        ("from=2026-03-03", 0),
    ):
        for where in (path, PATH):
            found = await merchant.data("GET", f"{where}?{query}")
            assert (found["total_sales"], found["commission"]["available"]) == (count, 3), query
    found = await merchant.data("GET", f"{PATH}?from=2026-03-02&to=2026-03-03")
    assert found["period"] == {
        "from": "2026-03-02T00:00:00.000Z",
        "to": "2026-03-03T00:00:00.000Z",
    }
    assert list(await merchant.fields_refused("GET", f"{PATH}?from=x")) == ["from"]


async def test_need_their_scope_and_their_own_relationship(
    selling: Reselling, merchant: KeyHolder, keys: Any
) -> None:
    reseller, _ = await selling.reseller()
    reader = await keys("resellers.read")
    for path in (PATH, await _path(selling, reseller.id)):
        assert (await reader.refusal("GET", path, status=403))["code"] == "FORBIDDEN"
    path = f"/dev/v1/resellers/{NOBODY}/analytics"
    assert (await merchant.refusal("GET", path, status=404))["code"] == "NOT_FOUND"


async def _path(selling: Reselling, reseller_id: int) -> str:
    from crossdock.channels.shoppex_reseller.ids import Kind

    ids = await ShopIds(selling.database).of(selling.shop.id)
    return f"/dev/v1/resellers/{ids.write(Kind.RELATIONSHIP, reseller_id)}/analytics"
