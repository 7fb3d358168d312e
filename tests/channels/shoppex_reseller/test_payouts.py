"""What a reseller sold, and what it is paid, as the merchant's back office sees it..."""

from decimal import Decimal
from typing import Any

import pytest

from crossdock.channels.shoppex_reseller.reseller_happenings import (
    RESELLER_NAMES,
    reseller_data,
)
from crossdock.db.unit_of_work import Database
from crossdock.shop.events import read_events
from crossdock.shop.resellers import Reseller
from tests.channels.shoppex_reseller.test_reseller_program import PROGRAM, SEED, wire_id
from tests.support.clocked import ClockedServer
from tests.support.earning import book, campaign, claim, give_back, line, order, pay, sold
from tests.support.factories import ShopFixture
from tests.support.reseller_client import CHANNEL, KeyHolder
from tests.support.reselling import Licence, Reselling

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def selling(
    desk_database: Database, desk_server: ClockedServer, desk: ShopFixture, merchant: KeyHolder
) -> Reselling:
    await merchant.data("PATCH", PROGRAM, json=SEED | {"min_payout_threshold": 20})
    return Reselling(desk_database, desk_server.clock, desk, CHANNEL)


@pytest.fixture
async def goods(selling: Reselling) -> Licence:
    return await selling.licence()


@pytest.fixture
async def reseller(selling: Reselling) -> Reseller:
    """At 30 percent."""
    return (await selling.reseller(commission_bp=3000))[0]


async def _path(selling: Reselling, reseller: Reseller) -> str:
    number = await wire_id(selling.database, selling.shop.id, "RELATIONSHIP", reseller.id)
    return f"/dev/v1/resellers/{number}"


async def test_sales_are_told_a_line_each_with_their_commission(
    selling: Reselling, goods: Licence, reseller: Reseller, merchant: KeyHolder
) -> None:
    running = await campaign(selling, reseller)
    bought = line(selling, goods, price_minor=1999, quantity=3, discount_minor=500)
    order_id, _ = await order(selling, bought, code=running.public_token)
    await pay(selling, order_id)
    await book(selling)
    await sold(selling, reseller, line(selling, goods))
    await give_back(selling, order_id, 2749)
    await book(selling)
    path = await _path(selling, reseller)
    shop_id, database = selling.shop.id, selling.database

    latest, first = await merchant.data("GET", f"{path}/sales")

    order_name = await wire_id(database, shop_id, "ORDER", order_id)
    campaign_name = await wire_id(database, shop_id, "CAMPAIGN", running.id)
    assert first == {
        "id": first["id"],
        "reseller_relationship_id": path.split("/")[-1],
        "order_id": order_name,
        "invoice_uniqid": order_name,
        "product_id": await wire_id(database, shop_id, "PRODUCT", goods.product_id),
        "variant_id": None,
        "quantity": 3,
        "gross_amount": Decimal("59.97"),
        "commission_base": Decimal("54.97"),
        "commission_percent": 30,
        "commission_amount": Decimal("16.49"),
        "reversed_amount": Decimal("8.25"),
        "currency": "USD",
        "channel": "EMBED",
        "embed_campaign_id": campaign_name,
        "customer_email": "ada@buyer.example",
        "status": "APPROVED",
        "available_at": "2026-03-02T12:00:00.000Z",
        "created_at": "2026-03-02T12:00:00.000Z",
    }
    assert (latest["channel"], latest["embed_campaign_id"], latest["commission_amount"]) == (
        "LINK",
        None,
        Decimal("3.00"),
    )
    [told] = await merchant.data("GET", f"{path}/embed-campaigns")
    assert told["stats"] == {
        "views": 0,
        "clicks": 0,
        "sales": 1,
        "revenue": Decimal("27.48"),
        "commission": Decimal("8.24"),
    }
    for query, found in (
        ("status=approved", 2),
        ("status=REVERSED", 0),
        (f"campaign_id={campaign_name}", 1),
        (f"campaign_id={NOBODY}", 0),
        ("from=2026-03-02", 2),
        ("from=2026-03-02T12:00:00%2B00:00&to=2026-03-03", 2),
        ("to=2026-03-02T12:00:00Z", 0),
        ("from=2026-03-03", 0),
        ("limit=1", 1),
    ):
        assert len(await merchant.data("GET", f"{path}/sales?{query}")) == found, query
    wrong = await merchant.fields_refused(
        "GET", f"{path}/sales?status=GONE&from=soon&to=2026-13-01"
    )
    assert list(wrong) == ["status", "from", "to"]
    wrong = await merchant.fields_refused("GET", f"{path}/sales?from=2026-03-02&to=2026-03-01")
    assert wrong == {"to": "must not be before from"}


async def test_an_order_of_the_api_is_brought_by_its_code(
    selling: Reselling, reseller: Reseller, merchant: KeyHolder
) -> None:
    licence = await selling.licence("K-1", "K-2", "K-3", price_minor=1999)
    running = await campaign(selling, reseller)
    product = await wire_id(selling.database, selling.shop.id, "PRODUCT", licence.product_id)

    async def bought(code: str) -> str:
        body = {
            "email": "buyer@example.com",
            "items": [{"product_id": product, "quantity": 1}],
            "affiliate_code": code,
        }
        made = await merchant.data("POST", "/dev/v1/orders", json=body, status=201)
        assert made["affiliate_code"] == code
        done = await merchant.data("POST", f"/dev/v1/orders/{made['id']}/complete")
        return str(done["id"])

    link = await bought(reseller.attribution_code)
    embedded = await bought(running.public_token)
    await bought("r-nobody")
    await book(selling)

    found = await merchant.data("GET", f"{await _path(selling, reseller)}/sales")
    assert [(each["order_id"], each["channel"], each["commission_amount"]) for each in found] == [
        (embedded, "EMBED", 6),
        (link, "LINK", 6),
    ]


async def test_payouts_go_from_the_request_to_the_payment(
    selling: Reselling, goods: Licence, reseller: Reseller, merchant: KeyHolder
) -> None:
    await sold(selling, reseller, line(selling, goods, price_minor=10_000))
    asked = await claim(selling, reseller, 2000, note="Weekly payout")
    path = f"{await _path(selling, reseller)}/payouts"

    [shown] = await merchant.data("GET", path)

    assert shown == {
        "id": await wire_id(selling.database, selling.shop.id, "CLAIM", asked.id),
        "reseller_relationship_id": path.split("/")[-2],
        "status": "pending",
        "amount": Decimal("20.00"),
        "currency": "USD",
        "payout_asset": "USDT",
        "payout_network": "TRON",
        "payout_address": "T1",
        "note": "Weekly payout",
        "reason": None,
        "forced": False,
        "created_at": "2026-03-02T12:00:00.000Z",
        "updated_at": "2026-03-02T12:00:00.000Z",
        "approved_at": None,
        "completed_at": None,
        "rejected_at": None,
        "cancelled_at": None,
    }
    one = f"{path}/{shown['id']}"
    error = await merchant.refusal("POST", f"{one}/complete", status=409)
    assert error["code"] == "INVALID_STATE"
    approved = await merchant.data("POST", f"{one}/approve", once="approve-1")
    assert approved == shown | {"status": "approved", "approved_at": "2026-03-02T12:00:00.000Z"}
    assert await merchant.data("POST", f"{one}/approve") == approved
    done = await merchant.data("POST", f"{one}/complete", json={"reason": "sent"})
    assert (done["status"], done["reason"]) == ("completed", "sent")
    assert done["completed_at"] == "2026-03-02T12:00:00.000Z"
    error = await merchant.refusal("POST", f"{one}/cancel", status=409)
    assert error["code"] == "INVALID_STATE"
    assert await merchant.data("GET", f"{path}?status=Completed") == [done]
    assert await merchant.data("GET", f"{path}?status=pending") == []


async def test_payouts_are_approved_by_force_rejected_and_cancelled(
    selling: Reselling, goods: Licence, reseller: Reseller, merchant: KeyHolder
) -> None:
    await sold(selling, reseller, line(selling, goods, price_minor=20_000))
    path = await _path(selling, reseller)
    first, second, third = [
        await wire_id(
            selling.database,
            selling.shop.id,
            "CLAIM",
            (await claim(selling, reseller, 1000)).id,
        )
        for _ in range(3)
    ]
    await selling.set(min_payout_minor=6001)
    error = await merchant.refusal("POST", f"{path}/payouts/{first}/approve", status=400)
    assert error["code"] == "PAYOUT_BELOW_THRESHOLD"
    await merchant.data("POST", f"{path}/terminate")
    error = await merchant.refusal("POST", f"{path}/payouts/{first}/approve", status=409)
    assert error["code"] == "INVALID_STATE"

    forced = await merchant.data("POST", f"{path}/payouts/{first}/force-approve")
    assert (forced["status"], forced["forced"]) == ("approved", True)
    rejected = await merchant.data(
        "POST", f"{path}/payouts/{second}/reject", json={"note": "too early"}
    )
    assert (rejected["status"], rejected["reason"]) == ("rejected", "too early")
    assert (await merchant.data("POST", f"{path}/payouts/{third}/cancel"))["status"] == "cancelled"


async def test_sales_and_payouts_need_their_scope_and_their_own_relationship(
    selling: Reselling, goods: Licence, reseller: Reseller, merchant: KeyHolder, keys: Any
) -> None:
    await sold(selling, reseller, line(selling, goods, price_minor=10_000))
    asked = await claim(selling, reseller, 2000)
    other, _ = await selling.reseller("other@example.com")
    path, others = await _path(selling, reseller), await _path(selling, other)
    name = await wire_id(selling.database, selling.shop.id, "CLAIM", asked.id)

    reader = await keys("resellers.read")
    for method, where in (
        ("GET", f"{path}/sales"),
        ("GET", f"{path}/payouts"),
        *(
            ("POST", f"{path}/payouts/{name}/{action}")
            for action in ("approve", "force-approve", "reject", "complete", "cancel")
        ),
    ):
        error = await reader.refusal(method, where, status=403)
        assert error["code"] == "FORBIDDEN"
    for method, where in (
        ("GET", f"/dev/v1/resellers/{NOBODY}/sales"),
        ("GET", f"/dev/v1/resellers/{NOBODY}/payouts"),
        ("POST", f"{others}/payouts/{name}/approve"),
        ("POST", f"{path}/payouts/{NOBODY}/approve"),
    ):
        error = await merchant.refusal(method, where, status=404)
        assert error["code"] == "NOT_FOUND"
    assert await merchant.ask("GET", f"{others}/sales") == {
        "data": [],
        "pagination": {"next_cursor": None, "has_more": False},
    }
    assert [each["status"] for each in await merchant.data("GET", f"{path}/payouts")] == ["pending"]


async def test_webhooks_tell_of_campaigns_sales_and_payouts(
    selling: Reselling, goods: Licence, reseller: Reseller
) -> None:
    from crossdock.channels.shoppex_reseller.ids import ShopIds

    running = await campaign(selling, reseller, product_ids=(goods.product_id,))
    order_id, _ = await order(
        selling, line(selling, goods, price_minor=5997, quantity=2), code=running.public_token
    )
    await pay(selling, order_id)
    await book(selling)
    await claim(selling, reseller, 2000)
    await book(selling)
    shop_id = selling.shop.id
    ids = await ShopIds(selling.database).of(shop_id)
    async with selling.database.statement() as tx:
        events = await read_events(tx, shop_id=shop_id, topics=("resellers",))
    told = {
        RESELLER_NAMES[event.kind]: reseller_data(event, ids, shop_id=shop_id)[0]
        for event in events
    }

    for name in ("reseller:embed_campaign_created", "reseller:sale", "reseller:payout_requested"):
        assert told[name]["reseller_email"] == "partner@example.com"
        assert told[name]["created_at"] == "2026-03-02T12:00:00.000Z"
    sale, payout = told["reseller:sale"], told["reseller:payout_requested"]
    assert sale["order_id"] == sale["invoice_uniqid"]
    assert (sale["gross_amount"], sale["commission_percent"], sale["commission_amount"]) == (
        Decimal("119.94"),
        30,
        Decimal("35.98"),
    )
    assert sale["embed_campaign_id"] == told["reseller:embed_campaign_created"]["campaign_id"]
    assert (
        payout["amount"],
        payout["payout_asset"],
        payout["payout_network"],
        payout["status"],
    ) == (
        Decimal("20.00"),
        "USDT",
        "TRON",
        "pending",
    )
