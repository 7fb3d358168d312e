"""The order feed..."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.events import DispatchSent, number_events, write_event
from crossdock.shop.orders import cancel_order
from tests.channels.shoppable.conftest import OpenStall, Stall
from tests.support.clocked import ClockedServer, clocked
from tests.support.shopper import ALWAYS, PERSON, add_shopper
from tests.support.shopping import Mall

DAY = timedelta(days=1)
NOON = "2026-03-02T12:00:00.000Z"


async def _number(stall: Stall) -> None:
    async with stall.mall.db.begin() as tx:
        await number_events(tx, shop_id=stall.mall.shop.id)


async def _orders(stall: Stall, **asked: Any) -> list[str]:
    """The numbers of the orders of a page, each once."""
    reply = await stall.shopper.feed(**asked)
    assert reply.status_code == 200, reply.text
    return list(dict.fromkeys(line["order_number"] for line in reply.json()))


def _exact(reply: httpx2.Response) -> Any:
    return reply.json(parse_float=Decimal)


async def test_logs_in_for_a_day_in_the_form_of_the_guide(
    stalls: OpenStall, mall_server: Any
) -> None:
    stall = await stalls()

    reply = await stall.shopper.log_in()

    [given] = reply.json()
    expire = int((mall_server.clock.now() + DAY).timestamp())
    assert (given["auth"], given["expire"]) == (True, expire)
    async with stall.mall.db.statement() as tx:
        kept = await tx.value("select string_agg(t::text, '') from access_tokens t")
    assert given["token"] not in kept


@pytest.mark.parametrize("changes", [{"password": "wrong"}, {"userId": "nobody"}])
async def test_refuses_a_wrong_pair(stalls: OpenStall, changes: dict[str, str]) -> None:
    stall = await stalls()

    reply = await stall.shopper.log_in(**changes)

    assert (reply.status_code, reply.json()) == (401, [{"auth": False, "token": "", "expire": 0}])


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"userId": "TEST"}', b'{"password": "x"}', b'{"userId": 7, "password": ""}'],
)
async def test_refuses_a_log_in_without_a_field(stalls: OpenStall, body: bytes) -> None:
    stall = await stalls()

    reply = await stall.shopper.send(
        "POST", "/auth/", content=body, headers={"Content-Type": "application/json"}
    )

    assert (reply.status_code, reply.json()["code"]) == (400, 400)


async def test_lets_wrong_pairs_wait(stalls: OpenStall) -> None:
    stall = await stalls()

    replies = [await stall.shopper.log_in(password="wrong") for _ in range(7)]

    assert [reply.status_code for reply in replies][-1] == 429
    assert replies[-1].headers["retry-after"].isdigit()
    assert (await stall.shopper.log_in()).status_code == 429


async def test_lets_wrong_pairs_wait_whatever_they_put_before_the_proxy_s_own_header(
    mall_database: Database, database_url: str, tmp_path: Path, mall_server: ClockedServer
) -> None:
    async with clocked(
        database_url=database_url,
        data_dir=str(tmp_path),
        clock=mall_server.clock,
        trusted_proxies=["127.0.0.1"],
    ) as server:
        mall = await Mall.open(mall_database, server.clock)
        _, opened = await add_shopper(mall_database, server.url, shop_id=mall.shop.id)
        async with opened as shopper:
            for place in range(7):
                reply = await shopper.send(
                    "POST",
                    "/auth",
                    json={"userId": shopper.user, "password": "wrong"},
                    headers=[
                        ("X-Forwarded-For", f"198.51.100.{place}"),
                        ("X-Forwarded-For", "203.0.113.9"),
                    ],
                )

    assert reply.status_code == 429


async def test_takes_its_token_from_either_header_and_no_other(stalls: OpenStall) -> None:
    stall = await stalls()
    token = (await stall.shopper.log_in()).json()[0]["token"]
    path = f"/v3/orderData/1/page/0/{ALWAYS}"

    for headers in (
        {"x-access-token": token, "Authorization": ""},
        {"Authorization": f"bearer {token}"},
    ):
        reply = await stall.shopper.send("GET", path, headers=headers)
        assert (reply.status_code, reply.json()) == (200, [])
    for headers in (
        {"Authorization": ""},
        {"Authorization": f"Bearer {stall.shopper.token}"},
        {"x-access-token": "x" * 32, "Authorization": ""},
    ):
        reply = await stall.shopper.send("GET", path, headers=headers)
        body = reply.json()
        assert (reply.status_code, body["auth"], isinstance(body["error"], str)) == (
            401,
            False,
            True,
        )
    catalogue = await stall.shopper.send(
        "GET", "/v3/catalog/", headers={"Authorization": f"Bearer {token}"}
    )
    assert (catalogue.status_code, catalogue.json()["code"]) == (401, 30002)


async def test_ends_with_its_token(stalls: OpenStall, mall_server: Any) -> None:
    stall = await stalls()
    clock: FrozenClock = mall_server.clock
    assert (await stall.shopper.feed()).status_code == 200

    clock.move(DAY)
    try:
        assert (await stall.shopper.feed()).status_code == 401
    finally:
        clock.move(-DAY)


async def test_needs_the_right(stalls: OpenStall) -> None:
    stall = await stalls(permissions=("catalog.read", "orders.read"))

    reply = await stall.shopper.feed()

    assert (reply.status_code, reply.json()["code"]) == (403, 30003)


async def test_tells_each_line_whole(stalls: OpenStall) -> None:
    stall = await stalls(settings={"domain": "blog.example"})
    mall = stall.mall
    first = await mall.merchant(shipping_flat_minor=595, commission_bp=1000)
    ten = await mall.variant(merchant_id=first, price_minor=1000)
    two = await mall.variant(price_minor=200)
    bought = await stall.shopper.buy((ten, 2), (two, 1), opt_in="yes")

    [line, other] = _exact(await stall.shopper.feed())

    order = await mall.order(bought[0]["id"])
    async with mall.db.statement() as tx:
        partner = await tx.value("select name from partners where id = %s", (stall.partner_id,))
    assert line.pop("sequence") == 0  # its change has no number yet
    merchant = order.parts[[p.merchant_id for p in order.parts].index(first)].merchant
    assert line == {
        "order_number": f"R{order.id:09d}", "partner_id": 10_000 + stall.partner_id,
        "total": "27.95", "shipping_total": "5.95", "id": order.id, "order_date": NOON,
        "order_status": "Pending", "item_total": "22.00", "opt_in": "true",
        "part_number": str(order.lines[0].product_id), "merchant_order_id": "",
        "product_name": order.lines[0].name, "upc": order.lines[0].upc, "brand": "",
        "sku": str(ten), "title": order.lines[0].name, "quantity": "2", "price": "10.00",
        "subtotal": "20.00", "merchant": merchant, "merchant_id": str(first), "prevStatus": "",
        "lineitem_id": order.lines[0].id, "lineitem_status": "Pending", "lineitem_url": "",
        "lineitem_image_url": "", "lineitem_color": "", "lineitem_size": "",
        "commission_rate": 10, "commission": "2.00", "merchant_total": "20.00",
        "tax": Decimal("0.00"), "partner_name": partner, "partner_domain": "blog.example",
        **{f"{kind}_{name}": text for kind in ("shipping", "billing") for name, text in PERSON.items()},
        **{f"{kind}_country": "US" for kind in ("shipping", "billing")},
        **{f"{kind}_{name}": "" for kind in ("shipping", "billing") for name in ("company", "street2")},
    }  # fmt: skip
    assert 10_000 <= line["lineitem_id"] < other["lineitem_id"]
    assert (other["commission_rate"], other["merchant_total"], other["shipping_total"]) == (
        0,
        "2.00",
        "0.00",
    )


async def test_has_pages_of_orders_in_a_range_with_both_ends(
    stalls: OpenStall, mall_server: Any
) -> None:
    stall = await stalls()
    good, other = await stall.mall.variant(own=50), await stall.mall.variant(own=50)
    clock: FrozenClock = mall_server.clock
    numbers = []
    for _ in range(3):
        numbers.append((await stall.shopper.buy((good, 1), (other, 1)))[0]["number"])
        clock.move(timedelta(minutes=1))
    clock.move(-timedelta(minutes=3))

    for page in range(3):
        lines = (await stall.shopper.feed(rows=1, page=page)).json()
        assert [line["order_number"] for line in lines] == [numbers[page]] * 2
    assert await _orders(stall, rows=1, page=3) == []
    assert await _orders(stall, rows=2, page=1) == numbers[2:]
    for start, end, found in (
        (NOON, "2026-03-02T12:02:00.000Z", numbers),
        (NOON, "2026-03-02T12:01:59.999Z", numbers[:2]),
        (NOON, NOON, numbers[:1]),
        ("2026-03-02T12:00:00.001Z", "2026-03-03", numbers[1:]),
        ("2026-03-02", "2026-03-02", numbers),
        ("20260302", "20260302", numbers),
        ("2026-W10-1", "2026W101", numbers),
        ("2026-03-02T13%3A00%3A00%2B01:00", "2026-03-02T14:01:00+02:00", numbers[:2]),
    ):
        assert await _orders(stall, span=f"startdate/{start}/enddate/{end}/") == found, start


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"rows": 0}, "rows"),
        ({"rows": 1001}, "rows"),
        ({"rows": "ten"}, "rows"),
        ({"page": -1}, "page"),
        ({"span": "startdate/yesterday/enddate/2026-03-02"}, "startdate"),
        ({"span": "startdate/2026-03-02/enddate/2026-02-30"}, "enddate"),
        ({"span": "startdate/2026-03-03/enddate/2026-03-02"}, "enddate"),
        ({"after": "-1"}, "after"),
        ({"after": "x"}, "after"),
        ({"after": 10**9}, "after"),
    ],
)
async def test_refuses_a_range_that_is_none(
    stalls: OpenStall, asked: dict[str, Any], named: str
) -> None:
    stall = await stalls()

    reply = await stall.shopper.feed(**asked)

    assert (reply.status_code, reply.json()["code"]) == (400, 50000)
    assert named in reply.json()["error"]


async def test_is_a_partner_s_own(stalls: OpenStall) -> None:
    stall, other = await stalls(), await stalls()
    await stall.shopper.buy((await stall.mall.variant(), 1))

    assert (await other.shopper.feed()).json() == []
    await _number(stall)
    await _number(other)
    assert (await other.shopper.feed(after=0)).json() == []


async def test_goes_on_after_a_number_and_tells_each_change_once(stalls: OpenStall) -> None:
    stall = await stalls()
    good = await stall.mall.variant()
    first, second = [(await stall.shopper.buy((good, 1)))[0] for _ in range(2)]
    await _number(stall)

    begun = await stall.shopper.feed(rows=1, after=0)
    after = int(begun.headers["x-next-after"])
    assert [(line["order_number"], line["sequence"]) for line in begun.json()] == [
        (first["number"], after)
    ]
    rest = await stall.shopper.feed(after=after)
    assert [line["order_number"] for line in rest.json()] == [second["number"]]
    after = int(rest.headers["x-next-after"])
    assert (await stall.shopper.feed(after=after)).json() == []

    async with stall.mall.db.begin() as tx:
        await cancel_order(
            tx, shop_id=stall.mall.shop.id, order_id=first["id"], now=stall.mall.clock.now()
        )
    await _number(stall)
    [again] = (await stall.shopper.feed(after=after)).json()
    assert (again["order_number"], again["order_status"], again["prevStatus"]) == (
        first["number"],
        "Canceled",
        "Pending",
    )


async def test_skips_no_change_whatever_the_dates_beside_a_number(stalls: OpenStall) -> None:
    stall = await stalls()
    [line] = await stall.shopper.buy((await stall.mall.variant(), 1))
    await _number(stall)

    past = "startdate/2020-01-01/enddate/2020-12-31"
    reply = await stall.shopper.feed(after=0, span=past)

    assert [fed["order_number"] for fed in reply.json()] == [line["number"]]
    assert (await stall.shopper.feed(span=past)).json() == []


async def test_tells_what_each_merchant_s_own_system_did(stalls: OpenStall) -> None:
    stall = await stalls()
    mall = stall.mall
    async with mall.db.begin() as tx:
        for name in ("one", "two"):
            await tx.run(
                "insert into connectors (shop_id, name, kind) values (%s, %s, 'webhook')",
                (mall.shop.id, name),
            )
    merchants = [await mall.merchant(connector=name) for name in ("one", "two")]
    goods = [await mall.variant(merchant_id=merchant) for merchant in merchants]
    bought = await stall.shopper.buy(*((good, 1) for good in goods))
    order = await mall.order(bought[0]["id"])
    assert {part.route for part in order.parts} == {"one", "two"}

    async def tell(connector: str, external_id: str) -> list[tuple[Any, ...]]:
        async with mall.db.begin() as tx:
            event = DispatchSent(connector=connector, external_id=external_id)
            await write_event(
                tx, shop_id=mall.shop.id, event=event, subject_id=order.id, now=mall.clock.now()
            )
        names = ("order_status", "lineitem_status", "prevStatus", "merchant_order_id")
        lines = (await stall.shopper.feed()).json()
        return [tuple(line[name] for name in names) for line in lines]

    assert await tell("one", "SO-1") == [
        ("Retailer processing", "Complete", "Pending", "SO-1"),
        ("Retailer processing", "Pending", "", ""),
    ]
    assert await tell("two", "SO-2") == [
        ("Complete", "Complete", "Pending", "SO-1"),
        ("Complete", "Complete", "Pending", "SO-2"),
    ]
    [one, _] = await stall.shopper.read(f"/v3/order/{bought[0]['number']}")
    assert (one["status"], one["completed_total"], one["completed_item_total"]) == (
        1,
        one["total"],
        one["item_total"],
    )
