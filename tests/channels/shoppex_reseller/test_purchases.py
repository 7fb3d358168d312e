"""A merchant's program, for stock that its resellers buy..."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from crossdock.channels.shoppex_reseller.ids import Kind, ShopIds
from crossdock.shop.resellers import Reseller
from tests.support.reseller_client import KeyHolder, add_key_holder
from tests.support.reselling import Licence, Reselling


class Desk(msgspec.Struct, frozen=True):
    """A merchant's key, a relationship and what it buys."""

    selling: Reselling
    reseller: Reseller
    licence: Licence
    http: KeyHolder
    ids: Any

    @property
    def path(self) -> str:
        return f"/dev/v1/resellers/{self.ids.write(Kind.RELATIONSHIP, self.reseller.id)}"

    @property
    def product(self) -> str:
        return str(self.ids.write(Kind.PRODUCT, self.licence.product_id))

    async def request(self, quantity: int = 25, **options: Any) -> Any:
        body = {"product_id": self.product, "quantity": quantity}
        return await self.http.data(
            "POST", f"{self.path}/stock-purchases", status=201, json=body, **options
        )


@pytest.fixture
async def buying(desk_database, desk_server) -> AsyncIterator[Desk]:
    selling = await Reselling.open(
        desk_database, desk_server.clock, channel="shoppex_reseller", default_discount_bp=3500
    )
    licence = await selling.licence(*(f"LIC-{n:03}" for n in range(30)), price_minor=1999)
    reseller, _ = await selling.reseller()
    _, name, key = await add_key_holder(desk_database, shop_id=selling.shop.id)
    ids = await ShopIds(desk_database).of(selling.shop.id)
    async with KeyHolder(desk_server.url, key=key, public_key=name) as http:
        yield Desk(selling, reseller, licence, http, ids)


async def test_requests_it_once(buying):
    once = "stock-request-rel-123-prod-123-25"
    made = await buying.request(once=once)
    again = await buying.request(once=once)
    assert again == made
    assert made.pop("created_at") == made.pop("requested_at") == made.pop("updated_at")
    shown = {name: made[name] for name in ("id", "product_title")}
    assert made == shown | {
        "reseller_relationship_id": buying.path.rsplit("/", 1)[1],
        "shop_id": buying.ids.write(Kind.SHOP, buying.selling.shop.id),
        "status": "REQUESTED", "product_id": buying.product, "variant_id": None,
        "variant_title": None, "quantity": 25, "unit_price": Decimal("19.99"),
        "wholesale_discount_percent": 35, "unit_wholesale_price": Decimal("12.99"),
        "total": Decimal("324.75"), "currency": "USD",
    }  # fmt: skip


async def test_lists_it_after_a_cursor(buying):
    made = [(await buying.request(n))["id"] for n in (1, 2, 3)]
    path = f"{buying.path}/stock-transfers"
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await buying.http.ask("GET", f"{path}?limit=1&cursor={cursor}")
        seen += [each["id"] for each in page["data"]]
        cursor = page["pagination"]["next_cursor"]
    assert seen == made[::-1]
    assert (await buying.http.data("GET", f"{path}/{made[0]}"))["quantity"] == 1
    for query, count in (
        ("status=requested", 3), ("status=PAID", 0), (f"product_id={buying.product}", 3),
        ("product_id=11111111-1111-4111-8111-111111111111", 0),
    ):  # fmt: skip
        assert len(await buying.http.data("GET", f"{path}?{query}")) == count
    assert list(await buying.http.fields_refused("GET", f"{path}?status=GONE")) == ["status"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"product_id": None}, "product_id"), ({"product_id": 7}, "product_id"),
        ({"quantity": 0}, "quantity"), ({"quantity": 1.5}, "quantity"),
        ({"quantity": 10_001}, "quantity"), ({"quantity": None}, "quantity"),
        ({"variant_id": "x"}, "variant_id"),
    ],
)  # fmt: skip
async def test_is_told_of_a_wrong_field(buying, change, field):
    body = {"product_id": buying.product, "quantity": 1} | change
    wrong = await buying.http.fields_refused("POST", f"{buying.path}/stock-purchases", json=body)
    assert list(wrong) == [field]


async def test_is_refused_in_the_channels_words(buying):
    path = f"{buying.path}/stock-purchases"

    async def code(status: int, **change: Any) -> str:
        body = {"product_id": buying.product, "quantity": 1} | change
        error = await buying.http.refusal("POST", path, status=status, json=body)
        return str(error["code"])

    assert await code(409, quantity=31) == "STOCK_UNAVAILABLE"
    assert await code(404, product_id="11111111-1111-4111-8111-111111111111") == "NOT_FOUND"
    await buying.selling.set(enabled=False)
    assert await code(400) == "RESELLER_PROGRAM_DISABLED"
    assert await buying.http.data("GET", f"{buying.path}/stock-transfers") == []


async def test_sees_nothing_of_another_shop(buying, desk_database, desk_server):
    made = await buying.request(1)
    other = await Reselling.open(desk_database, desk_server.clock, channel="shoppex_reseller")
    _, name, key = await add_key_holder(desk_database, shop_id=other.shop.id)
    async with KeyHolder(desk_server.url, key=key, public_key=name) as http:
        await http.refusal("POST", f"{buying.path}/stock-purchases", status=404,
                           json={"product_id": buying.product, "quantity": 1})  # fmt: skip
        await http.refusal("GET", f"{buying.path}/stock-transfers", status=404)
        await http.refusal("GET", f"{buying.path}/stock-transfers/{made['id']}", status=404)
    sibling, _ = await buying.selling.reseller("sibling@example.com")
    theirs = f"/dev/v1/resellers/{buying.ids.write(Kind.RELATIONSHIP, sibling.id)}"
    await buying.http.refusal("GET", f"{theirs}/stock-transfers/{made['id']}", status=404)
