"""An order of a drop shipper..."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from crossdock.channels.shoppo.order_states import states_of
from crossdock.db.unit_of_work import Database
from crossdock.kit.ids import RandomIds
from crossdock.shop.orders import expire_orders, refund_line
from crossdock.shop.orders.states import MOVES
from crossdock.shop.payments import Paying
from tests.channels.shoppo.conftest import OpenShipper
from tests.channels.shoppo.ordering import (
    ADDRESS,
    CANCEL,
    CANCEL_ITEM,
    CREATE,
    PAY,
    Stand,
    goods,
    to_india,
)
from tests.support.clocked import ClockedServer
from tests.support.consuming import deliver_by_worker

EXAMPLE = (
    goods("SKU_A", 1999, shipping=900, **to_india(250)),
    goods("SKU_B", 500, shipping=100),
)


@pytest.fixture
async def stand(
    hall_database: Database, hall_server: ClockedServer, shippers: OpenShipper
) -> Stand:
    shop = await Stand.shop_of(hall_database)
    made = Stand(hall_database, hall_server.clock, shop, await shippers(shop_id=shop.id))
    await made.stock(*EXAMPLE)
    return made


async def test_is_created_paid_and_cancelled_as_the_spec_s_example_says(stand: Stand) -> None:
    skus = await stand.skus()
    order = await stand.create("1361546075101402", SKU_A=2, SKU_B=1)
    assert order["status"] == "OPEN"
    first, second = order["orderItems"]
    assert [item["quantity"] for item in order["orderItems"]] == [2, 1]
    assert (first["sku"]["originalId"], first["sku"]["price"]) == (skus["SKU_A"], Decimal("19.99"))
    assert first["product"]["name"] == "The SKU_A"

    paid = await stand.pay(order["id"], "charge")
    sums = {name: paid[name] for name in ("orderTotal", "orderSubtotal", "shippingCost")}
    assert sums == {
        "orderTotal": Decimal("50.98"), "orderSubtotal": Decimal("50.98"), "shippingCost": Decimal("6.0"),
    }  # fmt: skip
    assert (paid["status"], paid["timePaymentProcessed"]) == (
        "PAID",
        int(stand.clock.now().timestamp()),
    )
    assert [item["status"] for item in paid["orderItems"]] == ["PAID", "PAID"]
    assert paid["orderItems"][0]["sku"]["shippingPrice"] == 9
    assert await stand.available("1361546075101402") == [8, 9]

    cancelled = await stand.shipper.ask(CANCEL_ITEM, orderItemId=second["id"])
    assert cancelled == {
        "cancelOrderItem": {"orderItem": {"id": second["id"], "status": "CANCELLED"}}
    }
    found = await stand.read(order["id"])
    assert (found["status"], found["refundStatus"], found["orderTotal"]) == (
        "PAID",
        "PARTIAL_REFUNDED",
        Decimal("50.98"),
    )
    assert found["orderItems"][1] == {
        "id": second["id"], "status": "CANCELLED", "isRefunded": True, "refundedAmount": 6,
        "shippingRefunded": True, "timeRefunded": int(stand.clock.now().timestamp()),
        "refundReasonType": "CUSTOMER_CANCELED",
    }  # fmt: skip
    assert found["orderItems"][0] == {
        "id": first["id"], "status": "PAID", "isRefunded": False, "refundedAmount": None,
        "shippingRefunded": None, "timeRefunded": None, "refundReasonType": None,
    }  # fmt: skip

    await stand.shipper.ask(CANCEL_ITEM, orderItemId=first["id"])
    found = await stand.read(order["id"])
    assert (found["status"], found["refundStatus"]) == ("CLOSED", "FULL_REFUNDED")
    assert await stand.available("1361546075101402") == [10, 10]


async def test_of_285_18_costs_that(stand: Stand) -> None:
    await stand.stock(goods("DEAR", 17131, shipping=550), goods("CHEAP", 10737, shipping=100))
    found = await stand.read((await stand.create("c", DEAR=1, CHEAP=1))["id"])
    assert (found["orderSubtotal"], found["orderTotal"]) == (Decimal("285.18"), Decimal("285.18"))
    assert (found["shippingCost"], found["discountAmount"]) == (Decimal("6.5"), 0)


async def test_tells_everything_that_it_was_given_in_both_spellings(stand: Stand) -> None:
    given = await stand.variables(" N-7 ", SKU_B=1)
    given["shippingAddress"] = ADDRESS | {"streetAddress2": "Flat 2", "logisticAttribute": "gate"}
    made = await stand.shipper.ask(
        CREATE, **given, trackingNumber=" T 1 ", partnerSellerName="Finest Goods"
    )
    found = await stand.shipper.ask(
        """query q($id: ID!) { node(id: $id) { ... on Order {
            partnerOrderCode partnerSellerName trackingNumber timeExpires timeCreated timePaymentProcessed
            tracking_number time_created time_payment_processed refund_status refundStatus
            order_total orderTotal order_subtotal orderSubtotal shipping_cost shippingCost
            discount_amount discountAmount order_items { id is_refunded isRefunded } orderItems { id }
            shipping_address { ...a } shippingAddress { ...a } } } }
        fragment a on ShippingAddress { recipientFirstName recipientLastName streetAddress1 streetAddress2
            city state countryCode zipcode phoneNumber logisticAttribute }""",
        id=made["createOrder"]["order"]["id"],
    )
    order = found["node"]
    assert order["partnerOrderCode"] == "N-7"
    assert (order["partnerSellerName"], order["trackingNumber"]) == ("Finest Goods", "T 1")
    assert order["shippingAddress"] == given["shippingAddress"]
    assert order["timeExpires"] - order["timeCreated"] == 86_400
    twins = {
        "tracking_number": "trackingNumber", "time_created": "timeCreated", "refund_status": "refundStatus",
        "time_payment_processed": "timePaymentProcessed", "order_total": "orderTotal",
        "order_subtotal": "orderSubtotal", "shipping_cost": "shippingCost",
        "discount_amount": "discountAmount", "shipping_address": "shippingAddress",
    }  # fmt: skip
    for old, new in twins.items():
        assert order[old] == order[new]
    assert order["refundStatus"] == "NOT_REFUNDED"
    assert order["order_items"] == [
        {"id": order["orderItems"][0]["id"], "is_refunded": False, "isRefunded": False}
    ]


async def test_is_created_once_by_its_code(stand: Stand) -> None:
    given = await stand.variables("N-1", SKU_A=2, SKU_B=1)
    first = await stand.shipper.ask(CREATE, **given)
    turned = given | {"orderItems": given["orderItems"][::-1], "partnerOrderCode": " N-1 "}
    assert (await stand.shipper.ask(CREATE, **turned))["createOrder"] == first["createOrder"]
    other = given | {"shippingAddress": ADDRESS | {"city": "Delhi"}}
    assert await stand.refuse(CREATE, **other) == "PARTNER_ORDER_CODE_CONFLICT"
    assert await stand.refuse(CREATE, **given, trackingNumber="T") == "PARTNER_ORDER_CODE_CONFLICT"

    await stand.pay(first["createOrder"]["order"]["id"])
    await stand.shipper.ask(CANCEL, orderId=first["createOrder"]["order"]["id"])
    await stand.stock(goods("SKU_A", 1999, enabled=False))
    again = (await stand.shipper.ask(CREATE, **given))["createOrder"]["order"]
    assert (again["id"], again["status"]) == (first["createOrder"]["order"]["id"], "CLOSED")
    assert await stand.available("N-1") == [10, 10]


async def words(stand: Stand, document: str, variables: dict[str, str]) -> str:
    """What an error says: it may not tell whether another has an object of this id."""
    reply = await stand.shipper.post(document, variables=variables)
    return str(reply.json()["errors"][0]["message"])


async def test_is_another_partner_s_with_the_same_code(stand: Stand, shippers: OpenShipper) -> None:
    first = await stand.create("N-1", SKU_B=1)
    other = Stand(stand.db, stand.clock, stand.shop, await shippers(shop_id=stand.shop.id))
    second = await other.create("N-1", SKU_B=1)
    assert first["id"] != second["id"]
    assert (
        await other.shipper.ask("query q($id: ID!) { node(id: $id) { id } }", id=first["id"])
    ) == {"node": None}
    for document, name, number in (
        (PAY, "orderId", first["id"]),
        (CANCEL, "orderId", first["id"]),
        (CANCEL_ITEM, "orderItemId", first["orderItems"][0]["id"]),
        (CANCEL, "orderId", first["orderItems"][0]["id"]),
        (CANCEL, "orderId", "mDDlGkl4YXDuQ"),
    ):
        variables = {name: number} | ({"chargeId": "c"} if document is PAY else {})
        assert await other.refuse(document, **variables) == "NOT_FOUND"
        assert await words(other, document, variables) == "There is nothing with this id."


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"partnerOrderCode": ""}, "BAD_USER_INPUT"),
        ({"partnerOrderCode": " "}, "BAD_USER_INPUT"),
        ({"partnerOrderCode": "\u200b"}, "BAD_USER_INPUT"),
        ({"partnerOrderCode": "x" * 65}, "BAD_USER_INPUT"),
        ({"orderItems": []}, "BAD_USER_INPUT"),
        ({"quantity": 0}, "BAD_USER_INPUT"),
        ({"quantity": -3}, "BAD_USER_INPUT"),
        ({"quantity": 11}, "OUT_OF_STOCK"),
        ({"skuId": "mDDlGkl4YXDuQ"}, "SKU_NOT_FOUND"),
        ({"sku": "snapshot"}, "SKU_NOT_FOUND"),
        ({"sku": "product"}, "SKU_NOT_FOUND"),
        ({"sku": "OFF"}, "SKU_DISABLED"),
        ({"sku": "merchant"}, "SKU_DISABLED"),
        ({"sku": "HOME"}, "COUNTRY_NOT_SUPPORTED"),
        ({"address": {"city": "  "}}, "BAD_USER_INPUT"),
        ({"address": {"zipcode": ""}}, "BAD_USER_INPUT"),
        ({"address": {"phoneNumber": "\u3164"}}, "BAD_USER_INPUT"),
        ({"address": {"city": "x" * 300}}, "BAD_USER_INPUT"),
    ],
)
async def test_that_breaks_a_rule_is_refused_and_nothing_is_written(
    stand: Stand, change: dict[str, object], code: str
) -> None:
    await stand.stock(goods("OFF", 100, enabled=False), goods("HOME", 100, ships_to=("US",)))
    given = await stand.variables("N-1", SKU_A=1, SKU_B=1)
    if "sku" in change:
        name = change["sku"]
        skus = await stand.skus()
        if name == "snapshot":
            placed = await stand.create("N-0", SKU_B=1)
            found = await stand.shipper.ask(
                "query q($id: ID!) { node(id: $id) { ... on orderItem { sku { id } } } }",
                id=placed["orderItems"][0]["id"],
            )
            given["orderItems"][1]["skuId"] = found["node"]["sku"]["id"]
        elif name == "product":
            found = await stand.shipper.ask("{ productList { edges { node { id } } } }")
            given["orderItems"][1]["skuId"] = found["productList"]["edges"][0]["node"]["id"]
        elif name == "merchant":
            await stand.close_merchant()
        else:
            given["orderItems"][1]["skuId"] = skus[str(name)]
    for name in ("quantity", "skuId"):
        if name in change:
            given["orderItems"][1][name] = change[name]
    given["shippingAddress"] = ADDRESS | dict(change.get("address", {}))  # type: ignore[call-overload]
    given |= {name: change[name] for name in ("partnerOrderCode", "orderItems") if name in change}
    before = await stand.counts()

    assert await stand.refuse(CREATE, **given) == code
    assert await stand.counts() == before


async def test_of_what_is_not_shipped_goes_everywhere_and_costs_no_shipping(stand: Stand) -> None:
    key = goods("KEY", 1000, virtual=True, ships_to=("US",), shipping=70, **to_india(250))
    await stand.stock(key)
    order = await stand.create("N-1", KEY=2)
    assert order["id"]
    asked = "{ productList { edges { node { skus { shippingPrice shippingConfig { shippingPrice } } } } } }"
    found = await stand.shipper.ask(asked)
    told = found["productList"]["edges"][0]["node"]["skus"][0]
    assert told == {"shippingPrice": 0, "shippingConfig": [{"shippingPrice": 0}]}
    paid = await stand.pay(order["id"], "C-1")
    assert (paid["shippingCost"], paid["orderTotal"]) == (0, 20)


async def test_of_what_is_not_shipped_alone_needs_no_address_and_is_delivered_when_it_is_released(
    stand: Stand,
) -> None:
    await stand.stock(goods("KEY", 1000, virtual=True))
    blank = {name: "" if name != "countryCode" else text for name, text in ADDRESS.items()}
    given = await stand.variables("N-1", KEY=1) | {"shippingAddress": blank}
    order = (await stand.shipper.ask(CREATE, **given))["createOrder"]["order"]
    given["orderItems"] += (await stand.variables("N-2", SKU_B=1))["orderItems"]
    given["partnerOrderCode"] = "N-2"
    assert await stand.refuse(CREATE, **given) == "BAD_USER_INPUT"

    assert (await stand.pay(order["id"]))["status"] == "PAID"
    await stand.release("N-1")
    assert (await stand.read(order["id"]))["orderItems"][0]["status"] == "IN_FULFILLMENT"
    await deliver_by_worker(stand.db, shop_id=stand.shop.id, now=stand.clock.now())
    found = await stand.read(order["id"])
    assert (found["status"], found["orderItems"][0]["status"]) == ("DELIVERED", "DELIVERED")
    assert await stand.refuse(CANCEL, orderId=order["id"]) == "ORDER_NOT_CANCELLABLE"


async def test_has_no_texts_that_cannot_be_kept(stand: Stand) -> None:
    nul = r'"\u0000"'  # in the document itself; what is sent as JSON is refused as a whole
    order = await stand.create("N-1", SKU_B=1)
    pay = PAY.replace("chargeId: $chargeId", f"chargeId: {nul}").replace(", $chargeId: String!", "")
    assert await stand.refuse(pay, orderId=order["id"]) == "BAD_USER_INPUT"
    listed = await stand.shipper.ask(
        f"{{ orderList(filters: {{partnerOrderCode: {nul}}}) {{ length }} }}"
    )
    assert listed == {"orderList": {"length": 0}}


async def test_is_checked_in_the_order_of_the_spec(stand: Stand) -> None:
    await stand.stock(goods("OFF", 100, enabled=False), goods("HOME", 100, ships_to=("US",), own=0))
    codes = []
    blank = ADDRESS | {"city": " "}
    for items in ({"OFF": 99, "HOME": 99}, {"HOME": 99, "SKU_B": 99}, {"SKU_B": 99}, {"SKU_B": 1}):
        given = await stand.variables("N-1", **items)
        codes.append(await stand.refuse(CREATE, **given | {"shippingAddress": blank}))
    assert codes == ["SKU_DISABLED", "COUNTRY_NOT_SUPPORTED", "OUT_OF_STOCK", "BAD_USER_INPUT"]


async def test_of_one_sku_twice_counts_both(stand: Stand) -> None:
    skus = await stand.skus()
    given = await stand.variables("N-1", SKU_B=1)
    given["orderItems"] = [{"skuId": skus["SKU_B"], "quantity": n} for n in (6, 5)]
    assert await stand.refuse(CREATE, **given) == "OUT_OF_STOCK"
    given["orderItems"][1]["quantity"] = 4
    await stand.shipper.ask(CREATE, **given)
    assert await stand.available("N-1") == [0, 0]


async def test_is_paid_by_the_decision_table(stand: Stand) -> None:
    first, second, third = [await stand.create(f"N-{n}", SKU_B=1) for n in range(3)]
    paid = await stand.pay(first["id"], "a")
    stand.clock.move(timedelta(minutes=1))
    assert await stand.pay(first["id"], " a ") == paid
    assert await stand.refuse(PAY, orderId=first["id"], chargeId="b") == "ORDER_NOT_OPEN"
    assert await stand.refuse(PAY, orderId=second["id"], chargeId="a") == "CHARGE_ID_CONFLICT"
    assert await stand.refuse(PAY, orderId=first["id"], chargeId=" ") == "BAD_USER_INPUT"
    await stand.shipper.ask(CANCEL, orderId=first["id"])
    assert (await stand.pay(first["id"], "a"))["status"] == "CLOSED"
    assert await stand.refuse(PAY, orderId=first["id"], chargeId="c") == "ORDER_NOT_OPEN"

    stand.clock.move(timedelta(days=1))
    assert await stand.refuse(PAY, orderId=third["id"], chargeId="d") == "ORDER_EXPIRED"
    assert (await stand.read(third["id"]))["status"] == "OPEN"
    await expire_orders(stand.db, now=stand.clock.now())
    assert await stand.refuse(PAY, orderId=third["id"], chargeId="d") == "ORDER_EXPIRED"
    found = await stand.read(third["id"])
    assert (found["status"], found["orderItems"][0]["status"]) == ("EXPIRED", "CANCELLED")
    assert found["refundStatus"] == "NOT_REFUNDED"


async def test_is_paid_once_by_twenty_calls_at_once(stand: Stand) -> None:
    order = await stand.create("N-1", SKU_B=1)
    replies = await asyncio.gather(
        *(
            stand.shipper.post(PAY, variables={"orderId": order["id"], "chargeId": "same"})
            for _ in range(20)
        )
    )
    bodies = [reply.json() for reply in replies]
    assert all("errors" not in body for body in bodies)
    assert len({str(body) for body in bodies}) == 1
    async with stand.db.statement() as tx:
        moves = await tx.value(
            "select count(*) from events where shop_id = %s and kind = 'payment.paid'",
            (stand.shop.id,),
        )
    assert moves == 1


@pytest.mark.parametrize(
    ("state", "item_code", "order_code"),
    [
        ("OPEN", "ORDER_ITEM_NOT_CANCELLABLE", "ORDER_NOT_CANCELLABLE"),
        ("PAID", "", ""),
        ("IN_FULFILLMENT", "ORDER_ITEM_NOT_CANCELLABLE", "ORDER_NOT_CANCELLABLE"),
        ("SHIPPED", "ORDER_ITEM_NOT_CANCELLABLE", "ORDER_NOT_CANCELLABLE"),
        ("DELIVERED", "ORDER_ITEM_NOT_CANCELLABLE", "ORDER_NOT_CANCELLABLE"),
        ("CANCELLED", "ORDER_ITEM_NOT_CANCELLABLE", "ORDER_NOT_CANCELLABLE"),
    ],
)
async def test_is_cancelled_while_it_is_paid_and_not_in_fulfilment(
    stand: Stand, state: str, item_code: str, order_code: str
) -> None:
    for what, code in (("item", item_code), ("order", order_code)):
        name = f"N-{what}"
        order = await stand.create(name, SKU_A=1, SKU_B=1)
        item_id = order["orderItems"][0]["id"]
        if state != "OPEN":
            await stand.pay(order["id"])
        if state == "IN_FULFILLMENT":
            await stand.release(name)
        if state in {"SHIPPED", "DELIVERED"}:
            package = await stand.announce(name, name)
            await stand.ship(package, name)
            if state == "DELIVERED":
                await stand.deliver(package)
        if state == "CANCELLED":
            await stand.shipper.ask(CANCEL_ITEM, orderItemId=item_id)
        before = await stand.read(order["id"])
        assert before["orderItems"][0]["status"] == state
        document = CANCEL_ITEM if what == "item" else CANCEL
        variables = {"orderItemId": item_id} if what == "item" else {"orderId": order["id"]}
        if code:
            assert await stand.refuse(document, **variables) == code
            assert await stand.read(order["id"]) == before
        else:
            await stand.shipper.ask(document, **variables)
            after = await stand.read(order["id"])
            assert after["orderItems"][0]["status"] == "CANCELLED"
            assert after["status"] == ("PAID" if what == "item" else "CLOSED")


async def test_keeps_its_goods_while_the_live_ones_change(stand: Stand) -> None:
    order = await stand.create("N-1", SKU_A=1)
    parts = """query q($id: ID!) { node(id: $id) { __typename
        ... on orderItem { sku { id originalId isSnapshot price shippingPrice
            shippingConfig { CountryCourierCode shippingPrice }
            product { id name skus { id } coverImage { originalUrl } } }
          product { id originalId isSnapshot } }
        ... on Sku { id price isSnapshot originalId } ... on Product { id isSnapshot originalId name } } }"""
    before = (await stand.shipper.ask(parts, id=order["orderItems"][0]["id"]))["node"]
    await stand.stock(goods("SKU_A", 2500, shipping=50, description="new"))

    assert (await stand.shipper.ask(parts, id=order["orderItems"][0]["id"]))["node"] == before
    sku, product = before["sku"], before["product"]
    assert (sku["price"], sku["isSnapshot"]) == (Decimal("19.99"), True)
    assert sku["shippingConfig"] == [
        {"CountryCourierCode": "IN19A04", "shippingPrice": Decimal("2.5")}
    ]
    assert sku["product"]["skus"] == [{"id": sku["id"]}]
    assert len({sku["id"], sku["originalId"], product["id"], product["originalId"]}) == 4
    frozen = (await stand.shipper.ask(parts, id=sku["id"]))["node"]
    live = (await stand.shipper.ask(parts, id=sku["originalId"]))["node"]
    assert frozen == {
        "__typename": "Sku", "id": sku["id"], "price": Decimal("19.99"), "isSnapshot": True,
        "originalId": sku["originalId"],
    }  # fmt: skip
    assert (live["price"], live["isSnapshot"], live["originalId"]) == (25, False, sku["originalId"])
    frozen = (await stand.shipper.ask(parts, id=product["id"]))["node"]
    assert (frozen["id"], frozen["isSnapshot"]) == (product["id"], True)


async def test_is_found_by_the_queries_of_the_examples(stand: Stand) -> None:
    order = await stand.create("N-1", SKU_A=1)
    found = await stand.shipper.ask(
        """query order($id: ID!) {
          node(id: $id) {
            ... on order {
              id
              orderItems {
                id
                sku {
                  originalId
                }
                status
              }
              status
            }
          }
        }""",
        id=order["id"],
    )
    (item,) = order["orderItems"]
    sku = {"originalId": item["sku"]["originalId"]}
    assert found["node"] == {
        "id": order["id"], "orderItems": [{"id": item["id"], "sku": sku, "status": "OPEN"}],
        "status": "OPEN",
    }  # fmt: skip
    found = await stand.shipper.ask(
        """query orderItem($id: ID!) {
          node(id: $id) {
            ... on orderItem {
              id
              sku {
                id
                originalId
                price
                shippingPrice
              }
              product {
                id
                originalId
                name
              }
              status
            }
          }
        }""",
        id=item["id"],
    )
    assert (found["node"]["id"], found["node"]["product"]["name"]) == (item["id"], "The SKU_A")
    assert (found["node"]["sku"]["shippingPrice"], found["node"]["status"]) == (9, "OPEN")


async def test_follows_its_package(stand: Stand) -> None:
    from crossdock.shop.warehouse import Checkpoint

    parts = """query q($id: ID!) { node(id: $id) { ... on Order { status orderItems { status
        shippingProvider trackingNumber shippingPackage { id status courier trackingNumber isDelivered
          timeShipped timeTracked timeLanded timeDelivered
          checkpoints { courier time message location } } } } } }"""
    order = await stand.paid("N-1", SKU_A=1, SKU_B=1)

    async def seen() -> tuple[str, list[dict[str, object]]]:
        found = (await stand.shipper.ask(parts, id=order["id"]))["node"]
        return found["status"], found["orderItems"]

    _, items = await seen()
    assert [item["shippingPackage"] for item in items] == [None, None]
    package = await stand.announce("N-1", "LX1", {1: 1})
    status, (first, second) = await seen()
    assert (status, first["status"], second["status"]) == (
        "IN_PROGRESS",
        "IN_FULFILLMENT",
        "IN_FULFILLMENT",
    )
    told = first["shippingPackage"]
    assert isinstance(told, dict)
    assert (told["status"], told["courier"], told["trackingNumber"]) == (
        "PENDING",
        "yunexpress",
        "LX1",
    )
    assert (first["shippingProvider"], first["trackingNumber"]) == ("yunexpress", "LX1")
    assert second["shippingPackage"] is None

    await stand.ship(package, "LX1")
    left = stand.clock.now()
    assert (await seen())[0] == "IN_PROGRESS"
    await stand.see(
        package,
        Checkpoint(
            code="landed", happened_at=left + timedelta(hours=2), message="In IN", place="Delhi"
        ),
        Checkpoint(code="collected", happened_at=left + timedelta(hours=1), message="Taken"),
    )
    _, (first, _) = await seen()
    told = first["shippingPackage"]
    assert isinstance(told, dict)
    unix = int(left.timestamp())
    assert (first["status"], told["status"], told["isDelivered"]) == ("SHIPPED", "LANDED", False)
    assert [told[name] for name in ("timeShipped", "timeTracked", "timeLanded", "timeDelivered")] == [
        unix, unix + 3600, unix + 7200, None,
    ]  # fmt: skip
    assert told["checkpoints"] == [
        {"courier": "yunexpress", "time": unix + 3600, "message": "Taken", "location": ""},
        {"courier": "yunexpress", "time": unix + 7200, "message": "In IN", "location": "Delhi"},
    ]
    by_id = await stand.shipper.ask(
        "query q($id: ID!) { node(id: $id) { ... on ShippingPackage { id status courier } } }",
        id=told["id"],
    )
    assert by_id["node"] == {"id": told["id"], "status": "LANDED", "courier": "yunexpress"}

    rest = await stand.announce("N-1", "LX2")
    await stand.ship(rest, "LX2")
    assert (await seen())[0] == "DELIVERED"  # handed to couriers
    stand.clock.move(timedelta(hours=5))
    await stand.deliver(package)
    status, (first, second) = await seen()
    assert (first["status"], second["status"], status) == ("DELIVERED", "SHIPPED", "DELIVERED")


async def test_tells_what_staff_refund_of_an_item(stand: Stand) -> None:
    order = await stand.paid("N-1", SKU_A=1, SKU_B=1)
    paying = Paying(db=stand.db, clock=stand.clock, ids=RandomIds(), providers={})
    await refund_line(
        paying,
        shop_id=stand.shop.id,
        order_id=await stand.number("N-1"),
        line_no=1,
        reason="not_shipped",
    )
    found = await stand.read(order["id"])
    assert (found["status"], found["refundStatus"]) == ("PAID", "PARTIAL_REFUNDED")
    item = found["orderItems"][0]
    assert (item["status"], item["refundedAmount"], item["shippingRefunded"]) == (
        "PAID",
        Decimal("19.99"),
        False,
    )
    assert item["refundReasonType"] == "NOT_SHIPPED_TOO_LONG"


def test_has_a_status_for_every_pair_of_states() -> None:
    payments = {
        *MOVES["payment"],
        *(to for ends in MOVES["payment"].values() for to in ends),
        "none",
    }
    fulfilments = {
        *MOVES["fulfilment"],
        *(to for ends in MOVES["fulfilment"].values() for to in ends),
    }
    statuses = ("OPEN", "PAID", "IN_PROGRESS", "DELIVERED", "CLOSED", "EXPIRED")
    pairs = [pair for status in statuses for pair in states_of([status])]
    assert len(pairs) == len(set(pairs))
    voided = {("voided", state) for state in fulfilments if state != "cancelled"}
    assert set(pairs) | voided == {(p, f) for p in payments for f in fulfilments}
