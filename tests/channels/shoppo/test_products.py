"""A product..."""

from decimal import Decimal

import pytest

from crossdock.kit.ids import RandomIds
from crossdock.shop.catalogue import upsert_merchants, upsert_products
from crossdock.shop.shops import add_shop
from tests.channels.shoppo.conftest import GOODS, MERCHANTS
from tests.conftest import NOON

ID = "{ productList { edges { node { id name skus { id identifier product { id } } } } } }"
PRODUCT = """
query product($id: ID!) {
  node(id: $id) {
    ... on Product {
      id
      name
      brand
      consumerCategories {
        categoryId
        path
      }
      coverImage {
        id
      }
      skus {
        id
        price
        color
        size
        shippingPrice
        shippingTime
      }
    }
  }
}
"""
SKU = """
query sku($id: ID!) {
  node(id: $id) {
    ... on Sku {
      id
      color
      size
      price
      product {
        id
        name
      }
    }
  }
}
"""


@pytest.fixture
async def ids(shipper):
    """The ids of products by name and of Skus by identifier."""
    listed = (await shipper.ask(ID))["productList"]["edges"]
    found = {edge["node"]["name"]: edge["node"]["id"] for edge in listed}
    for edge in listed:
        found |= {sku["identifier"]: sku["id"] for sku in edge["node"]["skus"]}
    return found


async def node(shipper, number: str, fields: str, kind: str = "Product"):
    return (
        await shipper.ask(
            f"query q($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ {fields} }} }} }}", id=number
        )
    )["node"]


async def test_is_told_by_the_operation_of_the_seed(shipper, ids):
    told = (await shipper.ask(PRODUCT, id=ids["Oxford Shirt"]))["node"]
    assert told["brand"] == "Calvin Klein"
    assert [each["path"] for each in told["consumerCategories"]] == [
        "Clothing > Men > Shirts",
        "Sale",
    ]
    assert [(sku["color"], sku["size"], sku["price"]) for sku in told["skus"]] == [
        ("Red", "S", Decimal("40.0")), ("Red", "M", Decimal("40.0")), ("Blue", "M", Decimal("30.0")),
    ]  # fmt: skip
    assert {(sku["shippingPrice"], sku["shippingTime"]) for sku in told["skus"]} == {
        (Decimal("1.5"), "3-10 days")
    }


async def test_has_skus_which_the_seed_asks_for(shipper, ids):
    told = (await shipper.ask(SKU, id=ids["SHIRT-Blue-M"]))["node"]
    assert told == {
        "id": ids["SHIRT-Blue-M"], "color": "Blue", "size": "M", "price": Decimal("30.0"),
        "product": {"id": ids["Oxford Shirt"], "name": "Oxford Shirt"},
    }  # fmt: skip


async def test_without_a_video_has_none(shipper, ids):
    fields = "coverVideo { id checksum rowUrl rawUrl hlsUrl coverImage { id } } name"
    told = await node(shipper, ids["Oxford Shirt"], fields)
    assert told == {"coverVideo": None, "name": "Oxford Shirt"}
    assert await node(shipper, ids["Oxford Shirt"], "rowUrl", kind="Video") == {}


async def test_and_sku_are_told_with_every_field(shipper, ids):
    sku = await node(
        shipper, ids["SHIRT-Blue-M"], kind="Sku",
        fields="originalId isSnapshot enabled height inventory length msrp weight width specs { name value }"
        " identifier description merchant { name } timeCreated timeUpdated"
        " shippingConfig { CountryCourierCode shippingPrice shippingTime countryCode }",
    )  # fmt: skip
    added = int(NOON.timestamp()) - 9 * 3600
    assert sku == {
        "originalId": ids["SHIRT-Blue-M"], "isSnapshot": False, "enabled": True, "height": "1.97",
        "inventory": 10, "length": "11.81", "msrp": Decimal("40.0"), "weight": "0.55", "width": "7.87",
        "specs": [{"name": "Size", "value": "M"}, {"name": "Color", "value": "Blue"},
                  {"name": "Material", "value": "Cotton"}],
        "identifier": "SHIRT-Blue-M", "description": "Oxford Shirt - Blue / M",
        "merchant": {"name": "Acme"}, "timeCreated": added, "timeUpdated": added,
        "shippingConfig": [
            {"CountryCourierCode": "IN19A04", "shippingPrice": Decimal("2.5"),
             "shippingTime": "12-20 days", "countryCode": "IN"},
            {"CountryCourierCode": "TH20A01", "shippingPrice": Decimal("4.0"),
             "shippingTime": "3-10 days", "countryCode": None},
        ],
    }  # fmt: skip
    told = await node(
        shipper, ids["Velvet Lipstick"],
        "originalId isSnapshot description enabled features inventory targetUserType identifier tags upc"
        " hasBattery timeCreated timeUpdated",
    )  # fmt: skip
    added -= 3600
    assert told == {
        "originalId": ids["Velvet Lipstick"], "isSnapshot": False,
        "description": "<p>Long lasting &amp; bright.</p>", "enabled": True,
        "features": ["Stays", "Shines"], "inventory": 10, "targetUserType": "WOMEN",
        "identifier": "lipstick", "tags": ["lips", "new"], "upc": "309972924759", "hasBattery": False,
        "timeCreated": added, "timeUpdated": added,
    }  # fmt: skip


async def test_without_something_has_what_stands_for_it(shipper, ids, hall_server):
    told = await node(
        shipper, ids["Desk Lamp"],
        "brand features tags categoryId upc hasBattery targetUserType coverImage { id originalUrl checksum"
        " originalWidth originalHeight mainColor type versions { filename width } }"
        " extraImages { id } whiteBackgroundImage { id }"
        " skus { color size height weight shippingTime shippingPrice shippingConfig { shippingPrice } }",
    )  # fmt: skip
    picture = told.pop("coverImage")
    name = f"{picture['checksum']}.PNG"
    assert picture["originalUrl"] == f"{hall_server.url}/images/{name}"
    assert (picture["originalWidth"], picture["originalHeight"]) == (400, 400)
    assert (picture["mainColor"], picture["type"]) == ("#F2F2F2", "png")
    assert picture["versions"][0] == {"filename": name, "width": 400}
    assert [each["width"] for each in picture["versions"]] == [400, 100, 400]
    assert told.pop("whiteBackgroundImage") == {"id": picture["id"]}
    assert told.pop("categoryId").isdigit()
    assert told == {
        "brand": "", "features": [], "tags": [], "upc": None, "hasBattery": None,
        "targetUserType": "UNKNOWN", "extraImages": [],
        "skus": 2 * [{"color": "", "size": None, "height": None, "weight": None, "shippingTime": "",
                      "shippingPrice": Decimal("0.0"), "shippingConfig": []}],
    }  # fmt: skip


async def test_that_is_out_of_sale_sells_none(shipper, ids):
    for name, enabled, inventory, skus in (
        ("Oxford Shirt", True, 20, [(True, 10), (True, 0), (True, 10)]),
        ("Desk Lamp", True, 10, [(True, 10), (False, 0)]),
        ("Old Radio", False, 0, [(False, 0)]),
        ("Lost Goods", False, 0, [(False, 0)]),
    ):
        told = await node(shipper, ids[name], "enabled inventory skus { enabled inventory }")
        assert (told["enabled"], told["inventory"]) == (enabled, inventory)
        assert [(sku["enabled"], sku["inventory"]) for sku in told["skus"]] == skus


async def test_has_pictures_with_the_facts_of_their_addresses(shipper, ids, hall_server):
    fields = (
        "id checksum originalWidth originalHeight originalUrl mainColor type versions { filename }"
    )
    told = await node(
        shipper, ids["Velvet Lipstick"],
        f"coverImage {{ {fields} }} extraImages {{ {fields} }} skus {{ coverImage {{ id }} }}",
    )  # fmt: skip
    [extra] = told["extraImages"]
    assert told["coverImage"]["originalUrl"] == f"{hall_server.url}/media/lip.svg"
    assert told["skus"] == [{"coverImage": {"id": told["coverImage"]["id"]}}]
    assert extra | {"id": ""} == {
        "id": "", "checksum": "559f0aed91794b85918adab24ce340d2", "originalWidth": 0, "originalHeight": 0,
        "originalUrl": "https://img.example/lip-2.png?v=1", "mainColor": "#FFFFFF", "type": "png",
        "versions": [],
    }  # fmt: skip
    assert await node(shipper, extra["id"], fields, kind="Image") == extra


async def test_has_skus_with_pictures_of_their_own(shipper, ids):
    told = await node(
        shipper, ids["Oxford Shirt"],
        "coverImage { originalUrl } extraImages { id originalUrl }"
        " skus { coverImage { id originalUrl } }",
    )  # fmt: skip
    assert told["coverImage"]["originalUrl"] == "https://img.example/all.jpg"
    red, also_red, blue = (sku["coverImage"] for sku in told["skus"])
    assert red == also_red == told["extraImages"][0]
    assert blue["originalUrl"] == "https://img.example/Blue.jpg"
    assert await node(shipper, blue["id"], "id originalUrl", kind="Image") == blue


async def test_has_a_merchant_and_categories_with_ids(shipper, ids):
    told = await node(
        shipper, ids["Lost Goods"], "merchant { id name } consumerCategories { id path }"
    )
    assert (
        await node(shipper, told["merchant"]["id"], "id name", kind="Merchant") == told["merchant"]
    )
    told = await node(shipper, ids["Desk Lamp"], "consumerCategories { id path }")
    [category] = told["consumerCategories"]
    kind = "ConsumerProductCategory"
    assert await node(shipper, category["id"], "id path", kind=kind) == category
    # The other name of the type, in the seed.
    assert await node(shipper, category["id"], "id path", kind="ConsumerCategory") == category


async def test_is_seen_by_those_who_may_sell_it(hall_database, hall, shippers, ids, shipper):
    async with hall_database.begin() as tx:
        lumen = await tx.value(
            "select id from merchants where shop_id = %s and name = 'Lumen'", (hall.id,)
        )
    seller = await shippers(visible_merchants=(lumen,))
    listed = (await seller.ask(ID))["productList"]["edges"]
    assert [edge["node"]["name"] for edge in listed] == ["Old Radio", "Desk Lamp"]
    merchant = (await node(shipper, ids["Oxford Shirt"], "merchant { id }"))["merchant"]["id"]
    image = (await node(shipper, ids["Oxford Shirt"], "coverImage { id }"))["coverImage"]["id"]
    for hidden in (ids["Oxford Shirt"], ids["SHIRT-Red-S"], merchant, image):
        told = await seller.ask("query q($id: ID!) { node(id: $id) { id } }", id=hidden)
        assert told == {"node": None}


async def test_of_another_shop_is_unknown_under_its_own_id(hall_database, shippers, shipper, ids):
    async with hall_database.begin() as tx:
        slug = f"twin-{RandomIds().random_token(8).lower()}"
        twin = await add_shop(tx, slug=slug, name="Twin", currency="USD")
        await upsert_merchants(tx, shop_id=twin.id, records=MERCHANTS, now=NOON)
        await upsert_products(tx, shop=twin, records=GOODS, now=NOON)
    other = await shippers(twin.id)
    theirs = (await other.ask(ID))["productList"]["edges"][0]["node"]["id"]
    for caller, foreign in ((other, ids["Oxford Shirt"]), (shipper, theirs)):
        for number in (foreign, foreign[::-1], "", "0" * 22, "z" * 22, "é" * 22, "1"):
            told = await caller.ask("query q($id: ID!) { node(id: $id) { id } }", id=number)
            assert told == {"node": None}


async def test_id_may_be_sent_as_a_number(shipper):
    reply = await shipper.send(
        content=b'{"query": "query q($id: ID!) { node(id: $id) { id } }",'
        b' "variables": {"id": 21421713751366966949588}}',
        headers={"Content-Type": "application/json"},
    )
    assert reply.json() == {"data": {"node": None}}
