"""A merchant's products, over the Developer API..."""

import asyncio
from decimal import Decimal

import pytest

from tests.conftest import NOON
from tests.support.factories import make_shop

PRODUCTS = "/dev/v1/products"
LICENCE = {"title": "Licence", "price": 29.99, "type": "SERIALS"}
TEXTS = ["AAA-1", "BBB-2", "CCC-3"]


async def add(merchant, **fields):
    """A product of serials, unless told otherwise."""
    return await merchant.data("POST", PRODUCTS, status=201, json={**LICENCE, **fields})


async def test_are_added_and_read_again(merchant):
    added = await add(merchant, description="<b>Good</b>", cost=10, serials="AAA-1\n BBB-2 \r\n\n")
    assert await merchant.data("GET", f"{PRODUCTS}/{added['id']}/") == added
    me = await merchant.data("GET", "/dev/v1/me")
    at = int(NOON.timestamp())
    wanted = {
        "uniqid": added["id"], "shop_id": me["id"], "slug": "licence", "type": "SERIALS",
        "title": "Licence", "name": "Licence", "description": "<b>Good</b>", "currency": "USD",
        "price": Decimal("29.99"), "price_display": "29.99", "cost": Decimal("10.00"), "image": None,
        "stock": 2, "available_stock": 2, "on_hold": False, "variants": [],
        "created_at": at, "updated_at": at,
    }  # fmt: skip
    assert {name: added[name] for name in wanted} == wanted


async def test_of_one_name_have_handles_of_their_own(merchant):
    assert [(await add(merchant))["slug"] for _ in range(3)] == [
        "licence",
        "licence-2",
        "licence-3",
    ]


async def test_without_serials_have_a_stock_or_none_at_all(merchant):
    limited = await add(merchant, type="SERVICE", stock=7)
    endless = await add(merchant, type="SERVICE", onHold=True)
    assert (limited["type"], limited["stock"], limited["on_hold"]) == ("SERVICE", 7, False)
    assert (endless["stock"], endless["available_stock"], endless["on_hold"]) == (-1, -1, True)
    told = await merchant.data("GET", f"{PRODUCTS}/{endless['id']}/stock")
    assert (told["stock"], told["available_stock"], told["unlimited"]) == (None, None, True)


async def test_that_are_malformed_are_refused_with_every_field(merchant):
    body = {"title": " ", "price": "x", "type": "CAR", "stock": -2, "cost": -1, "on_hold": "maybe"}
    wrong = await merchant.fields_refused("POST", PRODUCTS, json=body)
    assert set(wrong) == set(body)
    assert wrong["type"] == "must be one of SERIALS, SERVICE"
    wrong = await merchant.fields_refused(
        "POST", PRODUCTS, json={"price": 0.001, "currency": "EUR"}
    )
    assert set(wrong) == {"title", "type", "price", "currency"}
    assert await merchant.data("GET", PRODUCTS) == []


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"a"', b'{"title":"a"'])
async def test_are_not_made_of_what_is_no_object(merchant, body):
    error = await merchant.refusal("POST", PRODUCTS, status=422, content=body)
    assert error["code"] == "VALIDATION_ERROR"


async def test_are_changed_field_by_field(merchant, desk_server):
    added = await add(merchant, cost=10)
    path = f"{PRODUCTS}/{added['id']}"
    changed = await merchant.data(
        "PATCH", path, json={"title": "Key", "price": "19.5", "cost": None, "private": True, "x": 1}
    )
    wanted = {"title": "Key", "name": "Key", "price": Decimal("19.50"), "price_display": "19.50",
              "cost": None, "on_hold": True}  # fmt: skip
    assert changed == {**added, **wanted}
    assert await merchant.data("PATCH", path, json={}) == changed
    wrong = await merchant.fields_refused(
        "PATCH", path, json={"title": None, "stock": 3, "type": "SERVICE"}
    )
    assert set(wrong) == {"title", "stock", "type"}
    assert await merchant.data("GET", path) == changed


async def test_are_taken_out_of_sale_and_back(merchant, desk_database, desk):
    added = await add(merchant, on_hold=True)
    for sent in (False, True, False):
        told = await merchant.data("PATCH", f"{PRODUCTS}/{added['id']}", json={"on_hold": sent})
        assert told["on_hold"] is sent
        async with desk_database.statement() as tx:
            listed = await tx.value("select listed from variants where shop_id = %s", (desk.id,))
        assert listed is not sent
    stats = (await merchant.ask("GET", PRODUCTS))["stats"]
    assert stats == {"total": 1, "published": 1, "low_stock": 0, "out_of_stock": 1}


async def test_get_another_stock(merchant):
    added = await add(merchant, type="SERVICE", stock=7)
    path = f"{PRODUCTS}/{added['id']}"
    for sent, told in ((-1, -1), (3, 3), (0, 0)):
        assert (await merchant.data("PATCH", path, json={"stock": sent}))["stock"] == told


async def test_that_are_deleted_are_gone(merchant):
    added = await add(merchant)
    path = f"{PRODUCTS}/{added['id']}"
    await merchant.ask("DELETE", path, status=204)
    for method in ("GET", "PATCH", "DELETE"):
        assert (await merchant.refusal(method, path, status=404))["code"] == "NOT_FOUND"
    assert await merchant.data("GET", PRODUCTS) == []


async def test_are_listed_the_newest_first_page_by_page(merchant, desk_server):
    ids = [(await add(merchant, title=f"P{n}"))["id"] for n in range(5)]
    found, cursor = [], ""
    while True:
        page = await merchant.ask("GET", f"{PRODUCTS}/?limit=2{cursor}&page=9")
        found += [each["id"] for each in page["data"]]
        assert set(page["pagination"]) == {"next_cursor", "has_more"}
        if not page["pagination"]["has_more"]:
            break
        cursor = f"&cursor={page['pagination']['next_cursor']}"
    assert found == ids[::-1]
    assert page["stats"] == {"total": 5, "published": 5, "low_stock": 0, "out_of_stock": 5}


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "cursor=x", "cursor=e30", "cursor=%F0"]
)
async def test_are_not_listed_by_what_is_no_page(merchant, query):
    wrong = await merchant.fields_refused("GET", f"{PRODUCTS}?{query}")
    assert set(wrong) == {query.split("=")[0]}


async def test_of_another_shop_are_not_found(merchant, keys, desk_database):
    async with desk_database.begin() as tx:
        other = await make_shop(tx)
    theirs = await keys(shop_id=other.id)
    added = await add(theirs)
    for path in ("", "/stock", "/serials", "/variants", "/stock-movements"):
        await merchant.refusal("GET", f"{PRODUCTS}/{added['id']}{path}", status=404)
    for text in ("rel_123", "%2e%2e", "11111111-1111-4111-8111-111111111111", "é"):
        await merchant.refusal("GET", f"{PRODUCTS}/{text}", status=404)


async def test_are_found_by_a_part_of_the_name(merchant):
    for title in ("Red Shoe", "Blue shoe", "100% hat"):
        await add(merchant, title=title)
    for text, names in (("SHOE", ["Blue shoe", "Red Shoe"]), ("0%", ["100% hat"]), ("_", [])):
        found = await merchant.data("GET", f"{PRODUCTS}/search", params={"q": text})
        assert [each["title"] for each in found] == names


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ""),
        ("PATCH", "/x"),
        ("DELETE", "/x"),
        ("POST", "/x/serials"),
        ("POST", "/x/serials/claim"),
    ],
)
async def test_are_changed_only_with_the_scope(keys, method, path):
    reader = await keys("products.read")
    await reader.data("GET", PRODUCTS)
    error = await reader.refusal(method, f"{PRODUCTS}{path}", status=403, json={})
    assert (error["code"], error["message"]) == ("FORBIDDEN", "Missing required API scope.")


async def test_have_serials_that_are_listed_added_and_removed(merchant):
    added = await add(merchant)
    path = f"{PRODUCTS}/{added['id']}/serials"
    assert await merchant.data("POST", path, status=201, json={"serials": TEXTS}) == {
        "added_count": 3
    }
    page = await merchant.ask("GET", f"{path}?limit=2&page=2")
    assert page["pagination"] == {
        "total": 3,
        "page": 2,
        "limit": 2,
        "total_pages": 2,
        "has_more": False,
    }
    [last] = page["data"]
    assert (last["serial"], last["variant_id"], last["variant_title"]) == ("CCC-3", None, None)
    assert last["created_at"] == f"{NOON:%Y-%m-%dT%H:%M:%S}.000Z"
    for serial_ids, count in (([last["id"], "nothing"], 1), ([last["id"]], 0)):
        told = await merchant.data("DELETE", path, json={"serial_ids": serial_ids})
        assert told == {"removed_count": count}
    assert [each["serial"] for each in await merchant.data("GET", path)] == TEXTS[:2]


async def test_take_a_serial_once(merchant):
    added = await add(merchant, serials=TEXTS)
    path = f"{PRODUCTS}/{added['id']}/serials"
    body: dict[str, object] = {"serials": "AAA-1\nDDD-4\nDDD-4"}
    assert (await merchant.refusal("POST", path, status=409, json=body))["code"] == "CONFLICT"
    body["remove_duplicates"] = True
    assert await merchant.data("POST", path, status=201, json=body) == {"added_count": 1}
    assert await merchant.data("POST", path, status=201, json=body) == {"added_count": 0}
    assert [each["serial"] for each in await merchant.data("GET", path)] == [*TEXTS, "DDD-4"]


async def test_get_another_pool_of_serials(merchant):
    added = await add(merchant, serials=TEXTS)
    path = f"{PRODUCTS}/{added['id']}"
    changed = await merchant.data("PATCH", path, json={"serials": ["ZZZ-9", "BBB-2"]})
    assert changed["stock"] == 2
    assert [each["serial"] for each in await merchant.data("GET", f"{path}/serials")] == [
        "BBB-2",
        "ZZZ-9",
    ]
    assert (await merchant.data("PATCH", path, json={"serials": []}))["stock"] == 0


async def test_give_out_the_oldest_serials_once(merchant):
    added = await add(merchant, serials=TEXTS)
    path = f"{PRODUCTS}/{added['id']}/serials"
    first = await merchant.data("POST", f"{path}/claim", json={"amount": 2}, once="claim-1")
    assert first == {"claimed_count": 2, "remaining_stock": 1, "serials": TEXTS[:2]}
    again = await merchant.send("POST", f"{path}/claim", json={"amount": 2}, once="claim-1")
    assert (again.json()["data"], again.headers["idempotent-replayed"]) == (first, "true")
    error = await merchant.refusal("POST", f"{path}/claim", status=409, json={"amount": 2})
    assert error["code"] == "STOCK_UNAVAILABLE"
    assert await merchant.fields_refused("POST", f"{path}/claim", json={"amount": 501})
    error = await merchant.refusal("POST", path, status=409, json={"serials": TEXTS[:1]})
    assert error["code"] == "CONFLICT"
    assert (await merchant.data("GET", f"{PRODUCTS}/{added['id']}"))["stock"] == 1


async def test_give_each_serial_to_one_of_many_who_claim(merchant):
    texts = [f"KEY-{n}" for n in range(6)]
    added = await add(merchant, serials=texts)
    path = f"{PRODUCTS}/{added['id']}/serials/claim"
    replies = await asyncio.gather(
        *(merchant.send("POST", path, json={"amount": 2}) for _ in range(5))
    )
    assert sorted(reply.status_code for reply in replies) == [200, 200, 200, 409, 409]
    given = [s for r in replies if r.status_code == 200 for s in r.json()["data"]["serials"]]
    assert sorted(given) == texts


async def test_tell_what_moved_their_stock(merchant, desk_server):
    added = await add(merchant, serials=TEXTS)
    path = f"{PRODUCTS}/{added['id']}"
    await merchant.data("POST", f"{path}/serials/claim", json={"amount": 2})
    moved = await merchant.data("GET", f"{path}/stock-movements")
    told = [(each["type"], each["quantity"], each["details"]["reason"]) for each in moved]
    assert told == [("adjustment", -2, "serials claimed"), ("restock", 3, "serials added")]
    assert {each["variant_id"] for each in moved} == {None}


async def test_with_variants_have_a_pool_for_each(merchant, cards):
    path = f"{PRODUCTS}/{cards}"
    ten, twenty = await merchant.data("GET", f"{path}/variants")
    assert (ten["title"], ten["price"], ten["is_default"]) == ("Card - 10", Decimal("10.00"), True)
    page = await merchant.ask("GET", f"{path}/variants?limit=1")
    following = f"{path}/variants?limit=1&cursor={page['pagination']['next_cursor']}"
    assert (page["data"], await merchant.data("GET", following)) == ([ten], [twenty])
    serials = f"{path}/variants/{twenty['id']}/serials"
    await merchant.data("POST", serials, status=201, json={"serials": "V-1\nV-2"})
    [first, _] = await merchant.data("GET", serials)
    assert (first["variant_id"], first["variant_title"]) == (twenty["id"], "Card - 20")
    assert await merchant.data("DELETE", serials, json={"serial_ids": [first["id"]]}) == {
        "removed_count": 1
    }
    stock = await merchant.data("GET", f"{path}/stock")
    assert [each["stock"] for each in stock["variants"]] == [0, 1]
    assert await merchant.data("GET", f"{path}/variants/{ten['id']}/serials") == []
    assert set(await merchant.fields_refused("GET", f"{path}/serials")) == {"variant_id"}
    wrong = await merchant.fields_refused("PATCH", path, json={"price": 1, "serials": ["A"]})
    assert set(wrong) == {"price", "serials"}
    only = f"{path}/stock-movements?variant_id="
    assert len(await merchant.data("GET", only + twenty["id"])) == 2
    assert await merchant.data("GET", only + ten["id"]) == []
    await merchant.refusal("GET", only + cards, status=404)


async def test_sent_again_are_added_once(merchant):
    replies = [
        await merchant.send("POST", path, json=LICENCE, once="new-1")
        for path in (PRODUCTS, f"{PRODUCTS}/")
    ]
    assert [reply.status_code for reply in replies] == [201, 201]
    assert replies[0].json() == replies[1].json()
    assert [reply.headers.get("idempotent-replayed") for reply in replies] == [None, "true"]
    other = {**LICENCE, "price": 1}
    error = await merchant.refusal("POST", PRODUCTS, status=409, json=other, once="new-1")
    assert error["code"] == "IDEMPOTENCY_CONFLICT"
    assert len(await merchant.data("GET", PRODUCTS)) == 1


async def test_sent_again_with_the_shops_other_key_are_the_same(keys):
    first, second = await keys(), await keys()
    told = [
        await each.data("POST", PRODUCTS, status=201, json=LICENCE, once="both")
        for each in (first, second)
    ]
    assert told[0] == told[1]


async def test_that_were_refused_may_be_sent_again_with_the_same_key(merchant):
    wrong = {**LICENCE, "price": "free"}
    await merchant.fields_refused("POST", PRODUCTS, json=wrong, once="k")
    await merchant.data("POST", PRODUCTS, status=201, json=LICENCE, once="k")


@pytest.mark.parametrize(("key", "status"), [("", 422), ("a" * 256, 422), ("a" * 255, 201)])
async def test_take_keys_of_a_bounded_length(merchant, key, status):
    await merchant.ask("POST", PRODUCTS, status=status, json=LICENCE, once=key)


async def test_deleted_again_with_one_key_are_answered_alike(merchant):
    added = await add(merchant)
    for replayed in (None, "true"):
        reply = await merchant.send("DELETE", f"{PRODUCTS}/{added['id']}", once="del-1")
        assert (reply.status_code, reply.content) == (204, b"")
        assert reply.headers.get("idempotent-replayed") == replayed
