"""An order of several goods by a reseller's own shop..."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from psycopg.types.json import Jsonb

from crossdock.channels.shoppex_reseller.ids import Kind, ShopIds
from crossdock.channels.shoppex_reseller.reseller_happenings import RESELLER_NAMES, reseller_data
from crossdock.errors import Invalid
from crossdock.kit.ids import RandomIds
from crossdock.shop.doctor import CHECKS
from crossdock.shop.events import number_events, read_events
from crossdock.shop.mailing import Mailing, list_mails
from crossdock.shop.orders import plan_order_refund, replace_bought_serials
from crossdock.shop.resellers import Reseller, add_key, analyse, read_lines, read_statement
from tests.support.factories import box, level
from tests.support.reseller_client import KeyHolder
from tests.support.reselling import Licence, Reselling

ORDERS = "/reseller/v1/orders"


class Store(msgspec.Struct, frozen=True):
    """A reseller's shop that sells two licences, at 6.50 and 13.00."""

    selling: Reselling
    reseller: Reseller
    licences: tuple[Licence, Licence]
    http: KeyHolder
    ids: Any

    def items(self, *quantities: int) -> dict[str, Any]:
        """So many of each licence."""
        wanted = [
            {"product_id": self.ids.write(Kind.PRODUCT, licence.product_id), "quantity": quantity}
            for licence, quantity in zip(self.licences, quantities, strict=False)
        ]
        return {"items": wanted}

    async def written(self) -> tuple[Any, ...]:
        """(balance, orders, units of each licence that are left)."""
        left = []
        async with self.selling.database.statement() as tx:
            orders = await tx.value(
                "select count(*) from orders where shop_id = %s", (self.selling.shop.id,)
            )
            for licence in self.licences:
                found = await level(tx, shop_id=self.selling.shop.id, variant_id=licence.variant_id)
                left.append(found[3])
        balance = (await self.http.data("GET", "/reseller/v1/balance"))["balance"]
        return balance, orders, *left


@pytest.fixture
async def store(desk_database, desk_server) -> AsyncIterator[Store]:
    selling = await Reselling.open(
        desk_database, desk_server.clock, channel="shoppex_reseller", default_discount_bp=3500
    )
    cheap = await selling.licence("A-1", "A-2", "A-3", price_minor=1_000)
    dear = await selling.licence("B-1", "B-2", price_minor=2_000)
    reseller, _ = await selling.reseller(credit_minor=10_000, limit_daily=4)
    async with desk_database.begin() as tx:
        made = await add_key(
            tx, shop_id=selling.shop.id, reseller_id=reseller.id, prefix="shr_", ids=RandomIds(),
            box=box(),
        )  # fmt: skip
    ids = await ShopIds(desk_database).of(selling.shop.id)
    async with KeyHolder(desk_server.url, key=made.secret) as http:
        yield Store(selling, reseller, (cheap, dear), http, ids)


async def test_is_delivered_and_debited_at_once_and_read_again(store):
    made = await store.http.data("POST", ORDERS, status=201, json=store.items(2, 1), once="o-1")
    order = made["order"]
    assert (order["status"], order["total"], order["reused"]) == ("COMPLETED", "26.00", False)
    assert [each["serials"] for each in made["deliverables"]] == [["A-1", "A-2"], ["B-1"]]
    assert [each["total"] for each in made["deliverables"]] == ["13.00", "13.00"]
    assert [each["variant_id"] for each in made["deliverables"]] == [None, None]
    assert all(each["delivered"] for each in made["deliverables"])
    assert await store.written() == ("74.00", 1, 1, 1)
    again = await store.http.data("GET", f"{ORDERS}/{order['uniqid']}")
    assert again["lines"] == made["deliverables"]
    async with store.selling.database.statement() as tx:
        statement = await read_statement(
            tx,
            shop_id=store.selling.shop.id,
            reseller_id=store.reseller.id,
            until=store.selling.clock.now() + timedelta(days=1),
        )
        lines = await read_lines(tx, statement=statement)
    assert [each.amount_minor for each in lines] == [10_000, -2_600]
    assert await faults(store) == []


async def test_is_told_and_counted_item_by_item(store):
    made = await store.http.data("POST", ORDERS, status=201, json=store.items(2, 1), once="o-1")
    await store.http.data("POST", ORDERS, json=store.items(2, 1), once="o-1")
    shop_id = store.selling.shop.id
    async with store.selling.database.begin() as tx:
        await number_events(tx, shop_id=shop_id)
        events = await read_events(tx, shop_id=shop_id, topics=("resellers",))
        counted = await analyse(tx, shop_id=shop_id, reseller_id=store.reseller.id)
    told = [
        each
        for event in events
        if event.kind == "reseller.order_delivered"
        for each in reseller_data(event, store.ids, shop_id=shop_id)
    ]
    order = made["order"]["uniqid"]
    assert [(each["product_id"], each["quantity"], str(each["total"])) for each in told] == [
        (each["product_id"], each["quantity"], each["total"]) for each in made["deliverables"]
    ]
    assert {(each["id"], each["fulfillment_id"], each["variant_id"]) for each in told} == {
        (order, order, None)
    }
    assert told[0]["reseller_email"] == store.reseller.email
    assert {RESELLER_NAMES[event.kind] for event in events} >= {
        "reseller:api_fulfillment_delivered"
    }
    assert not any("A-1" in str(each) for each in told)
    sums = counted.fulfilments
    assert (sums.count, sums.units, sums.wholesale_minor) == (2, 3, 2_600)


async def test_is_compared_by_the_doctor_with_its_serials_and_the_ledger(store):
    await store.http.data("POST", ORDERS, status=201, json=store.items(2, 1), once="o-1")
    assert await faults(store) == []
    async with store.selling.database.begin() as tx:
        await tx.run(
            "update serials x set replaced_at = now(), revoked_at = now() from serial_sales b where b.shop_id = %s"
            " and b.line_no = 1 and x.shop_id = b.shop_id and x.id = b.serial_id",
            (store.selling.shop.id,),
        )
    assert "resellers paid for the orders of their shops" in await faults(store)


async def faults(store):
    """The doctor's checks that find something wrong in this shop."""
    found = []
    async with store.selling.database.begin() as tx:
        for check, query in CHECKS.items():
            rows = await tx.all(f"{query}")
            found += [
                check for row in rows if row[3] and f"shop {store.selling.shop.id} " in f"{row[0]} "
            ]
    return found


async def test_reads_what_its_limits_used_once_for_all_its_items(store):
    """The statement runs while the relationship is locked."""
    asked = [
        {"product_id": each.product_id, "variant_id": None} for each in store.licences for _ in "ab"
    ]
    async with store.selling.database.begin() as tx:
        await tx.run("set local track_functions = 'all'")
        found = await tx.value(
            "select prepare_reseller_order(%s, %s, %s, null, null, %s)",
            (
                *(store.selling.shop.id, store.reseller.partner_id),
                *(Jsonb(asked), store.selling.clock.now()),
            ),
        )
        calls = dict(await tx.all("select funcname, calls from pg_stat_xact_user_functions"))
    assert len(found["items"]) == 4
    assert (calls["reseller_buying"], calls["reseller_bought"]) == (4, 1)


async def test_sent_again_with_its_key_debits_once_for_ever(store):
    body = store.items(1, 1)
    first = await store.http.data("POST", ORDERS, status=201, json=body, once="o-1")
    again = await store.http.data("POST", ORDERS, json=body, once="o-1")
    assert again["order"] == first["order"] | {"reused": True}
    assert again["deliverables"] == first["deliverables"]
    error = await store.http.refusal("POST", ORDERS, status=409, json=store.items(1, 2), once="o-1")
    assert error["code"] == "IDEMPOTENCY_CONFLICT"
    assert await store.written() == ("80.50", 1, 2, 1)
    async with store.selling.database.statement() as tx:
        kept = await tx.all(
            "select key, expires_at from identities where shop_id = %s", (store.selling.shop.id,)
        )
    assert kept == [("o-1", None)]


async def test_sent_many_times_at_once_debits_once(store):
    body = store.items(1, 1)
    replies = await asyncio.gather(
        *(
            store.http.send("POST", ORDERS, json=body, headers={"Idempotency-Key": "o"})
            for _ in range(6)
        )
    )
    assert sorted(each.status_code for each in replies) == [200] * 5 + [201]
    assert len({each.json()["data"]["order"]["uniqid"] for each in replies}) == 1
    assert await store.written() == ("80.50", 1, 2, 1)


async def test_of_which_one_item_cannot_be_had_is_none(store):
    untouched = ("100.00", 0, 3, 2)
    error = await store.http.refusal("POST", ORDERS, status=409, json=store.items(1, 3))
    assert error["code"] == "STOCK_UNAVAILABLE"
    error = await store.http.refusal("POST", ORDERS, status=400, json=store.items(3, 2))
    assert error["code"] == "PURCHASE_LIMIT_EXCEEDED"
    body = store.items(1, 1)
    body["items"][1]["product_id"] = "nothing"
    await store.http.refusal("POST", ORDERS, status=404, json=body)
    body["items"] = [{"product_id": body["items"][0]["product_id"], "quantity": 0}, {"quantity": 1}]
    wrong = await store.http.fields_refused("POST", ORDERS, json=body)
    assert set(wrong) == {"items[0].quantity", "items[1].product_id"}
    for body in ({}, {"items": []}):
        assert set(await store.http.fields_refused("POST", ORDERS, json=body)) == {"items"}
    assert await store.written() == untouched


async def test_counts_against_the_limits_of_what_is_fulfilled(store):
    await store.http.data("POST", ORDERS, status=201, json=store.items(2, 1))
    product = store.items(1)["items"][0]["product_id"]
    body = {"external_order_id": "1", "customer_email": "b@example.com", "product_id": product}
    error = await store.http.refusal(
        "POST", "/reseller/v1/fulfillments", status=400, json=body | {"quantity": 2}
    )
    assert error["code"] == "PURCHASE_LIMIT_EXCEEDED"
    await store.http.data("POST", "/reseller/v1/fulfillments", status=201, json=body)
    error = await store.http.refusal("POST", ORDERS, status=400, json=store.items(0, 1) | {"items": [
        {"product_id": product, "quantity": 1}]})  # fmt: skip
    assert error["code"] == "PURCHASE_LIMIT_EXCEEDED"


async def test_beyond_the_balance_is_refused_and_succeeds_after_a_top_up(store):
    async with store.selling.database.begin() as tx:
        await store.selling.credit(tx, store.reseller, -8_700)
    error = await store.http.refusal("POST", ORDERS, status=402, json=store.items(1, 1), once="o-1")
    assert error["code"] == "INSUFFICIENT_BALANCE"
    assert await store.written() == ("13.00", 0, 3, 2)
    async with store.selling.database.begin() as tx:
        await store.selling.credit(tx, store.reseller, 650)
    await store.http.data("POST", ORDERS, status=201, json=store.items(1, 1), once="o-1")
    assert await store.written() == ("0.00", 1, 2, 1)


async def test_of_another_relationship_is_not_found(store, desk_database):
    made = await store.http.data("POST", ORDERS, status=201, json=store.items(1))
    other, _ = await store.selling.reseller("other@example.com")
    async with desk_database.begin() as tx:
        key = await add_key(
            tx, shop_id=store.selling.shop.id, reseller_id=other.id, prefix="shr_",
            ids=RandomIds(), box=box(),
        )  # fmt: skip
    async with KeyHolder(store.http.base_url, key=key.secret) as stranger:
        await stranger.refusal("GET", f"{ORDERS}/{made['order']['uniqid']}", status=404)
    await store.http.refusal("GET", f"{ORDERS}/nothing", status=404)


async def test_whose_serial_was_replaced_tells_the_new_one_and_mails_nobody(store, desk_database):
    made = await store.http.data("POST", ORDERS, status=201, json=store.items(1), once="o-1")
    order_id = store.ids.find(Kind.ORDER, made["order"]["uniqid"])
    shop_id = store.selling.shop.id
    async with desk_database.begin() as tx:
        done = await replace_bought_serials(
            tx, shop_id=shop_id, order_id=order_id, product_id=None, quantity=1, reason="",
            overrides=False, mailing=Mailing(box=box(), mailer=None, host="shop.example"),
            now=store.selling.clock.now(),
        )  # fmt: skip
        mails = await list_mails(tx, shop_id=shop_id)
    again = await store.http.data("POST", ORDERS, json=store.items(1), once="o-1")
    read = await store.http.data("GET", f"{ORDERS}/{made['order']['uniqid']}")
    assert [each["serials"] for each in again["deliverables"]] == [["A-2"]]
    assert [each["serials"] for each in read["lines"]] == [["A-2"]]
    assert not done.is_mailed
    assert [mail.template for mail in mails if mail.template == "order_delivery"] == []


async def test_is_not_refunded_by_the_developer_api(store, desk_database):
    made = await store.http.data("POST", ORDERS, status=201, json=store.items(1), once="o-1")
    order_id = store.ids.find(Kind.ORDER, made["order"]["uniqid"])
    async with desk_database.begin() as tx:
        with pytest.raises(Invalid, match="refunds are not supported"):
            await plan_order_refund(
                tx, shop_id=store.selling.shop.id, order_id=order_id, amount_minor=None,
                now=store.selling.clock.now(),
            )  # fmt: skip
