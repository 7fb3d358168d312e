"""The input of an order..."""

import pytest

from crossdock.db.unit_of_work import Database
from tests.channels.shoppo.conftest import OpenShipper
from tests.channels.shoppo.ordering import ADDRESS, CREATE, Stand, goods, to_india
from tests.support.clocked import ClockedServer

LITERAL = """
mutation {
  createOrder(partnerOrderCode: "x", orderItems: [], shippingAddress: {
    recipientFirstName: "Ada", recipientLastName: "Test", streetAddress1: "1 Road", streetAddress2: "",
    city: "Pune", state: "MH", countryCode: %s, zipcode: "411001", phoneNumber: "0"
  }) { order { id } }
}
"""


@pytest.fixture
async def stand(
    hall_database: Database, hall_server: ClockedServer, shippers: OpenShipper
) -> Stand:
    shop = await Stand.shop_of(hall_database)
    made = Stand(hall_database, hall_server.clock, shop, await shippers(shop_id=shop.id))
    await made.stock(goods("A", 100, **to_india(250)), goods("B", 100, **to_india(250)))
    return made


async def test_may_have_its_items_in_an_object_as_php_writes_a_list_with_gaps(stand: Stand) -> None:
    sent = await stand.variables("P-1", A=2, B=3)
    first, second = sent["orderItems"]
    sent["orderItems"] = {"1": first, "3": {**second, "quantity": 3.0}}

    order = (await stand.shipper.ask(CREATE, **sent))["createOrder"]["order"]

    assert [item["quantity"] for item in order["orderItems"]] == [2, 3]
    assert await stand.available("P-1") == [8, 7]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("UK", "'UK' is no country code of ISO 3166-1; write GB for United Kingdom."),
        ("EL", "'EL' is no country code of ISO 3166-1; write GR for Greece."),
        ("IND", "'IND' is no country code of ISO 3166-1; write IN for India."),
        ("GB", "Value 'GB' does not exist in 'CountryCode' enum."),
        (
            "in",
            "Value 'in' does not exist in 'CountryCode' enum. Did you mean the enum value 'CN' or 'IN'",
        ),
    ],
)
async def test_is_refused_with_the_country_that_was_meant(
    stand: Stand, code: str, said: str
) -> None:
    sent = await stand.variables("P-2", A=1)
    sent["shippingAddress"] = {**ADDRESS, "countryCode": code}
    before = await stand.counts()

    for reply in (
        await stand.shipper.post(CREATE, variables=sent),
        await stand.shipper.post(LITERAL % code),
    ):
        [error] = reply.json()["errors"]
        assert said in error["message"]
        assert "US" not in error["message"]
    assert await stand.counts() == before
