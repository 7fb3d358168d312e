"""A list of products that was rendered before..."""

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.catalogue import (
    Image,
    MerchantRecord,
    ProductRecord,
    VariantRecord,
    upsert_merchants,
    upsert_products,
)
from crossdock.shop.partners import Terms, set_terms
from crossdock.shop.resellers import ProductTerms, ResellerTerms, add_key, change_terms
from crossdock.shop.shops import read_shop_by_id
from crossdock.shop.stock import StockRecord, adjust_stock
from tests.conftest import NOON
from tests.support.factories import ShopFixture, box, make_shop
from tests.support.reseller_client import KeyHolder, add_key_holder
from tests.support.reselling import Licence, Reselling
from tests.support.warehousing import Warehouse

UNLIMITED = {"rate_limit_per_minute": 0}
PRODUCTS, WARES = "/dev/v1/products", "/reseller/v1/products"
_fresh = itertools.count(1)


async def told(http: KeyHolder, path: str) -> Any:
    """The whole answer, which the plain path gives as well: nobody asked with this query before."""
    kept = await http.ask("GET", path)
    unknown = f"{path}{'&' if '?' in path else '?'}fresh={next(_fresh)}"
    assert kept == await http.ask("GET", unknown)
    return kept


class Office(msgspec.Struct, frozen=True):
    """A shop with goods, and the key of its back office, which read every list before."""

    db: Any
    shop: ShopFixture
    http: KeyHolder

    async def write(self, *records: ProductRecord) -> None:
        """Write products, as an import does."""
        async with self.db.begin() as tx:
            shop = await read_shop_by_id(tx, shop_id=self.shop.id)
            await upsert_products(tx, shop=shop, records=list(records), now=NOON)

    async def lists(self) -> dict[str, Any]:
        """Every answer of goods."""
        first = (await told(self.http, f"{PRODUCTS}?limit=50"))["data"][-1]["id"]
        paths = (
            PRODUCTS,
            f"{PRODUCTS}?limit=1",
            f"{PRODUCTS}/search?q=a",
            f"{PRODUCTS}/{first}",
            f"{PRODUCTS}/{first}/stock",
            f"{PRODUCTS}/{first}/variants",
        )
        return {path: await told(self.http, path) for path in paths}

    async def lamp(self) -> Any:
        """The lamp as the list tells it."""
        page = (await self.lists())[PRODUCTS]["data"]
        return next(each for each in page if each["slug"] == "lamp")

    async def variant(self, sku: str) -> int:
        """The number of a variant."""
        async with self.db.statement() as tx:
            found = await tx.value(
                "select id from variants where shop_id = %s and sku = %s", (self.shop.id, sku)
            )
        return int(found)


def lamp(price: int | None = 6000, *, own: int = 10, cost: int | None = None, **fields: Any) -> Any:
    """A lamp of one variant."""
    variant = VariantRecord(
        sku="LAMP-1", retail_minor=price, cost_minor=cost,
        stock=(StockRecord(pool="own", on_hand=own),),
    )  # fmt: skip
    given: dict[str, Any] = {
        "handle": "lamp", "name": "Lamp", "merchant": "Main", "currency": "USD",
        "variants": (variant,),
    }  # fmt: skip
    return ProductRecord(**given | fields)


def cap(**fields: Any) -> Any:
    """A cap."""
    variant = VariantRecord(
        sku="CAP-1", retail_minor=500, stock=(StockRecord(pool="own", on_hand=3),)
    )
    return lamp(handle="cap", name="A cap", variants=(variant,), **fields)


@pytest.fixture
async def office(desk_database: Any, desk: ShopFixture, keys: Any) -> Office:
    office = Office(desk_database, desk, await keys(settings=UNLIMITED))
    await office.write(lamp(), cap())
    assert await office.lists() == await office.lists()
    return office


async def test_costs_one_statement_that_lets_the_call_in(office, desk_server, monkeypatch):
    statements: list[str] = []

    async def note(query: str) -> None:
        statements.append(query)

    monkeypatch.setattr(desk_server.app.runtime.database, "_hook", note)
    await office.http.ask("GET", PRODUCTS)
    [only] = statements
    assert "confirm_metered_readers" in only


@pytest.mark.parametrize(
    ("changed", "field", "value"),
    [
        (lamp(7777), "price", Decimal("77.77")),
        (lamp(None), "price", None),
        (lamp(own=4), "stock", 4),
        (lamp(cost=1234), "cost", Decimal("12.34")),
        (lamp(name="Desk lamp"), "title", "Desk lamp"),
        (lamp(description="New words"), "description", "New words"),
        (
            lamp(images=(Image(url="https://img.example/new.jpg"),)),
            "image",
            "https://img.example/new.jpg",
        ),
        (lamp(enabled=False), "on_hold", True),
    ],
)
async def test_shows_at_once_what_was_imported(office, changed, field, value):
    before = await office.lamp()
    await office.write(changed)
    after = await office.lamp()
    assert before[field] != value
    assert after[field] == value


async def test_shows_at_once_what_was_sold(office):
    async with office.db.begin() as tx:
        await adjust_stock(
            tx, shop_id=office.shop.id, variant_id=await office.variant("LAMP-1"), difference=-8,
            now=NOON,
        )  # fmt: skip
    assert (await office.lamp())["stock"] == 2
    stats = (await told(office.http, PRODUCTS))["stats"]
    assert stats == {"total": 2, "published": 2, "low_stock": 2, "out_of_stock": 0}


async def test_shows_at_once_that_a_unit_left_the_warehouse(desk_database, keys):
    warehouse = await Warehouse.open(desk_database, FrozenClock(NOON))
    variant_id = await warehouse.variant(own=10)
    http = await keys(shop_id=warehouse.shop.id, settings=UNLIMITED)
    office = Office(desk_database, warehouse.shop, http)
    order_id = await warehouse.enter((variant_id, 1))
    await warehouse.start(order_id)
    await warehouse.pick(order_id, {1: 1})
    package_id = await warehouse.pack(order_id, {1: 1})
    before = await office.lists()
    await warehouse.ship(package_id)
    after = await office.lists()

    def stock(lists: dict[str, Any]) -> list[tuple[int, int]]:
        return [
            (each["stock"], each["available_stock"])
            for path, answer in lists.items()
            if not path.endswith("/variants")
            for each in (answer["data"] if isinstance(answer["data"], list) else [answer["data"]])
        ]

    assert set(stock(before)) == {(10, 9)}
    assert set(stock(after)) == {(9, 9)}


async def test_shows_at_once_what_came_and_what_went(office):
    await office.write(lamp(handle="radio", name="Radio", variants=(VariantRecord(sku="R-1"),)))
    assert [each["slug"] for each in (await told(office.http, PRODUCTS))["data"]] == [
        "radio",
        "cap",
        "lamp",
    ]
    gone = (await office.lamp())["id"]
    await office.http.ask("DELETE", f"{PRODUCTS}/{gone}", status=204)
    assert [each["slug"] for each in (await told(office.http, PRODUCTS))["data"]] == [
        "radio",
        "cap",
    ]
    await office.http.refusal("GET", f"{PRODUCTS}/{gone}", status=404)


async def test_shows_at_once_what_its_reader_changed_itself(office):
    path = f"{PRODUCTS}/{(await office.lamp())['id']}"
    for price in ("19.50", "19.60"):
        changed = await office.http.data("PATCH", path, json={"price": price, "cost": 1})
        assert await office.lamp() == changed
        assert (await told(office.http, path))["data"]["price"] == Decimal(price)


async def test_shows_at_once_that_serials_came_and_went(office):
    body = {"title": "Code", "price": 5, "type": "SERIALS", "serials": ["AAA-1"]}
    path = f"{PRODUCTS}/{(await office.http.data('POST', PRODUCTS, status=201, json=body))['id']}"
    for sent, count in ((["BBB-1", "BBB-2"], 2), ([], 0)):
        await office.lists()
        await office.http.data("PATCH", path, json={"serials": sent})
        assert (await told(office.http, f"{path}/stock"))["data"]["stock"] == count
        assert (await told(office.http, PRODUCTS))["data"][0]["stock"] == count


async def test_shows_at_once_that_a_merchant_is_out_of_sale(office):
    async with office.db.begin() as tx:
        record = MerchantRecord(name="Main", enabled=False)
        await upsert_merchants(tx, shop_id=office.shop.id, records=[record], now=NOON)
    await office.lists()


async def test_is_no_other_callers_list(office, keys, desk_database):
    async with desk_database.begin() as tx:
        other = await make_shop(tx)
        merchant = await tx.value(
            "insert into merchants (shop_id, slug, name) values (%s, 'acme', 'Acme') returning id",
            (office.shop.id,),
        )
    await office.write(
        lamp(handle="fan", name="Fan", merchant="Acme", variants=(VariantRecord(sku="F"),))
    )
    some, theirs = await keys(visible_merchants=(merchant,)), await keys(shop_id=other.id)
    for _ in range(2):
        lists = [
            [each["slug"] for each in (await told(http, PRODUCTS))["data"]]
            for http in (office.http, some, theirs)
        ]
        assert lists == [["fan", "cap", "lamp"], ["fan"], []]


async def test_is_told_only_with_the_scope_and_only_where_it_was_no_refusal(office, keys):
    poor = await keys("orders.read")
    for _ in range(2):
        assert (await poor.refusal("GET", PRODUCTS, status=403))["code"] == "FORBIDDEN"
        await office.http.fields_refused("GET", f"{PRODUCTS}?limit=0")
    assert len((await told(office.http, PRODUCTS))["data"]) == 2


async def test_tells_what_is_left_of_the_limit_now(desk_database, desk, desk_server):
    partner_id, _, key = await add_key_holder(desk_database, shop_id=desk.id)
    async with desk_database.begin() as tx:
        terms = Terms(settings={"rate_limit_per_minute": 1})
        await set_terms(tx, partner_id=partner_id, terms=terms)
    async with KeyHolder(desk_server.url, key=key) as http:
        replies = [await http.send("GET", PRODUCTS) for _ in range(61)]
    left = [int(reply.headers["x-ratelimit-remaining"]) for reply in replies]
    assert (left[:2], left[-2:]) == ([59, 58], [0, 0])
    assert [reply.status_code for reply in replies] == [200] * 60 + [429]
    assert len({reply.content for reply in replies[:60]}) == 1


class Store(msgspec.Struct, frozen=True):
    """A reseller's own shop, which read its list before."""

    selling: Reselling
    relationship: int
    licence: Licence
    http: KeyHolder

    async def only(self) -> Any:
        """The only product of the list."""
        page = await told(self.http, WARES)
        assert page["pagination"]["total"] == len(page["data"]) == 1
        return page["data"][0]

    async def agree(self, **terms: Any) -> None:
        """Change the terms of the relationship."""
        async with self.selling.database.begin() as tx:
            await change_terms(
                tx, shop_id=self.selling.shop.id, reseller_id=self.relationship,
                terms=ResellerTerms(**terms), now=NOON,
            )  # fmt: skip


@pytest.fixture
async def store(desk_database: Any, desk_server: Any) -> AsyncIterator[Store]:
    selling = await Reselling.open(
        desk_database, desk_server.clock, channel="shoppex_reseller", default_discount_bp=3500
    )
    licence = await selling.licence("ABC-1", "ABC-2", "ABC-3", price_minor=1000)
    reseller, partner = await selling.reseller()
    async with desk_database.begin() as tx:
        await set_terms(tx, partner_id=partner.id, terms=Terms(settings=UNLIMITED))
        made = await add_key(
            tx, shop_id=selling.shop.id, reseller_id=reseller.id, prefix="shr_", ids=RandomIds(),
            box=box(),
        )  # fmt: skip
    async with KeyHolder(desk_server.url, key=made.secret) as http:
        store = Store(selling, reseller.id, licence, http)
        assert (await store.only())["wholesale_price"] == "6.50"
        yield store


async def test_shows_the_terms_of_a_relationship_and_of_the_programme_at_once(store):
    for change, price in (
        (store.agree(discount_bp=5000), "5.00"),
        (store.agree(discount_bp=None), "6.50"),
        (store.selling.set(default_discount_bp=1000), "9.00"),
        (
            store.agree(
                products=(ProductTerms(product_id=store.licence.product_id, wholesale_minor=123),)
            ),
            "1.23",
        ),
    ):
        await change
        assert (await store.only())["wholesale_price"] == price
    await store.agree(products=())
    assert (await told(store.http, WARES))["data"] == []
    await store.agree(products=None)
    assert (await store.only())["wholesale_price"] == "9.00"


async def test_shows_a_resellers_goods_their_prices_and_stock_at_once(store):
    await store.selling.licence("DEF-1", price_minor=1999)
    page = await told(store.http, WARES)
    assert [each["wholesale_price"] for each in page["data"]] == ["6.50", "12.99"]
    _, partner = await store.selling.reseller("other@example.com", credit_minor=10_000)
    await store.selling.fulfil(partner, store.licence)
    assert (await told(store.http, WARES))["data"][0]["stock"] == 2


async def test_shows_a_reseller_by_the_clock_alone_that_a_sale_ended(store, desk_server):
    async with store.selling.database.begin() as tx:
        shop = await read_shop_by_id(tx, shop_id=store.selling.shop.id)
        variant = VariantRecord(
            sku="SALE", retail_minor=2000, sale_minor=1000, sale_ends_at=NOON + timedelta(hours=1)
        )
        record = lamp(virtual=True, variants=(variant,))
        await upsert_products(tx, shop=shop, records=[record], now=NOON)
    prices = []
    for moved in (0, 1, -1):
        desk_server.clock.move(timedelta(hours=moved))
        page = await told(store.http, WARES)
        prices.append(page["data"][1]["base_price"])
    assert prices == ["10.00", "20.00", "10.00"]


async def test_is_no_other_resellers_list(store, desk_server):
    other, _ = await store.selling.reseller("other@example.com", discount_bp=100)
    async with store.selling.database.begin() as tx:
        made = await add_key(
            tx, shop_id=store.selling.shop.id, reseller_id=other.id, prefix="shr_",
            ids=RandomIds(), box=box(),
        )  # fmt: skip
    async with KeyHolder(desk_server.url, key=made.secret) as http:
        for _ in range(2):
            prices = [
                (await told(each, WARES))["data"][0]["wholesale_price"]
                for each in (store.http, http)
            ]
            assert prices == ["6.50", "9.90"]
