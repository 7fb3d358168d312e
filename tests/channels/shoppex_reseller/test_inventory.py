"""A merchant's program, for stock that its resellers have..."""

import asyncio
from decimal import Decimal
from typing import Any

import httpx2

from crossdock.channels.shoppex_reseller.dialect import create_dialect
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.shop.events import Batch, number_events, read_events
from tests.support.stock_desk import StockDesk


async def _act(buying: StockDesk, transfer: str, act: str, **options: Any) -> Any:
    path = f"{buying.path}/stock-transfers/{transfer}/{act}"
    return await buying.http.data("POST", path, **options)


async def _allocated(buying: StockDesk, quantity: int) -> str:
    made = str((await buying.request(quantity))["id"])
    await _act(buying, made, "mark-paid")
    await _act(buying, made, "allocate")
    return made


async def test_marks_it_paid_then_allocates_without_a_body(buying):
    made = str((await buying.request())["id"])
    path = f"{buying.path}/stock-transfers/{made}"
    error = await buying.http.refusal("POST", f"{path}/allocate", status=409)
    assert error["code"] == "INVALID_STATE"
    paid = await _act(buying, made, "mark-paid", once="paid")
    assert (paid["status"], paid["payment_source"], paid["allocated_count"]) == (
        "PAID", "MANUAL", 0,
    )  # fmt: skip
    assert await _act(buying, made, "mark-paid", once="paid") == paid

    async def allocate() -> httpx2.Response:
        """Ask until the answer is not that the server is busy."""
        while True:
            reply = await buying.http.send("POST", f"{path}/allocate")
            if reply.status_code != 503:
                return reply

    replies = await asyncio.gather(*(allocate() for _ in range(10)))
    assert [reply.status_code for reply in replies] == [200] * 10
    assert len({reply.text for reply in replies}) == 1
    got = replies[0].json()["data"]
    assert (got["status"], got["allocated_count"], got["delivered_count"]) == ("ALLOCATED", 25, 0)
    assert await buying.selling.written(buying.licence) == (0, 0, 2, 5)
    async with buying.selling.database.statement() as tx:
        told = await tx.value(
            "select count(*) from events where shop_id = %s and kind = 'reseller.stock_allocated'",
            (buying.selling.shop.id,),
        )
        items = await tx.value(
            "select count(*) from reseller_items where shop_id = %s", (buying.selling.shop.id,)
        )
    assert (told, items) == (1, 25)
    product = f"/dev/v1/products/{buying.product}"
    moved = (await buying.http.data("GET", f"{product}/stock-movements"))[0]
    assert (moved["type"], moved["quantity"], moved["reference_type"], moved["reference_id"]) == (
        "reseller_transfer", -25, "reseller_stock_transfer", made,
    )  # fmt: skip


async def test_is_told_of_too_few_serials(buying):
    first = str((await buying.request(20))["id"])
    second = str((await buying.request(20))["id"])
    for each in (first, second):
        await _act(buying, each, "mark-paid")
    await _act(buying, first, "allocate")
    path = f"{buying.path}/stock-transfers/{second}"
    error = await buying.http.refusal("POST", f"{path}/allocate", status=409, once="k")
    assert error["code"] == "STOCK_UNAVAILABLE"
    assert (await buying.http.data("GET", path))["status"] == "PAID"
    await _act(buying, first, "revoke")
    assert (await _act(buying, second, "allocate", once="k"))["status"] == "ALLOCATED"


async def test_lists_it_with_masked_serials(buying):
    transfer = await _allocated(buying, 3)
    path = f"{buying.path}/inventory"
    seen: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await buying.http.ask("GET", f"{path}?limit=1&cursor={cursor}")
        seen += page["data"]
        cursor = page["pagination"]["next_cursor"]
    assert [each["serial_preview"] for each in seen] == ["••••002", "••••001", "••••000"]
    first = seen[0]
    assert first == {name: first[name] for name in ("id", "created_at", "product_title")} | {
        "reseller_relationship_id": buying.path.rsplit("/", 1)[1], "stock_transfer_id": transfer,
        "product_id": buying.product, "variant_id": None, "variant_title": None,
        "status": "AVAILABLE", "serial_preview": "••••002", "delivered_to": None,
        "delivered_at": None,
    }  # fmt: skip
    for query, count in (
        ("status=available", 3), ("status=REVOKED", 0), (f"product_id={buying.product}", 3),
        (f"stock_transfer_id={transfer}", 3), ("product_id=none", 0),
    ):  # fmt: skip
        assert len(await buying.http.data("GET", f"{path}?{query}")) == count


async def test_delivers_it_to_one_customer_once(buying):
    await _allocated(buying, 2)
    second, first = await buying.http.data("GET", f"{buying.path}/inventory")
    path = f"{buying.path}/inventory/{first['id']}/deliver"
    body = {"email": " Customer@Example.com "}

    done = await buying.http.data("POST", path, json=body, once="stock-deliver-item-123")
    again = await buying.http.data("POST", path, json=body)
    assert done == again
    assert (done["serial"], done["status"]) == ("LIC-000", "DELIVERED")
    assert done["delivered_to"] == "customer@example.com"
    assert done["email_delivery"]["status"] == "queued"
    error = await buying.http.refusal("POST", path, status=409, json={"email": "o@p.example"})
    assert error["code"] == "INVALID_STATE"
    assert list(await buying.http.fields_refused("POST", path, json={"email": "nobody"})) == [
        "email"
    ]
    async with buying.selling.database.statement() as tx:
        mails = await tx.all(
            "select recipient, template from mails where shop_id = %s", (buying.selling.shop.id,)
        )
    assert mails == [("customer@example.com", "item_delivery")]
    transfer = first["stock_transfer_id"]
    gone = await _act(buying, transfer, "revoke")
    assert (gone["status"], gone["delivered_count"]) == ("REVOKED", 1)
    other = f"{buying.path}/inventory/{second['id']}/deliver"
    await buying.http.refusal("POST", other, status=409, json={"email": "o@p.example"})
    sibling, _ = await buying.selling.reseller("sibling@example.com")
    theirs = f"/dev/v1/resellers/{buying.ids.write(Kind.RELATIONSHIP, sibling.id)}"
    wrong = f"{theirs}/inventory/{first['id']}/deliver"
    await buying.http.refusal("POST", wrong, status=404, json=body)
    await buying.http.refusal("POST", f"{theirs}/stock-transfers/{transfer}/revoke", status=404)
    assert (await buying.http.data("GET", f"{theirs}/inventory")) == []


async def test_pays_nothing_for_what_was_agreed_to_cost_nothing(buying):
    await buying.selling.set(default_discount_bp=10_000)
    made = await buying.request(1)
    assert made["total"] == Decimal(0)
    await _act(buying, made["id"], "mark-paid")
    assert (await _act(buying, made["id"], "allocate"))["status"] == "ALLOCATED"


async def test_is_told_of_it_by_webhooks_without_its_serials(buying):
    transfer = await _allocated(buying, 1)
    (item,) = await buying.http.data("GET", f"{buying.path}/inventory")
    body = {"email": "c@d.example"}
    await buying.http.data("POST", f"{buying.path}/inventory/{item['id']}/deliver", json=body)

    shop_id = buying.selling.shop.id
    async with buying.selling.database.begin() as tx:
        upto = await number_events(tx, shop_id=shop_id)
        events = await read_events(
            tx, shop_id=shop_id, after=0, upto=upto, topics=("resellers",), limit=100
        )
        batch = Batch(shop_id=shop_id, events=events, upto=upto)
        messages, _ = await create_dialect().read(tx, batch=batch)
    told = [(each.name, each.data) for each in messages][2:]  # invited and accepted before
    assert [name for name, _ in told] == [
        "reseller:stock_purchase_requested", "reseller:stock_purchase_paid",
        "reseller:stock_allocated", "reseller:stock_item_delivered",
    ]  # fmt: skip
    bought = [data for _, data in told[:3]]
    assert [each["status"] for each in bought] == ["REQUESTED", "PAID", "ALLOCATED"]
    assert [each["allocated_count"] for each in bought] == [0, 0, 1]
    assert {each["transfer_id"] for each in bought} == {transfer}
    assert (bought[0]["quantity"], bought[0]["total"], bought[0]["currency"]) == (1, 12.99, "USD")
    delivered = told[3][1]
    assert (delivered["item_id"], delivered["transfer_id"]) == (item["id"], transfer)
    assert (delivered["customer_email"], delivered["reseller_email"]) == (
        "c@d.example", "partner@example.com",
    )  # fmt: skip
    assert "LIC-000" not in str(told)
