"""A reseller's own shop, with the key of its relationship..."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx2
import msgspec
import pytest
from structlog.testing import capture_logs

from crossdock.channels.shoppex_reseller.ids import Kind, ShopIds
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import Partner, Terms, set_terms
from crossdock.shop.resellers import Reseller, add_key, move_reseller
from tests.support.factories import box, make_variant, receive
from tests.support.reseller_client import KeyHolder
from tests.support.reselling import Licence, Reselling

FULFILLMENTS = "/reseller/v1/fulfillments"
DYNAMIC = f"{FULFILLMENTS}/dynamic"


class Store(msgspec.Struct, frozen=True):
    """A reseller's shop and what it sells."""

    selling: Reselling
    reseller: Reseller
    partner: Partner
    licence: Licence
    key: str
    http: KeyHolder
    ids: Any

    @property
    def product(self) -> str:
        return str(self.ids.write(Kind.PRODUCT, self.licence.product_id))

    def order(self, **more: Any) -> dict[str, Any]:
        """The body of the seed."""
        return {
            "external_order_id": "order-1001",
            "customer_email": "buyer@example.com",
            "product_id": self.product,
            "quantity": 1,
        } | more

    async def credit(self, amount_minor: int) -> None:
        async with self.selling.database.begin() as tx:
            await self.selling.credit(tx, self.reseller, amount_minor)

    async def balance(self) -> str:
        return str((await self.http.data("GET", "/reseller/v1/balance"))["balance"])


@pytest.fixture
async def store(desk_database, desk_server) -> AsyncIterator[Store]:
    selling = await Reselling.open(
        desk_database, desk_server.clock, channel="shoppex_reseller", default_discount_bp=3500
    )
    licence = await selling.licence("ABC-1", "ABC-2", "ABC-3", price_minor=1000)
    reseller, partner = await selling.reseller(credit_minor=10_000)
    async with desk_database.begin() as tx:
        made = await add_key(
            tx,
            shop_id=selling.shop.id,
            reseller_id=reseller.id,
            prefix="shr_",
            ids=RandomIds(),
            box=box(),
        )
    ids = await ShopIds(desk_database).of(selling.shop.id)
    async with KeyHolder(desk_server.url, key=made.secret) as http:
        yield Store(selling, reseller, partner, licence, made.secret, http, ids)


async def test_is_told_who_it_is(store):
    told = await store.http.data("GET", "/reseller/v1/me")
    key = told.pop("api_key")
    assert key.pop("id")
    assert key["prefix"] == f"{store.key[:8]}…"
    assert key["created_at"].endswith("Z")
    assert told == {
        "relationship": {
            "id": store.ids.write(Kind.RELATIONSHIP, store.reseller.id),
            "status": "ACTIVE", "mode": "BOTH", "email": "partner@example.com",
        },
        "shop": {
            "id": store.ids.write(Kind.SHOP, store.selling.shop.id),
            "name": "Test shop", "currency": "USD",
        },
        "tier": None,
    }  # fmt: skip


async def test_gets_serials_for_its_balance_once(store):
    once = "order-1001-line-1"
    made = await store.http.data("POST", FULFILLMENTS, json=store.order(), status=201, once=once)
    again = await store.http.data("POST", FULFILLMENTS, json=store.order(), once=once)
    in_body = await store.http.data(
        "POST", FULFILLMENTS, json=store.order(idempotency_key=once, variant_id=None)
    )
    assert (made.pop("reused"), again.pop("reused"), in_body.pop("reused")) == (False, True, True)
    assert made == again == in_body
    assert made.pop("created_at") == made.pop("delivered_at")
    found = made.pop("id")
    assert made == {
        "reseller_relationship_id": store.ids.write(Kind.RELATIONSHIP, store.reseller.id),
        "external_order_id": "order-1001", "idempotency_key": once, "status": "DELIVERED",
        "delivered": True, "product_id": store.product, "product_title": made["product_title"],
        "variant_id": None, "variant_title": None, "quantity": 1,
        "customer_email": "buyer@example.com", "unit_wholesale_price": "6.50", "total": "6.50",
        "currency": "USD", "balance_after": "93.50", "serials": ["ABC-1"],
    }  # fmt: skip
    assert await store.balance() == "93.50"
    read = await store.http.data("GET", f"{FULFILLMENTS}/{found}")
    assert (read["serials"], read["reused"]) == (["ABC-1"], False)
    assert await store.selling.written(store.licence) == (1, 1, 1, 2)


async def test_asks_fifty_times_at_once_and_pays_once(store):
    async with store.selling.database.begin() as tx:
        unlimited = Terms(settings={"rate_limit_per_minute": 0})
        await set_terms(tx, partner_id=store.partner.id, terms=unlimited)

    async def ask() -> httpx2.Response:
        """Ask until the answer is not that the server is busy."""
        while True:
            reply = await store.http.send("POST", FULFILLMENTS, json=store.order(), once="line-1")
            if reply.status_code != 503:
                return reply

    replies = await asyncio.gather(*(ask() for _ in range(50)))
    assert sorted({reply.status_code for reply in replies}) == [200, 201]
    assert [reply.status_code for reply in replies].count(201) == 1
    assert len({reply.json()["data"]["id"] for reply in replies}) == 1
    assert await store.selling.written(store.licence) == (1, 1, 1, 2)
    assert await store.balance() == "93.50"


async def test_tops_up_and_succeeds_with_the_same_key(store):
    await store.credit(-9_351)
    error = await store.http.refusal("POST", FULFILLMENTS, json=store.order(), status=402, once="k")
    assert (error["code"], error["message"]) == (
        "INSUFFICIENT_BALANCE",
        "Insufficient reseller prepaid balance",
    )
    assert await store.selling.written(store.licence) == (0, 0, 1, 3)
    await store.credit(1)
    made = await store.http.data("POST", FULFILLMENTS, json=store.order(), status=201, once="k")
    assert made["balance_after"] == "0.00"


async def test_finds_no_stock_and_keeps_its_balance(store):
    error = await store.http.refusal("POST", FULFILLMENTS, json=store.order(quantity=4), status=409)
    assert (error["code"], error["message"]) == (
        "STOCK_UNAVAILABLE",
        "Fulfillment stock is unavailable",
    )
    assert await store.balance() == "100.00"


async def test_may_not_reuse_a_key_for_something_else(store):
    await store.http.data("POST", FULFILLMENTS, json=store.order(), status=201, once="k")
    error = await store.http.refusal(
        "POST", FULFILLMENTS, json=store.order(quantity=2), status=409, once="k"
    )
    assert error["code"] == "IDEMPOTENCY_CONFLICT"
    other = await store.http.data("POST", FULFILLMENTS, json=store.order(), status=201, once="l")
    without = await store.http.data("POST", FULFILLMENTS, json=store.order())
    assert (other["serials"], without["reused"]) == (["ABC-2"], True)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"external_order_id": ""}, "external_order_id"),
        ({"external_order_id": "x" * 129}, "external_order_id"),
        ({"customer_email": "nobody"}, "customer_email"),
        ({"product_id": None}, "product_id"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 1.5}, "quantity"),
        ({"quantity": 1001}, "quantity"),
        ({"idempotency_key": ""}, "idempotency_key"),
        ({"idempotency_key": "x" * 256}, "idempotency_key"),
        ({"variant_id": "x"}, "variant_id"),
    ],
)
async def test_is_told_of_a_wrong_field(store, change, field):
    wrong = await store.http.fields_refused("POST", FULFILLMENTS, json=store.order(**change))
    assert list(wrong) == [field]


async def test_is_refused_by_the_programmes_rules(store):
    async def refused(status: int = 400, **change: Any) -> str:
        error = await store.http.refusal(
            "POST", FULFILLMENTS, json=store.order(**change), status=status
        )
        return str(error["code"])

    async with store.selling.database.begin() as tx:
        variant = await make_variant(tx, shop=store.selling.shop, own=5)
        number = await tx.value("select product_id from variants where id = %s", (variant,))
    goods = store.ids.write(Kind.PRODUCT, number)
    assert await refused(status=404, product_id="11111111-1111-4111-8111-111111111111") == (
        "NOT_FOUND"
    )
    assert await refused(product_id=goods) == "PRODUCT_NOT_FULFILLABLE"
    await store.selling.set(enabled=False)
    assert await refused() == "RESELLER_PROGRAM_DISABLED"


async def test_calls_an_address_alone(store, desk_server):
    address = f"{desk_server.url}{DYNAMIC}?" + urlencode(
        store.order(api_key=store.key, external_order_id="order 7+8")
    )
    async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=60) as http:
        first, again, posted = (
            await http.get(address),
            await http.get(address),
            await http.post(address),
        )
        as_text = await http.get(f"{address}&format=text")
        by_header = await http.get(address, headers={"Accept": "text/plain"})
        head = await http.head(address)
    assert [each.status_code for each in (first, again, posted)] == [201, 200, 200]
    assert first.json()["data"]["external_order_id"] == "order 7+8"
    assert first.headers["cache-control"] == "no-store"
    assert first.headers["referrer-policy"] == "no-referrer"
    assert (as_text.text, by_header.text) == ("ABC-1", "ABC-1")
    assert as_text.headers["content-type"] == "text/plain; charset=utf-8"
    assert (head.status_code, head.headers["allow"]) == (405, "GET, POST")
    assert await store.selling.written(store.licence) == (1, 1, 1, 2)


@pytest.mark.parametrize(
    "missing", ["external_order_id", "customer_email", "product_id", "quantity"]
)
async def test_calls_an_address_with_everything_it_needs(store, desk_server, missing):
    query = store.order(api_key=store.key)
    del query[missing]
    async with KeyHolder(desk_server.url, key="") as http:
        wrong = await http.fields_refused("GET", f"{DYNAMIC}?{urlencode(query)}")
        query = store.order(api_key="shr_" + "a" * 32)
        error = await http.refusal("GET", f"{DYNAMIC}?{urlencode(query)}", status=401)
    assert list(wrong) == [missing]
    assert error["message"] == "Invalid or inactive reseller API key"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Sec-Purpose", "prefetch;prerender"), ("Purpose", "Prefetch"), ("X-Moz", "prefetch"),
        ("X-Purpose", "preview"),
    ],
)  # fmt: skip
async def test_buys_nothing_by_an_address_that_is_only_previewed(store, desk_server, header, value):
    address = f"{desk_server.url}{DYNAMIC}?" + urlencode(store.order(api_key=store.key))
    async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=60) as http:
        reply = await http.get(address, headers={header: value})
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, POST")
    assert await store.selling.written(store.licence) == (0, 0, 0, 3)


async def test_leaves_neither_its_key_nor_a_serial_in_the_log(store, desk_server):
    address = f"{desk_server.url}{DYNAMIC}?" + urlencode(store.order(api_key=store.key))
    with capture_logs() as records:
        async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=60) as http:
            reply = await http.get(address)
            await http.get(address.replace("quantity=1", "quantity=x"))
    assert reply.json()["data"]["serials"] == ["ABC-1"]
    requests = [record for record in records if record.get("path") == DYNAMIC]
    assert [record["status"] for record in requests] == [201, 422]
    assert store.key not in str(records)
    assert "ABC-1" not in str(records)


async def test_may_send_its_key_in_an_address_nowhere_else(store, desk_server):
    async with KeyHolder(desk_server.url, key="") as http:
        await http.refusal("GET", f"/reseller/v1/balance?api_key={store.key}", status=401)


async def test_is_refused_while_its_relationship_is_not_active(store):
    async with store.selling.database.begin() as tx:
        await move_reseller(
            tx,
            shop_id=store.selling.shop.id,
            reseller_id=store.reseller.id,
            action="suspend",
            now=store.selling.clock.now(),
        )
    for method, path in (("GET", "/reseller/v1/me"), ("POST", FULFILLMENTS)):
        body = store.order() if method == "POST" else None
        error = await store.http.refusal(method, path, json=body, status=401)
        assert (error["code"], error["message"]) == (
            "UNAUTHORIZED",
            "Invalid or inactive reseller API key",
        )


async def test_may_not_manage_the_shop_nor_see_another_relationship(store, keys, desk_server):
    await store.http.refusal("GET", "/dev/v1/resellers", status=401)
    merchant = await keys(shop_id=store.selling.shop.id)
    await merchant.refusal("GET", "/reseller/v1/balance", status=401)
    made = await store.http.data("POST", FULFILLMENTS, json=store.order(), status=201)
    other, _ = await store.selling.reseller("other@example.com")
    async with store.selling.database.begin() as tx:
        key = await add_key(
            tx,
            shop_id=store.selling.shop.id,
            reseller_id=other.id,
            prefix="shr_",
            ids=RandomIds(),
            box=box(),
        )
    async with KeyHolder(desk_server.url, key=key.secret) as stranger:
        await stranger.refusal("GET", f"{FULFILLMENTS}/{made['id']}", status=404)
    await store.http.refusal("GET", f"{FULFILLMENTS}/nonsense", status=404)


async def test_sees_the_products_that_it_may_have_fulfilled(store):
    await store.selling.licence("DEF-1", price_minor=1999)
    async with store.selling.database.begin() as tx:
        await make_variant(tx, shop=store.selling.shop, own=5)
    whole = await store.http.ask("GET", "/reseller/v1/products?page=1&per_page=1")
    assert whole["pagination"] == {
        "total": 2, "page": 1, "limit": 1, "per_page": 1, "total_pages": 2, "has_more": True,
    }  # fmt: skip
    [shown] = whole["data"]
    assert shown == {
        "product_id": store.product, "uniqid": store.product, "title": shown["title"],
        "type": "SERIALS", "orderable": True, "stock": 3, "currency": "USD",
        "base_price": "10.00", "wholesale_price": "6.50", "discount_percent": 35,
        "custom_fields": [], "variants": [],
    }  # fmt: skip
    [second] = await store.http.data("GET", "/reseller/v1/products?page=2&per_page=1")
    assert (second["wholesale_price"], second["stock"]) == ("12.99", 1)
    async with store.selling.database.begin() as tx:
        await tx.run(
            "update variants set retail_minor = null where shop_id = %s and retail_minor = 1999",
            (store.selling.shop.id,),
        )
    [priced] = await store.http.data("GET", "/reseller/v1/products")
    assert priced["product_id"] == store.product


async def test_is_not_offered_units_that_have_no_serial(store):
    """A level counts what was received without serials as well; only serials are delivered."""
    bare = await store.selling.licence()
    async with store.selling.database.begin() as tx:
        for variant_id in (bare.variant_id, store.licence.variant_id):
            await receive(tx, shop=store.selling.shop, variant_id=variant_id, quantity=5)
    shown = await store.http.data("GET", "/reseller/v1/products")
    assert [(each["stock"], each["orderable"]) for each in shown] == [(3, True), (0, False)]
