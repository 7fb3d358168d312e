"""Embed campaigns, as a merchant's partner tool keeps them..."""

import asyncio
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.shop.resellers import move_reseller
from tests.channels.shoppex_reseller.test_reseller_program import (
    PROGRAM,
    SEED,
    accepted,
    wire_id,
)
from tests.support.factories import ShopFixture, make_variant
from tests.support.locks import waiting_for_a_lock
from tests.support.reseller_client import KeyHolder

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def enabled(merchant: KeyHolder) -> KeyHolder:
    await merchant.data("PATCH", PROGRAM, json=SEED)
    return merchant


async def goods(db: Database, desk: ShopFixture) -> tuple[str, str]:
    """The ids of a product and of its variant."""
    async with db.begin() as tx:
        variant = await make_variant(tx, shop=desk)
        product = await tx.value("select product_id from variants where id = %s", (variant,))
    return (
        await wire_id(db, desk.id, "PRODUCT", product),
        await wire_id(db, desk.id, "VARIANT", variant),
    )


async def events_of(db: Database, shop_id: int, kind: str) -> list[Any]:
    async with db.statement() as tx:
        return [
            row[0]
            for row in await tx.all(
                "select payload from events where shop_id = %s and kind = %s order by id",
                (shop_id, kind),
            )
        ]


async def test_begin_as_the_guide_shows(desk_database, desk_server, desk, enabled):
    product, variant = await goods(desk_database, desk)
    relationship = await accepted(desk_database, desk_server, enabled)
    path = f"/dev/v1/resellers/{relationship}/embed-campaigns"
    body = {"name": "Discord Launch", "product_ids": [product], "variant_ids": [variant]}

    made = await enabled.data("POST", path, json=body, status=201, once="discord")
    again = await enabled.data("POST", path, json=body, status=201, once="discord")

    assert again == made
    [reseller] = await enabled.data("GET", "/dev/v1/resellers")
    name, signature = made["public_token"].split(".")
    assert (name, len(signature)) == (made["id"], 40)
    assert made == {
        "id": made["id"],
        "reseller_relationship_id": relationship,
        "name": "Discord Launch",
        "status": "ACTIVE",
        "product_ids": [product],
        "variant_ids": [variant],
        "public_token": made["public_token"],
        "attribution_code": reseller["attribution_code"],
        "embed_snippet": f'<script src="{enabled.base_url}/embed/v1/widget.js"'
        f' data-campaign="{made["public_token"]}" async></script>',
        "stats": {"views": 0, "clicks": 0, "sales": 0, "revenue": 0, "commission": 0},
        "paused_at": None,
        "revoked_at": None,
        "created_at": "2026-03-02T12:00:00.000Z",
        "updated_at": "2026-03-02T12:00:00.000Z",
    }
    assert await enabled.data("GET", path) == [made]
    [told] = await events_of(desk_database, desk.id, "reseller.embed_campaign_created")
    assert (told["email"], told["name"], told["status"]) == (
        "partner@example.com",
        "Discord Launch",
        "active",
    )


async def test_are_paused_resumed_and_revoked_for_ever(desk_database, desk_server, desk, enabled):
    relationship = await accepted(desk_database, desk_server, enabled)
    path = f"/dev/v1/resellers/{relationship}/embed-campaigns"
    made = await enabled.data("POST", path, json={"name": "A"}, status=201)
    one = f"{path}/{made['id']}"

    paused = await enabled.data("PATCH", one, json={"status": "PAUSED"})
    assert (paused["status"], paused["paused_at"]) == ("PAUSED", "2026-03-02T12:00:00.000Z")
    assert await enabled.data("PATCH", one, json={"status": "paused"}) == paused
    active = await enabled.data("PATCH", one, json={"status": "ACTIVE", "name": "B"})
    assert (active["status"], active["paused_at"], active["name"]) == ("ACTIVE", None, "B")
    revoked = await enabled.data("PATCH", one, json={"status": "REVOKED"})
    assert revoked["revoked_at"] == "2026-03-02T12:00:00.000Z"
    for status in ("ACTIVE", "PAUSED"):
        error = await enabled.refusal("PATCH", one, json={"status": status}, status=409)
        assert error["code"] == "INVALID_STATE"
    renamed = await enabled.data("PATCH", one, json={"name": "C", "status": "REVOKED"})
    assert renamed == revoked | {"name": "C"}
    assert [each["name"] for each in await enabled.data("GET", f"{path}?status=REVOKED")] == ["C"]
    assert await enabled.data("GET", f"{path}?status=ACTIVE") == []


async def test_are_only_for_goods_that_the_reseller_may_sell(
    desk_database, desk_server, desk, enabled
):
    ours, _ = await goods(desk_database, desk)
    other, other_variant = await goods(desk_database, desk)
    relationship = await accepted(desk_database, desk_server, enabled, product_ids=[ours])
    path = f"/dev/v1/resellers/{relationship}/embed-campaigns"

    for field, named in (("product_ids", other), ("variant_ids", other_variant)):
        body: dict[str, Any] = {"name": "A", field: [named]}
        error = await enabled.refusal("POST", path, json=body, status=400)
        assert error["code"] == "PRODUCT_NOT_ALLOWED"
    wrong = await enabled.fields_refused(
        "POST", path, json={"product_ids": [ours, ours, "prod"], "variant_ids": [NOBODY, ours]}
    )
    assert wrong == {
        "name": "is required",
        "product_ids[1]": "is there twice",
        "product_ids[2]": "is no product of the shop",
        "variant_ids[0]": "is no variant of the shop",
        "variant_ids[1]": "is no variant of the shop",
    }
    gone = await wire_id(desk_database, desk.id, "PRODUCT", 2**40)
    body = {"name": "A", "product_ids": [ours, gone]}
    assert await enabled.fields_refused("POST", path, json=body) == {
        "product_ids[1]": "is no product of the shop"
    }
    assert await enabled.data("GET", path) == []
    assert await events_of(desk_database, desk.id, "reseller.embed_campaign_created") == []


async def test_begin_only_while_their_reseller_may_earn(desk_database, desk_server, desk, enabled):
    relationship = await accepted(desk_database, desk_server, enabled)
    one = f"/dev/v1/resellers/{relationship}"
    path = f"{one}/embed-campaigns"
    made = await enabled.data("POST", path, json={"name": "A"}, status=201)
    await enabled.data("PATCH", f"{path}/{made['id']}", json={"status": "PAUSED"})

    async def refused(status: int) -> str:
        error = await enabled.refusal("POST", path, json={"name": "B"}, status=status)
        return str(error["code"])

    await enabled.data("PATCH", one, json={"mode": "STOCK"})
    assert await refused(400) == "RESELLER_MODE_NOT_ALLOWED"
    await enabled.data("PATCH", one, json={"mode": "AFFILIATE"})
    await enabled.data("PATCH", PROGRAM, json={"is_enabled": False})
    assert await refused(400) == "RESELLER_PROGRAM_DISABLED"
    await enabled.data("PATCH", PROGRAM, json={"is_enabled": True})
    await enabled.data("POST", f"{one}/suspend")
    assert await refused(409) == "INVALID_STATE"
    resumed = {"json": {"status": "ACTIVE"}, "status": 409}
    assert (await enabled.refusal("PATCH", f"{path}/{made['id']}", **resumed))["code"] == (
        "INVALID_STATE"
    )
    await enabled.data("POST", f"{one}/terminate")
    [left] = await enabled.data("GET", path)
    assert (left["status"], left["revoked_at"]) == ("REVOKED", "2026-03-02T12:00:00.000Z")


async def test_do_not_begin_behind_the_end_of_their_reseller(
    desk_database, desk_server, desk, enabled
):
    relationship = await accepted(desk_database, desk_server, enabled)
    path = f"/dev/v1/resellers/{relationship}/embed-campaigns"
    async with desk_database.begin() as tx:
        reseller = await tx.value("select id from resellers where shop_id = %s", (desk.id,))
        await move_reseller(
            tx,
            shop_id=desk.id,
            reseller_id=reseller,
            action="terminate",
            now=desk_server.clock.now(),
        )
        call = asyncio.create_task(enabled.send("POST", path, json={"name": "A"}))
        await waiting_for_a_lock(desk_database, behind=tx)

    assert (await call).status_code == 409
    assert await enabled.data("GET", path) == []


async def test_need_their_scope_and_their_own_relationship(
    desk_database, desk_server, desk, enabled, keys
):
    relationship = await accepted(desk_database, desk_server, enabled)
    path = f"/dev/v1/resellers/{relationship}/embed-campaigns"
    made = await enabled.data("POST", path, json={"name": "A"}, status=201)
    other = await accepted(desk_database, desk_server, enabled, email="other@example.com")

    reader = await keys("resellers.read")
    assert len(await reader.data("GET", path)) == 1
    for method, where in (("POST", path), ("PATCH", f"{path}/{made['id']}")):
        error = await reader.refusal(method, where, json={"name": "B"}, status=403)
        assert error["code"] == "FORBIDDEN"
    for method, where in (
        ("PATCH", f"/dev/v1/resellers/{other}/embed-campaigns/{made['id']}"),
        ("PATCH", f"{path}/{NOBODY}"),
        ("PATCH", f"/dev/v1/resellers/{made['id']}/embed-campaigns/{made['id']}"),
        ("POST", f"/dev/v1/resellers/{NOBODY}/embed-campaigns"),
        ("GET", f"/dev/v1/resellers/{NOBODY}/embed-campaigns"),
    ):
        options = {} if method == "GET" else {"json": {"name": "B"}}
        error = await enabled.refusal(method, where, status=404, **options)
        assert error["code"] == "NOT_FOUND"
    wrong = await enabled.fields_refused("PATCH", f"{path}/{made['id']}", json={})
    assert wrong == {"status": "or a name is required"}
    for body, field in (
        ({"name": None}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"status": "GONE"}, "status"),
    ):
        assert list(await enabled.fields_refused("PATCH", f"{path}/{made['id']}", json=body)) == [
            field
        ]
    assert await enabled.data("GET", path) == [made]


async def test_are_listed_after_a_cursor(desk_database, desk_server, desk, enabled):
    relationship = await accepted(desk_database, desk_server, enabled)
    path = f"/dev/v1/resellers/{relationship}/embed-campaigns"
    for name in "ABC":
        await enabled.data("POST", path, json={"name": name}, status=201)

    names, cursor = [], ""
    while True:
        page = await enabled.ask("GET", f"{path}?limit=1{cursor}")
        names += [each["name"] for each in page["data"]]
        if not page["pagination"]["has_more"]:
            break
        cursor = f"&cursor={page['pagination']['next_cursor']}"
    assert names == ["C", "B", "A"]
