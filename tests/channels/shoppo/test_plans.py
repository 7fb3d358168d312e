"""A plan..."""

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from graphql import (
    BooleanValueNode,
    FieldNode,
    IntValueNode,
    NameNode,
    NullValueNode,
    StringValueNode,
    Visitor,
    parse,
    print_ast,
    visit,
)
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis_graphql import queries

from crossdock.channels.shoppo.schema import schema_text

EXAMPLES = 150
EVERYTHING = """
fragment image on Image {
  id checksum originalHeight originalWidth originalUrl mainColor type
  versions { filename height width }
}
fragment sku on Sku {
  id originalId isSnapshot color coverImage { ...image } enabled height inventory length msrp price
  shippingConfig { CountryCourierCode shippingPrice shippingTime countryCode }
  shippingPrice shippingTime size weight width specs { name value } identifier description
  merchant { id name } timeCreated timeUpdated product { id name skus { id product { id } } }
}
fragment product on Product {
  id originalId isSnapshot brand coverImage { ...image } description enabled extraImages { ...image }
  consumerCategories { id originalId categoryId path } features name inventory skus { ...sku }
  targetUserType whiteBackgroundImage { ...image } identifier tags categoryId merchant { id name }
  hasBattery upc timeCreated timeUpdated
}
{
  productList { length edges { cursor node { __typename ...product } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }
  categories: productCategories(last: 3) { length edges { cursor node { id path } } pageInfo { hasPreviousPage } }
}
"""


class _Made(Visitor):
    """Puts ids and cursors that exist into a generated document, and names into its answer."""

    def __init__(self, chance: random.Random, *, ids: list[str], cursors: list[str]) -> None:
        super().__init__()
        self._chance = chance
        self._ids = ids
        self._cursors = cursors
        self._count = 0

    def enter_argument(self, node: Any, *_: object) -> Any:
        chosen = self._value(node.name.value)
        return None if chosen is None else replace(node, value=chosen)

    def enter_field(self, node: FieldNode, *_: object) -> Any:
        if node.alias or self._chance.random() > 0.1 or self._count >= 25:
            return None
        self._count += 1
        return replace(node, alias=NameNode(value=f"a{self._count}"))

    def _value(self, name: str) -> Any:
        chance = self._chance
        if name == "id":
            return StringValueNode(value=chance.choice(self._ids))
        if name in {"first", "last"} and chance.random() < 0.9:
            return chance.choice([NullValueNode(), IntValueNode(value=str(chance.randrange(4)))])
        if name in {"after", "before"} and chance.random() < 0.9:
            cursor = StringValueNode(value=chance.choice(self._cursors))
            return chance.choice([NullValueNode(), cursor])
        if name == "productEnabled":
            return BooleanValueNode(value=chance.random() < 0.5)
        return None


def generated(number: int) -> list[str]:
    """Documents that fit the schema, the same for the same number."""
    found: list[str] = []

    @seed(number)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(queries(schema_text()))
    def collect(document: str) -> None:
        found.append(document)

    collect()
    return found


async def every_id(inside) -> list[str]:
    """An id of each kind, and some of nothing."""
    listed = json.loads(await inside.run(EVERYTHING))["data"]
    products = [edge["node"] for edge in listed["productList"]["edges"]]
    found = {each["id"] for each in products}
    for each in products:
        found |= {each["coverImage"]["id"], each["merchant"]["id"]}
        found |= {sku["id"] for sku in each["skus"]}
        found |= {sku["coverImage"]["id"] for sku in each["skus"]}
        found |= {category["id"] for category in each["consumerCategories"]}
    return [*sorted(found), "21421713751366966949588", "", "0" * 22, "z" * 22]


async def every_cursor(inside) -> list[str]:
    """A cursor of each place of both lists."""
    listed = json.loads(await inside.run(EVERYTHING))["data"]
    return [edge["cursor"] for page in listed.values() for edge in page["edges"]]


@pytest.mark.parametrize("number", [20261129])
async def test_answers_byte_for_byte_what_the_library_answers(inside, number):
    chance = random.Random(number)
    ids, cursors = await every_id(inside), await every_cursor(inside)
    planned = with_data = 0
    for document in generated(number):
        made = print_ast(visit(parse(document), _Made(chance, ids=ids, cursors=cursors)))
        told = await inside.run(made)
        assert told == await inside.run(made, plans=False), made
        # The comments of tickets take arguments below the root, which only the library does.
        planned += inside.has_plan(made) or "comments" in made
        with_data += b'"errors"' not in told
    assert planned == EXAMPLES
    assert with_data > EXAMPLES // 4


@pytest.mark.parametrize(
    "query",
    [
        EVERYTHING,
        "{ __typename productList(first: 0) { length } }",
        "{ p: productList(first: 1) { edges { node { name } } } p: productList(first: 1) { length } }",
        "{ productList(first: 2) { edges { node { id skus { id } } } edges { node { skus { color } } } } }",
        "query q($n: Int = 2) { productList(first: $n) { edges { node { name } } } }",
        "{ productList(first: 1) { edges { ... { node { ... on Node { id ... on Product { name } } } } } } }",
        "{ productList(first: 1) { edges { node { ... on Product { name } ... { brand } } } } }",
    ],
)
async def test_is_made_of_fields_aliases_arguments_and_fragments(inside, query):
    assert inside.has_plan(query)
    assert await inside.run(query) == await inside.run(query, plans=False)


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { queryType { name } } }",
        "{ productList { length @skip(if: true) pageInfo { hasNextPage } } }",
        "query q($b: Boolean = true) { productList { ... @include(if: $b) { length } } }",
    ],
)
async def test_is_not_made_of_what_only_the_library_does(inside, query):
    assert not inside.has_plan(query)
    assert b'"data"' in await inside.run(query)


@pytest.mark.parametrize(
    "query",
    [
        "{ productList(first: -1) { length } }",
        '{ a: productList(first: 1) { length } b: productList(after: "x") { length } }',
    ],
)
async def test_leaves_what_is_refused_to_the_library(inside, query):
    told = await inside.run(query)
    assert inside.has_plan(query)
    assert b'"BAD_USER_INPUT"' in told
    assert told == await inside.run(query, plans=False)


async def statements(inside, query, **options):
    """How many statements a document takes."""
    inside.statements.clear()
    await inside.run(query, **options)
    return len(inside.statements)


async def test_has_one_statement_for_a_page_whatever_is_selected_of_it_and_none_for_it_again(
    inside,
):
    await inside.admit()
    await inside.run("{ productList(first: 1) { edges { cursor } } }")  # learns of the goods
    flat = "{ productList(first: 3) { edges { node { name } } } }"
    page = EVERYTHING.replace("productList { length", "productList {")
    for query in (flat, page.split("  categories")[0] + "}"):
        assert [await statements(inside, query) for _ in range(3)] == [1, 0, 0]
        assert await statements(inside, query, plans=False) == 1


async def test_counts_once_for_each_state_of_the_catalogue(inside):
    await inside.admit()
    await inside.run("{ productList(first: 1) { edges { cursor } } }")  # learns of the goods
    queries = [
        f"{{ productList(first: {size}) {{ length edges {{ node {{ skus {{ id }} }} }} }} }}"
        for size in (2, 3, 4)
    ]
    assert [await statements(inside, query) for query in queries] == [2, 1, 1]
    assert await statements(inside, "{ productList(first: 9) { length } }") == 1
    assert await statements(inside, queries[0], plans=False) == 1


async def test_asks_for_the_version_of_the_goods_where_it_was_not_told_with_the_caller(inside):
    query = "{ productList(first: 3) { edges { node { name } } } }"
    assert [await statements(inside, query) for _ in range(2)] == [3, 1]


@pytest.mark.parametrize(
    "query",
    [
        "{ productList(first: 2) { a: edges { node { id } } b: edges { cursor } length } }",
        "{ productList(first: 2) { edges { node { id } } edges { cursor } } }",
        "{ productList(first: 2) { pageInfo { startCursor endCursor } e: edges { n: node { name } } } }",
        """{ productList(first: 2) { ...p } }
        fragment p on ProductConnection { edges { ...e } }
        fragment e on ProductEdge { cursor node { name } }""",
        "{ productList(first: 0) { __typename edges { __typename } pageInfo { endCursor } } }",
    ],
)
async def test_answers_a_page_again_as_the_library_does(inside, query):
    told = [await inside.run(query) for _ in range(2)]
    assert told == [await inside.run(query, plans=False)] * 2


async def test_of_a_document_is_made_once(inside):
    query = "{ productList(first: 1) { edges { node { name } } } }"
    assert inside.documents.read(query) is inside.documents.read(query)
    document = inside.documents.read(query)
    assert inside.documents.operation(document, None) is inside.documents.operation(document, "x")


@pytest.mark.parametrize(
    ("query", "is_of_goods"),
    [
        ("{ productList { length } }", True),
        ("{ a: productList(first: 1) { length } b: productList { edges { cursor } } }", True),
        ("query q { ...f } fragment f on RootQuery { productList { length } }", True),
        ("{ productList { length } productCategories { length } }", False),
        ('{ productList { length } node(id: "x") { id } }', False),
        ("{ productList { length } __typename }", False),
    ],
)
async def test_is_of_goods_where_it_reads_their_lists_alone(inside, query, is_of_goods):
    plan = inside.documents.operation(inside.documents.read(query), None).plan
    assert plan is not None
    assert plan.is_of_goods == is_of_goods
