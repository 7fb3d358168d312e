"""A fault of the server's own..."""

import pytest
from structlog.testing import capture_logs

from tests.channels.shoppo.ordering import CREATE, Stand, goods

LIST = "{ productList { edges { node { coverVideo { id } } } } }"
TWICE = (
    "query both { a: productList { length } productList { edges { node { coverVideo { id } } } } }"
)


@pytest.mark.parametrize("document", [LIST, TWICE, CREATE])
async def test_is_logged_and_answered_with_500_whatever_runs_the_document(
    hall_database, hall_server, shippers, document
):
    shop = await Stand.shop_of(hall_database)
    stand = Stand(hall_database, hall_server.clock, shop, await shippers(shop_id=shop.id))
    await stand.stock(goods("SKU_A", 1999))
    variables = await stand.variables("A", SKU_A=1)
    async with hall_database.begin() as tx:
        await tx.run("update products set video = '{}' where shop_id = %s", (shop.id,))

    with capture_logs() as records:
        reply = await stand.shipper.post(document, variables=variables)

    [error] = reply.json()["errors"]
    assert (reply.status_code, list(reply.json())) == (500, ["errors"])
    assert (error["message"], error["extensions"]) == (
        "An internal error occurred.",
        {
            "code": "INTERNAL_SERVER_ERROR", "type": "InternalError", "displayToUser": False,
            "requestId": reply.headers["x-request-id"],
        },
    )  # fmt: skip
    assert [each["event"] for each in records if each["log_level"] == "error"] == ["request failed"]
    async with hall_database.statement() as tx:
        count = "select count(*) from orders where shop_id = %s"
        assert await tx.value(count, (shop.id,)) == 0
