"""The catalogue..."""

import pytest

from tests.channels.shoppo.conftest import NAMES

LIST = """
query productList($first: Int, $after: String, $before: String, $last: Int, $filters: ProductFilterInput,) {
  productList(first: $first, after: $after, before: $before, last: $last, filters: $filters,) {
    length
    edges { node { id name } }
    pageInfo { hasNextPage endCursor }
  }
}
"""


async def names(shipper, **variables):
    page = (await shipper.ask(LIST, **variables))["productList"]
    return [edge["node"]["name"] for edge in page["edges"]]


async def test_lists_the_newest_first_with_what_is_out_of_sale(shipper):
    page = (await shipper.ask(LIST))["productList"]
    assert [edge["node"]["name"] for edge in page["edges"]] == NAMES
    assert (page["length"], page["pageInfo"]["hasNextPage"]) == (5, False)


async def test_finds_each_product_by_the_id_of_the_list(shipper):
    page = (await shipper.ask(LIST))["productList"]
    for edge in page["edges"]:
        found = await shipper.ask(
            "query p($id: ID!) { node(id: $id) { __typename ... on Product { id name } } }",
            id=edge["node"]["id"],
        )
        assert found["node"] == {"__typename": "Product", **edge["node"]}


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({"productEnabled": True}, ["Desk Lamp", "Oxford Shirt", "Velvet Lipstick"]),
        ({"productEnabled": False}, ["Lost Goods", "Old Radio"]),
        ({"productEnabled": None}, NAMES),
    ],
)
async def test_is_filtered(shipper, filters, wanted):
    assert await names(shipper, filters=filters) == wanted
