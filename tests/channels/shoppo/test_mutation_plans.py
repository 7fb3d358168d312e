"""The plan of a mutation..."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from crossdock.channels.shoppo.order_fields import ORDER_TYPES
from crossdock.db.unit_of_work import Database
from tests.channels.shoppo.conftest import OpenShipper
from tests.channels.shoppo.ordering import CANCEL, CREATE, PAY, Stand, goods, to_india
from tests.support.clocked import ClockedServer
from tests.support.shoppo_inside import Inside, opened

TWO = """
mutation both($first: ID!, $second: ID!) {
  lost: cancelOrder(orderId: $first) { order { id status } }
  kept: setOrderAsPaid(orderId: $second, chargeId: "c") { order { ... on Order { status } } }
}
"""


@pytest.fixture
async def stand(
    hall_database: Database, hall_server: ClockedServer, shippers: OpenShipper
) -> Stand:
    shop = await Stand.shop_of(hall_database)
    made = Stand(hall_database, hall_server.clock, shop, await shippers(shop_id=shop.id))
    await made.stock(goods("SKU_A", 1999, shipping=900, **to_india(250)), goods("SKU_B", 500))
    return made


@pytest.fixture
async def inside(
    database_url: str, hall_server: ClockedServer, stand: Stand
) -> AsyncIterator[Inside]:
    """The executor without the server, for the stand's drop shipper."""
    async with opened(
        url=database_url,
        settings=hall_server.app.runtime.settings,
        clock=hall_server.clock,
        viewer=stand.shipper.viewer,
    ) as made:
        yield made


async def both_ways(inside: Inside, query: str, **variables: Any) -> bytes:
    """What the plan answers; the library answers the same when the same is sent once more."""
    assert inside.has_plan(query)
    told = await inside.run(query, **variables)
    assert told == await inside.run(query, plans=False, **variables)
    return told


async def test_answers_what_the_library_answers(inside: Inside, stand: Stand) -> None:
    created = await both_ways(inside, CREATE, **await stand.variables("1", SKU_A=2, SKU_B=1))
    order = json.loads(created)["data"]["createOrder"]["order"]
    assert order["status"] == "OPEN"

    paid = await both_ways(inside, PAY, orderId=order["id"], chargeId="ch")
    assert json.loads(paid)["data"]["setOrderAsPaid"]["order"]["status"] == "PAID"


async def test_leaves_what_is_refused_to_the_library(inside: Inside, stand: Stand) -> None:
    unknown = {**await stand.variables("1", SKU_A=1), "orderItems": [{"skuId": "x", "quantity": 1}]}
    order = await stand.create("2", SKU_A=1)

    refused = [
        await both_ways(inside, CREATE, **unknown),
        await both_ways(inside, CREATE, **await stand.variables("3", SKU_A=999)),
        await both_ways(inside, PAY, orderId="nobody's", chargeId="ch"),
        await both_ways(inside, CANCEL, orderId=order["id"]),
    ]

    codes = [json.loads(each)["errors"][0]["extensions"]["code"] for each in refused]
    assert codes == ["SKU_NOT_FOUND", "OUT_OF_STOCK", "NOT_FOUND", "ORDER_NOT_CANCELLABLE"]


async def test_goes_on_after_one_that_is_refused(inside: Inside, stand: Stand) -> None:
    open_one, other = [await stand.create(code, SKU_A=1) for code in ("1", "2")]

    told = await both_ways(inside, TWO, first=open_one["id"], second=other["id"])

    answer = json.loads(told)
    assert answer["data"] == {"lost": None, "kept": {"order": {"status": "PAID"}}}
    assert [error["path"] for error in answer["errors"]] == [["lost"]]


async def test_carries_one_out_once_where_the_library_has_to_make_the_answer(
    inside: Inside, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await stand.paid("1", SKU_A=1)
    monkeypatch.setitem(ORDER_TYPES["Order"], "status", lambda _row, _call: "no state")

    assert inside.has_plan(CANCEL)
    told = json.loads(await inside.run(CANCEL, orderId=order["id"]))

    # A second time would be refused.
    assert told == {"data": {"cancelOrder": {"order": {"id": order["id"], "status": "CLOSED"}}}}


async def test_takes_as_many_statements_as_without(inside: Inside, stand: Stand) -> None:
    counts = []
    for code, plans in (("1", True), ("2", False), ("3", True), ("4", False)):
        variables = await stand.variables(code, SKU_A=1)
        inside.statements.clear()
        await inside.run(CREATE, plans=plans, **variables)
        counts.append(len(inside.statements))
    assert len(set(counts)) == 1


async def test_is_not_made_of_what_only_the_library_does(inside: Inside) -> None:
    assert not inside.has_plan("mutation { __typename }")
    assert not inside.has_plan(
        'mutation { cancelOrder(orderId: "1") { order { id @skip(if: true) status } } }'
    )
