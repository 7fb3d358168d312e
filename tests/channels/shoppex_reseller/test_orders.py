"""An order of the merchant's shop, over the Developer API..."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from crossdock.shop.events import advance, number_events, read_new
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.mailing import SECRETS, Mailing, list_mails, read_mail
from crossdock.shop.orders import (
    deliver_paid_serials,
    delivery_consumer,
    expire_orders,
    move_order,
    pay_order,
)
from crossdock.shop.payments import authorise
from tests.conftest import NOON
from tests.support.factories import box
from tests.support.locks import waiting_for_a_lock
from tests.support.paying import card, paying
from tests.support.reselling import Reselling

ORDERS = "/dev/v1/orders"
BUYER = "buyer@example.com"


async def product(merchant, **fields):
    """The id of a product of serials with three of them, unless told otherwise."""
    body = {"title": "Licence", "price": 12.5, "type": "SERIALS", "serials": "A-1\nB-2\nC-3"}
    return (await merchant.data("POST", "/dev/v1/products", status=201, json=body | fields))["id"]


async def service(merchant, **fields):
    """The id of a product without serials."""
    body = {"title": "Setup", "price": 5, "type": "SERVICE"} | fields
    return (await merchant.data("POST", "/dev/v1/products", status=201, json=body))["id"]


async def order(merchant, *items, **fields):
    """An order of (product, quantity) each."""
    once = {"once": fields.pop("once")} if "once" in fields else {}
    body = {
        "email": BUYER,
        "items": [{"product_id": each, "quantity": quantity} for each, quantity in items],
        **fields,
    }
    return await merchant.data("POST", ORDERS, status=201, json=body, **once)


async def mails(desk_database, desk):
    """What the shop's mailbox has: (address, text), the oldest first."""
    async with desk_database.begin() as tx:
        found = await list_mails(tx, shop_id=desk.id)
        read = [
            await read_mail(tx, shop_id=desk.id, mail_id=m.id, box=box(), reveals=SECRETS)
            for m in found
        ]
    return [(each.to, each.text) for each in reversed(read)]


async def written(desk_database, desk):
    """(orders, customers besides the shop's own, sold serials, committed units)."""
    async with desk_database.statement() as tx:
        return await tx.one(
            "select (select count(*) from orders where shop_id = %(shop)s),"
            " (select count(*) - 1 from customers where shop_id = %(shop)s),"
            " (select count(*) from serial_sales where shop_id = %(shop)s),"
            " (select coalesce(sum(committed), 0)::int from stock_levels where shop_id = %(shop)s)",
            {"shop": desk.id},
        )


async def number_of(desk_database, desk):
    """The number of the shop's newest order."""
    async with desk_database.statement() as tx:
        return await tx.value("select max(id) from orders where shop_id = %s", (desk.id,))


async def test_awaits_its_payment_and_keeps_its_stock(merchant, desk_database, desk):
    licence, setup = await product(merchant), await service(merchant)
    made = await merchant.data(
        "POST", ORDERS, status=201,
        json={
            "email": " Buyer@Example.com ", "title": "Starter", "gateway": "STRIPE",
            "custom_fields": {"discord": "ada#1", "seats": 3, "ratio": 1.5, "ok": True},
            "items": [
                {"product_id": licence, "quantity": 2},
                {"product_id": setup, "quantity": "1", "delivery_instructions": "by phone"},
            ],
        },
    )  # fmt: skip
    at = int(NOON.timestamp())
    wanted = {
        "uniqid": made["id"], "status": "PENDING", "payment_status": "AWAITING", "title": "Starter",
        "fulfillment_status": "WAITING_FOR_RELEASE", "gateway": "STRIPE", "currency": "USD",
        "total": Decimal("30.00"), "subtotal": Decimal("30.00"), "discount": Decimal("0.00"),
        "customer_email": BUYER, "created_at": at, "updated_at": at, "paid_at": None,
        "expires_at": at + 86_400,
        "custom_fields": {"discord": "ada#1", "seats": 3, "ratio": "1.5", "ok": True},
    }  # fmt: skip
    assert {name: made[name] for name in wanted} == wanted
    first, second = made["items"]
    assert (first["product_id"], first["quantity"], first["total"]) == (
        licence,
        2,
        Decimal("25.00"),
    )
    assert (first["serials"], first["delivered_quantity"]) == ([], 0)
    assert (second["title"], second["delivery_instructions"]) == ("Setup", "by phone")
    assert await merchant.data("GET", f"{ORDERS}/{made['id']}/") == made
    stock = await merchant.data("GET", f"/dev/v1/products/{licence}/stock")
    assert (stock["stock"], stock["available_stock"]) == (3, 1)
    [customer] = await merchant.data("GET", f"/dev/v1/customers?email={BUYER}")
    assert (customer["id"], customer["customer_balance"]) == (
        made["customer_id"],
        Decimal("-30.00"),
    )
    assert await mails(desk_database, desk) == []


async def test_sent_again_with_its_key_is_the_first_one(merchant, desk_database, desk):
    licence = await product(merchant)
    first = await order(merchant, (licence, 1), once="o-1")
    assert await order(merchant, (licence, 1), once="o-1") == first
    assert await written(desk_database, desk) == (1, 1, 0, 1)


async def test_that_is_malformed_is_refused_with_every_field(merchant, desk_database, desk):
    licence = await product(merchant)
    body = {
        "email": "none", "title": 5, "custom_fields": {"a": []}, "gateway": "x" * 65,
        "items": [{"product_id": licence, "quantity": 0}, {"quantity": 1, "variant_id": 7}],
    }  # fmt: skip
    wrong = await merchant.fields_refused("POST", ORDERS, json=body)
    assert set(wrong) == {
        "email", "title", "custom_fields.a", "gateway", "items[0].quantity",
        "items[1].product_id", "items[1].variant_id",
    }  # fmt: skip
    wrong = await merchant.fields_refused("POST", ORDERS, json={"items": []})
    assert wrong == {"email": "is required", "items": "must not be empty"}
    assert await written(desk_database, desk) == (0, 0, 0, 0)


async def test_names_a_variant_where_there_are_several(merchant, cards):
    card = await merchant.data("GET", f"/dev/v1/products/{cards}")
    licence = await product(merchant)
    item = {"product_id": cards, "quantity": 1}
    for items, field in (
        ([item], "items[0].variant_id"),
        ([item | {"variant_id": licence}], "items[0].variant_id"),
        ([{"product_id": licence, "quantity": 1}, item | {"product_id": "no"}], "items[1].product_id"),
    ):  # fmt: skip
        wrong = await merchant.fields_refused("POST", ORDERS, json={"email": BUYER, "items": items})
        assert list(wrong) == [field]
    variant = card["variants"][1]["id"]
    pool = f"/dev/v1/products/{cards}/variants/{variant}/serials"
    await merchant.ask("POST", pool, json={"serials": "V-1"}, status=201)
    made = await merchant.data(
        "POST", ORDERS, status=201, json={"email": BUYER, "items": [item | {"variant_id": variant}]}
    )
    assert (made["items"][0]["variant_id"], made["total"]) == (variant, Decimal("20.00"))


async def test_of_more_than_there_is_takes_nothing(merchant, desk_database, desk):
    licence, other = await product(merchant), await product(merchant, serials="X-1")
    items = [{"product_id": each, "quantity": 2} for each in (licence, other)]
    error = await merchant.refusal(
        "POST", ORDERS, status=409, json={"email": BUYER, "items": items}
    )
    assert error["code"] == "STOCK_UNAVAILABLE"
    assert await written(desk_database, desk) == (0, 0, 0, 0)


async def test_of_goods_out_of_sale_or_by_a_customer_who_may_not_is_refused(
    merchant, desk_database, desk
):
    hidden, licence = await product(merchant, on_hold=True), await product(merchant)
    body = {"email": BUYER, "items": [{"product_id": hidden, "quantity": 1}]}
    error = await merchant.refusal("POST", ORDERS, status=400, json=body)
    assert error["message"] == "The product is not for sale."
    await merchant.data(
        "POST", "/dev/v1/customers", status=201, json={"email": BUYER, "active": False}
    )
    body = {**body, "items": [{"product_id": licence, "quantity": 1}]}
    error = await merchant.refusal("POST", ORDERS, status=400, json=body)
    assert error["message"] == "The customer is inactive."
    assert await written(desk_database, desk) == (0, 1, 0, 0)


async def test_is_listed_with_the_others_the_newest_first(merchant):
    licence = await product(merchant)
    ids = [(await order(merchant, (licence, 1)))["id"] for _ in range(3)]
    await merchant.data("POST", f"{ORDERS}/{ids[1]}/complete")
    found, cursor = [], ""
    while True:
        page = await merchant.ask("GET", f"{ORDERS}?limit=1{cursor}&page=4")
        found += [each["id"] for each in page["data"]]
        if not page["pagination"]["has_more"]:
            break
        cursor = f"&cursor={page['pagination']['next_cursor']}"
    assert found == ids[::-1]
    [paid] = await merchant.data("GET", f"{ORDERS}?status=completed")
    assert (paid["id"], paid["items"][0]["serials"]) == (ids[1], None)
    assert "status" in await merchant.fields_refused("GET", f"{ORDERS}?status=x")


async def test_of_another_shop_or_of_other_merchants_is_not_found(
    merchant, keys, desk_database, desk
):
    made = await order(merchant, (await product(merchant), 1))
    stranger = await keys(visible_merchants=[desk.merchant_id + 1_000_000])
    assert await stranger.data("GET", ORDERS) == []
    for method, path in (("GET", ""), ("PATCH", ""), ("POST", "/fulfill"), ("POST", "/complete")):
        await stranger.refusal(method, f"{ORDERS}/{made['id']}{path}", status=404)
    reader = await keys("orders.read")
    assert (await reader.data("GET", f"{ORDERS}/{made['id']}"))["id"] == made["id"]
    await reader.refusal("POST", f"{ORDERS}/{made['id']}/complete", status=403)
    assert (await written(desk_database, desk))[2] == 0


async def test_that_was_paid_outside_is_delivered_once(merchant, desk_database, desk):
    licence, setup = await product(merchant), await service(merchant)
    made = await order(merchant, (licence, 2), (setup, 1))
    path = f"{ORDERS}/{made['id']}"
    done = await merchant.data("POST", f"{path}/complete", json={"note": "Thank you."}, once="c-1")
    assert (done["status"], done["fulfillment_status"], done["gateway"]) == (
        "COMPLETED", "COMPLETED", "MANUAL",
    )  # fmt: skip
    assert [each["serials"] for each in done["items"]] == [["A-1", "B-2"], []]
    assert [each["delivered_quantity"] for each in done["items"]] == [2, 1]
    assert (
        await merchant.data("POST", f"{path}/complete", json={"note": "Thank you."}, once="c-1")
        == done
    )
    wrong = await merchant.fields_refused("POST", f"{path}/complete")
    assert list(wrong) == ["status"]
    assert (await merchant.refusal("POST", f"{path}/fulfill", status=409))[
        "code"
    ] == "INVALID_STATE"
    [(to, text)] = await mails(desk_database, desk)
    assert to == BUYER
    assert "2 x Licence\nA-1\nB-2\n1 x Setup\n\nThank you." in text
    assert await written(desk_database, desk) == (1, 1, 2, 0)
    [customer] = await merchant.data("GET", f"/dev/v1/customers?email={BUYER}")
    assert customer["customer_balance"] == Decimal("0.00")


@pytest.mark.parametrize("quiet", [{"suppress_emails": True}, {"notify_customer": False}])
async def test_is_delivered_without_a_mail_where_none_is_wanted(
    merchant, desk_database, desk, quiet
):
    made = await order(merchant, (await product(merchant), 1))
    done = await merchant.data("POST", f"{ORDERS}/{made['id']}/complete", json=quiet)
    assert done["items"][0]["serials"] == ["A-1"]
    assert await mails(desk_database, desk) == []


async def test_that_is_paid_gets_its_serials_by_itself_and_the_rest_by_hand(
    merchant, desk_database, desk
):
    licence, setup = await product(merchant), await service(merchant, stock=4)
    made = await order(merchant, (licence, 2), (setup, 3))
    path, number = f"{ORDERS}/{made['id']}", await number_of(desk_database, desk)
    assert (await merchant.refusal("POST", f"{path}/fulfill", status=409))[
        "code"
    ] == "INVALID_STATE"
    async with desk_database.begin() as tx:
        await move_order(tx, shop_id=desk.id, order_id=number, axis="payment", to="paid", now=NOON)
    assert [await deliver(desk_database, desk, number) for _ in range(2)] == [True, False]
    part = await merchant.data("GET", path)
    assert (part["status"], part["fulfillment_status"]) == ("COMPLETED", "PARTIALLY_SHIPPED")
    assert [each["serials"] for each in part["items"]] == [["A-1", "B-2"], []]
    done = await merchant.data("POST", f"{path}/fulfill", json={"note": "Call us."})
    assert done["fulfillment_status"] == "COMPLETED"
    assert [each["delivered_quantity"] for each in done["items"]] == [2, 3]
    assert (await merchant.data("GET", f"/dev/v1/products/{setup}"))["stock"] == 1
    texts = [text for _, text in await mails(desk_database, desk)]
    assert ["A-1" in text for text in texts] == [True, False]
    assert "3 x Setup" in texts[1]
    assert "Call us." in texts[1]


async def deliver(desk_database, desk, number):
    """What the worker does for an order that was paid."""
    async with desk_database.begin() as tx:
        return await deliver_paid_serials(
            tx,
            shop_id=desk.id,
            order_id=number,
            mailing=Mailing(box=box(), mailer=None, host="localhost"),
            now=NOON,
        )


async def test_that_is_delivered_twice_at_once_gets_its_serials_once(merchant, desk_database, desk):
    await order(merchant, (await product(merchant), 1))
    number = await number_of(desk_database, desk)
    async with desk_database.begin() as tx:
        await move_order(tx, shop_id=desk.id, order_id=number, axis="payment", to="paid", now=NOON)
    async with desk_database.begin() as tx:
        first = await deliver_paid_serials(
            tx,
            shop_id=desk.id,
            order_id=number,
            mailing=Mailing(box=box(), mailer=None, host="localhost"),
            now=NOON,
        )
        second = asyncio.create_task(deliver(desk_database, desk, number))
        await waiting_for_a_lock(desk_database, behind=tx)
    assert (first, await second) == (True, False)
    assert (await written(desk_database, desk))[2] == 1
    assert len(await mails(desk_database, desk)) == 1


async def test_whose_serials_are_gone_tells_staff_and_delivers_none(merchant, desk_database, desk):
    await order(merchant, (await product(merchant), 2))
    number = await number_of(desk_database, desk)
    async with desk_database.begin() as tx:
        await move_order(tx, shop_id=desk.id, order_id=number, axis="payment", to="paid", now=NOON)
        await tx.run(
            "delete from serials where shop_id = %s and id > (select min(id) from serials"
            " where shop_id = %s)", (desk.id, desk.id),
        )  # fmt: skip
    assert await deliver(desk_database, desk, number) is False
    async with desk_database.statement() as tx:
        kinds = await tx.all("select kind, order_id from alerts where shop_id = %s", (desk.id,))
    assert kinds == [("serials_short", number)]
    assert (await written(desk_database, desk))[2] == 0


async def test_that_costs_nothing_is_paid_at_once(merchant, desk_database, desk):
    made = await order(merchant, (await product(merchant, price=0), 1))
    assert (made["status"], made["paid_at"]) == ("COMPLETED", int(NOON.timestamp()))
    assert await deliver(desk_database, desk, await number_of(desk_database, desk)) is True


async def test_that_nobody_pays_gives_its_stock_back(merchant, desk_database, desk):
    licence = await product(merchant)
    made = await order(merchant, (licence, 3))
    await expire_orders(desk_database, now=NOON + timedelta(days=1))
    told = await merchant.data("GET", f"{ORDERS}/{made['id']}")
    assert (told["status"], told["payment_status"]) == ("VOIDED", "EXPIRED")
    assert (await merchant.data("GET", f"/dev/v1/products/{licence}"))["available_stock"] == 3
    await merchant.fields_refused("POST", f"{ORDERS}/{made['id']}/complete")


async def test_is_changed_and_voided(merchant, desk_database, desk):
    licence = await product(merchant)
    made = await order(merchant, (licence, 1), title="One", custom_fields={"a": "b"})
    path = f"{ORDERS}/{made['id']}"
    changed = await merchant.data(
        "PATCH", path, json={"title": "Two", "custom_fields": {"c": 1}, "email": "New@example.com"}
    )
    wanted = {"title": "Two", "custom_fields": {"c": 1}, "customer_email": "new@example.com"}
    assert changed == {**made, **wanted}
    assert await merchant.data("PATCH", path, json={}) == changed
    wrong = await merchant.fields_refused("PATCH", path, json={"status": "PAID", "email": "x"})
    assert set(wrong) == {"status", "email"}
    voided = await merchant.data("PATCH", path, json={"status": "VOIDED"})
    assert (voided["status"], voided["fulfillment_status"]) == ("VOIDED", "CANCELLED")
    assert (await merchant.data("GET", f"/dev/v1/products/{licence}"))["available_stock"] == 3
    error = await merchant.refusal("PATCH", path, status=409, json={"status": "VOIDED"})
    assert error["code"] == "INVALID_STATE"


async def test_sells_the_last_unit_once(merchant, desk_database, desk):
    licence = await product(merchant, serials="A-1")
    body = {"email": BUYER, "items": [{"product_id": licence, "quantity": 1}]}
    replies = await asyncio.gather(*(merchant.send("POST", ORDERS, json=body) for _ in range(4)))
    assert sorted(each.status_code for each in replies) == [201, 409, 409, 409]
    assert await written(desk_database, desk) == (1, 1, 0, 1)


async def paid_by_card(desk_database, desk, desk_server):
    """Pay the newest order on a card of the sandbox; the service that did."""
    service = paying(desk_database, desk_server.clock)
    order_id = await number_of(desk_database, desk)
    async with desk_database.statement() as tx:
        amount_minor, customer_id = await tx.one(
            "select total_minor, customer_id from orders where id = %s", (order_id,)
        )
    made = await authorise(
        service, shop_id=desk.id, provider="sandbox", card=card(), currency="USD",
        amount_minor=amount_minor, payer=f"customer:{customer_id}",
    )  # fmt: skip
    async with desk_database.begin() as tx:
        await tx.run(
            "update payments set order_id = %s where shop_id = %s and id = %s",
            (order_id, desk.id, made.id),
        )
        await move_order(
            tx, shop_id=desk.id, order_id=order_id, axis="payment", to="authorised", now=NOON
        )
    await pay_order(service, shop_id=desk.id, order_id=order_id)
    return service


async def test_that_was_paid_by_card_is_refunded_in_parts_and_no_more(
    merchant, desk_database, desk, desk_server
):
    made = await order(merchant, (await product(merchant), 2))
    path = f"{ORDERS}/{made['id']}"
    error = await merchant.refusal("POST", f"{path}/refund", status=409)
    assert error["code"] == "INVALID_STATE"
    service = await paid_by_card(desk_database, desk, desk_server)
    sent = {"amount": "10.00", "reason": "agreed"}
    told = await merchant.data("POST", f"{path}/refund", json=sent, once="r-1")
    assert told == {"message": "A refund of 10.00 USD is under way."}
    assert await merchant.data("POST", f"{path}/refund", json=sent, once="r-1") == told
    for amount, field in (("0", "amount"), ("-1", "amount"), ("1.001", "amount"), ("x", "amount")):
        wrong = await merchant.fields_refused("POST", f"{path}/refund", json={"amount": amount})
        assert list(wrong) == [field]
    error = await merchant.refusal("POST", f"{path}/refund", status=400, json={"amount": "15.01"})
    assert error["message"] == "More would be refunded than was paid."
    await settle_every_payment(service)
    part = await merchant.data("GET", path)
    assert (part["status"], part["payment_status"]) == ("COMPLETED", "PARTIALLY_REFUNDED")
    invoice = await merchant.data("GET", f"/dev/v1/invoices/{made['id']}")
    assert (part["gateway"], invoice["gateway"]) == ("SANDBOX", "SANDBOX")
    assert (part["items"][0]["variant_id"], invoice["items"][0]["variant_id"]) == (None, None)
    assert part["refund_reason"] == "agreed"
    told = await merchant.data("POST", f"{path}/refund")
    assert told["message"] == "A refund of 15.00 USD is under way."
    assert (await merchant.data("GET", path))["fulfillment_status"] == "CANCELLED"
    stock = await merchant.data("GET", f"/dev/v1/products/{made['items'][0]['product_id']}/stock")
    assert stock["available_stock"] == 3
    error = await merchant.refusal("POST", f"{path}/fulfill", status=409)
    assert error["code"] == "INVALID_STATE"
    await settle_every_payment(service)
    assert (await merchant.data("GET", path))["status"] == "REFUNDED"
    await merchant.refusal("POST", f"{path}/refund", status=409)
    async with desk_database.statement() as tx:
        refunded = await tx.value(
            "select sum(refunded_minor)::int from payments where shop_id = %s", (desk.id,)
        )
    assert refunded == 2_500


async def test_that_was_paid_outside_is_not_refunded_here(merchant, desk_database, desk):
    made = await order(merchant, (await product(merchant), 1))
    await merchant.data("POST", f"{ORDERS}/{made['id']}/complete")
    wrong = await merchant.fields_refused("POST", f"{ORDERS}/{made['id']}/refund")
    assert wrong == {"gateway": "refunds are not supported"}
    async with desk_database.statement() as tx:
        due = await tx.value(
            "select sum(refund_due_minor + refunded_minor)::int from payments where shop_id = %s",
            (desk.id,),
        )
    assert due == 0


async def test_is_attributed_to_the_reseller_who_brought_it(
    merchant, desk_database, desk, desk_server
):
    selling = Reselling(desk_database, desk_server.clock, desk, channel="shoppex_reseller")
    await selling.set(enabled=True, default_mode="both", default_commission_bp=2_500)
    reseller, _ = await selling.reseller()
    licence = await product(merchant)
    made = await order(merchant, (licence, 1), affiliate_code=reseller.attribution_code)
    assert made["affiliate_code"] == reseller.attribution_code
    assert (await order(merchant, (licence, 1), affiliate_code="nobody"))["status"] == "PENDING"
    async with desk_database.statement() as tx:
        found = await tx.all(
            "select a.reseller_id, l.commission_bp from reseller_attributions a"
            " join reseller_attributed_lines l using (shop_id, order_id) where a.shop_id = %s",
            (desk.id,),
        )
    assert found == [(reseller.id, 2_500)]


async def test_that_is_paid_is_delivered_by_the_worker_one_in_a_transaction(
    merchant, desk_database, desk
):
    licence = await product(merchant)
    for _ in range(2):
        await order(merchant, (licence, 1))
        await pay(desk_database, desk)
    consumer = delivery_consumer(lambda: Mailing(box=box(), mailer=None, host="localhost"))
    sold = []
    while True:
        async with desk_database.begin() as tx:
            await number_events(tx, shop_id=desk.id)
            batch = await read_new(tx, shop_id=desk.id, consumer=consumer)
            if batch is None:
                break
            upto = await consumer.take(tx, batch=batch, now=NOON) if batch.events else None
            if upto is not None:
                batch = msgspec.structs.replace(batch, upto=upto)
            await advance(tx, batch=batch, consumer=consumer, now=NOON)
        sold.append((await written(desk_database, desk))[2])
    assert sorted(set(sold)) == [1, 2]
    assert len(await mails(desk_database, desk)) == 2


async def pay(desk_database, desk):
    """The newest order is paid, in whatever way."""
    order_id = await number_of(desk_database, desk)
    async with desk_database.begin() as tx:
        await move_order(
            tx, shop_id=desk.id, order_id=order_id, axis="payment", to="paid", now=NOON
        )
