"""The list of orders..."""

from datetime import timedelta
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from tests.channels.shoppo.conftest import OpenShipper
from tests.channels.shoppo.ordering import CANCEL, Stand, goods
from tests.support.clocked import ClockedServer

LIST = """
query orderList(
    $first: Int,
    $last: Int,
    $after: String,
    $before: String,
    $filters: OrderFilterInput,
) {
  orderList(
    first: $first,
    last: $last,
    after: $after,
    before: $before,
    filters: $filters,
  ) {
    length
    edges {
      node {
        id
        status
      }
    }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""


@pytest.fixture
async def stand(
    hall_database: Database, hall_server: ClockedServer, shippers: OpenShipper
) -> Stand:
    shop = await Stand.shop_of(hall_database)
    made = Stand(hall_database, hall_server.clock, shop, await shippers(shop_id=shop.id))
    await made.stock(goods("SKU_A", 1000, own=500), goods("SKU_B", 500, own=500))
    return made


async def page(stand: Stand, **variables: Any) -> dict[str, Any]:
    return dict((await stand.shipper.ask(LIST, **variables))["orderList"])


async def ids(stand: Stand, **filters: Any) -> list[str]:
    found = await page(stand, filters=filters)
    assert found["length"] == len(found["edges"])
    return [edge["node"]["id"] for edge in found["edges"]]


async def test_is_walked_once_while_orders_are_added(stand: Stand) -> None:
    placed = []
    for number in range(7):
        placed.append((await stand.create(f"N-{number}", SKU_A=1))["id"])
        stand.clock.move(timedelta(seconds=number % 2))
    walked, cursor, more = [], "", True
    while more:
        found = await page(stand, first=2, after=cursor)
        walked += [edge["node"]["id"] for edge in found["edges"]]
        cursor, more = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"]
        await stand.create(f"late-{cursor}"[:64], SKU_B=1)
    assert walked == placed[::-1]

    back: list[str] = []
    cursor, more = "", True
    while more:
        found = await page(stand, last=3, before=cursor)
        back = [edge["node"]["id"] for edge in found["edges"]] + back
        cursor, more = found["pageInfo"]["startCursor"], found["pageInfo"]["hasPreviousPage"]
    assert back[-7:] == placed[::-1]


async def test_is_filtered_in_both_spellings(stand: Stand) -> None:
    start = int(stand.clock.now().timestamp())
    first = await stand.create("N-1", SKU_A=1)
    stand.clock.move(timedelta(seconds=30))
    second = await stand.create("N-2", SKU_A=1, SKU_B=1)
    stand.clock.move(timedelta(seconds=30))
    await stand.pay(second["id"])
    skus = await stand.skus()
    snapshot = await stand.shipper.ask(
        "query q($id: ID!) { node(id: $id) { ... on orderItem { sku { id } } } }",
        id=second["orderItems"][1]["id"],
    )
    one, two = first["id"], second["id"]
    cases: list[tuple[str, str, Any, list[str]]] = [
        ("order_id", "orderId", one, [one]),
        ("order_id", "orderId", "mDDlGkl4YXDuQ", []),
        ("order_id", "orderId", skus["SKU_A"], []),
        ("partner_order_code", "partnerOrderCode", "N-2", [two]),
        ("partner_order_code", "partnerOrderCode", "", []),
        ("sku_id", "skuId", skus["SKU_B"], [two]),
        ("sku_id", "skuId", skus["SKU_A"], [two, one]),
        ("sku_id", "skuId", snapshot["node"]["sku"]["id"], [two]),
        ("sku_id", "skuId", one, []),
        ("order_csv_upload_record_id", "orderCsvUploadRecordId", "7", []),
        ("time_payment_processed_range", "timePaymentProcessedRange", [None, None], [two]),
        (
            "time_payment_processed_range",
            "timePaymentProcessedRange",
            [start + 60, start + 60],
            [two],
        ),
        ("time_payment_processed_range", "timePaymentProcessedRange", [None, start + 59], []),
        ("status_in", "statusIn", ["PAID"], [two]),
        ("status_in", "statusIn", ["OPEN", "PAID", None], [two, one]),
        ("status_in", "statusIn", ["CLOSED", "EXPIRED", "DELIVERED", "IN_PROGRESS"], []),
        ("status_in", "statusIn", [], []),
    ]
    for name, twin, value, wanted in cases:
        assert await ids(stand, **{name: value}) == wanted, (name, value)
        assert await ids(stand, **{twin: value}) == wanted, (twin, value)
        assert await ids(stand, **{name: value, twin: value}) == wanted
    assert await ids(stand, timeCreatedRange=[start, start]) == [one]
    assert await ids(stand, timeCreatedRange=[start + 1, None]) == [two]
    assert await ids(stand, skuId=skus["SKU_A"], statusIn=["OPEN"]) == [one]
    assert await ids(stand) == [two, one]

    for filters in (
        {"order_id": one, "orderId": two},
        {"status_in": ["PAID"], "statusIn": []},
        {"timeCreatedRange": [2, 1]},
        {"timePaymentProcessedRange": [1]},
    ):
        reply = await stand.shipper.post(LIST, variables={"filters": filters})
        [error] = reply.json()["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_has_a_length_and_no_edges_for_none_at_all(stand: Stand) -> None:
    await stand.create("N-1", SKU_A=1)
    found = await page(stand, first=0)
    assert (found["length"], found["edges"]) == (1, [])
    for wrong in ({"first": 201}, {"first": -1}, {"first": 1, "last": 1}, {"after": "x"}):
        reply = await stand.shipper.post(LIST, variables=wrong)
        [error] = reply.json()["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_shows_the_orders_of_its_caller_alone(stand: Stand, shippers: OpenShipper) -> None:
    order = await stand.create("N-1", SKU_A=1)
    other = Stand(stand.db, stand.clock, stand.shop, await shippers(shop_id=stand.shop.id))
    assert await ids(other) == []
    assert await ids(other, orderId=order["id"]) == []
    snapshot = await stand.shipper.ask(
        "query q($id: ID!) { node(id: $id) { ... on orderItem { sku { id } } } }",
        id=order["orderItems"][0]["id"],
    )
    await other.create("N-2", SKU_A=1)
    assert await ids(other, skuId=snapshot["node"]["sku"]["id"]) == []


async def test_answers_the_same_by_plan_and_by_the_library(
    stand: Stand, hall_server: ClockedServer, database_url: str
) -> None:
    from tests.support.shoppo_inside import opened

    await stand.create("N-1", SKU_A=1)
    paid = await stand.paid("N-2", SKU_A=2, SKU_B=1)
    await stand.announce("N-2", "LX", {1: 1})
    closed = await stand.paid("N-3", SKU_B=1)
    await stand.shipper.ask(CANCEL, orderId=closed["id"])
    everything = """
    fragment sku on Sku { id originalId isSnapshot price shippingPrice product { id name skus { id } } }
    fragment item on OrderItem { id status quantity isRefunded refundedAmount shippingRefunded timeRefunded
      refundReasonType shippingProvider trackingNumber is_refunded sku { ...sku } product { id brand }
      shippingPackage { id courier isDelivered status timeShipped timeTracked timeLanded timeDelivered
        trackingNumber checkpoints { courier time message location } } order { id status refundStatus } }
    fragment order on Order { id status refundStatus orderItems { ...item } discountAmount orderSubtotal
      orderTotal shippingCost timeCreated timePaymentProcessed trackingNumber partnerOrderCode
      partnerSellerName timeExpires shippingAddress { city countryCode } order_items { id } refund_status
      time_payment_processed }
    """
    node = f'{{ node(id: "{paid["orderItems"][0]["id"]}") {{ ...item }} }}'
    documents = (
        everything + "{ orderList { edges { cursor node { ...order } } pageInfo { endCursor } } }",
        everything.split("fragment order", maxsplit=1)[0] + node,
        "{ orderList { edges { node { status } } } }",
        "{ orderList { edges { node { orderItems { sku { length } } } } } }",  # of the goods
    )
    async with opened(
        url=database_url,
        settings=hall_server.app.runtime.settings,
        clock=hall_server.clock,
        viewer=stand.shipper.viewer,
    ) as inside:
        for document in documents:
            inside.statements.clear()
            planned = await inside.run(document)
            statements = len(inside.statements)
            assert inside.has_plan(document)
            assert b'"errors"' not in planned
            assert planned == await inside.run(document, plans=False)
            assert statements <= 2
