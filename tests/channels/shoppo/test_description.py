"""The schema..."""

import json
from pathlib import Path

from gql import Client, gql
from gql.transport.httpx import HTTPXAsyncTransport
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_client_schema,
    build_schema,
    get_introspection_query,
    print_schema,
    validate_schema,
)

from crossdock.channels.shoppo.errors import CODES, WIRE
from crossdock.channels.shoppo.schema import FOLDER, published
from crossdock.channels.shoppo.shipping import COUNTRIES, COURIERS
from crossdock.errors import ERROR_CODES
from tests.support.processes import ROOT
from tests.support.shoppo_client import PATH

SPEC_SCALARS = {"String", "Int", "Float", "Boolean", "ID"}


def test_is_told_in_the_reference_as_it_is_served():
    kept = (ROOT / "docs/reference/shoppo.graphql").read_text()
    assert kept == published()


def test_is_valid():
    assert validate_schema(build_schema(published())) == []


def test_describes_every_type_field_argument_and_value():
    schema = build_schema(published())
    silent = []
    for name, kind in schema.type_map.items():
        if name.startswith("__") or name in SPEC_SCALARS:
            continue
        parts = {name: kind}
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            parts |= {f"{name}.{field}": each for field, each in kind.fields.items()}
            for field, each in kind.fields.items():
                parts |= {f"{name}.{field}({arg})": value for arg, value in each.args.items()}
        if isinstance(kind, GraphQLInputObjectType):
            parts |= {f"{name}.{field}": each for field, each in kind.fields.items()}
        if isinstance(kind, GraphQLEnumType):
            parts |= {f"{name}.{value}": each for value, each in kind.values.items()}
        silent += [told for told, part in parts.items() if not part.description]
    assert silent == []


def test_has_a_file_for_each_subject():
    assert {path.suffix for path in FOLDER.iterdir()} == {".graphql"}
    assert Path(FOLDER, "base.graphql").exists()


def test_has_the_codes_of_couriers_and_countries_that_are_told():
    schema = build_schema(published())
    for name, known in (("CountryCode", COUNTRIES), ("CountryCourierCode", COURIERS)):
        kind = schema.type_map[name]
        assert isinstance(kind, GraphQLEnumType)
        assert set(kind.values) == known


def test_has_a_code_for_every_error_of_the_core():
    assert set(WIRE) == set(ERROR_CODES)
    assert {code for _, code, _ in WIRE.values()} <= set(CODES)


async def test_is_told_by_introspection_to_callers_though_that_is_deep(shipper):
    query = get_introspection_query(schema_description=True, input_value_deprecation=True)
    told = await shipper.ask(query)
    assert print_schema(build_client_schema(told)) + "\n" == published()


async def test_is_read_by_a_client_that_checks_against_it(hall_server, shipper):
    transport = HTTPXAsyncTransport(
        url=f"{hall_server.url}{PATH}",
        headers={"accesstoken": shipper.token, "viewerid": shipper.viewer},
        trust_env=False,
    )
    walk = gql(
        """query walk($after: String) {
             productList(first: 2, after: $after) {
               edges { node { id name skus { price } } }
               pageInfo { hasNextPage endCursor }
             }
           }"""
    )
    found, after = [], None
    async with Client(transport=transport, fetch_schema_from_transport=True) as session:
        while True:
            walk.variable_values = {"after": after}
            page = (await session.execute(walk))["productList"]
            found += [edge["node"]["name"] for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
    assert len(found) == len(set(found)) == 5


async def test_has_a_path_in_the_openapi_document(hall_server, shipper):
    reply = await shipper.send("GET", "/docs/api/shoppo/openapi.json")
    document = json.loads(reply.content)
    assert list(document["paths"]) == [PATH]
    assert document["paths"][PATH]["post"]["security"] == [{"accesstoken": [], "viewerid": []}]
