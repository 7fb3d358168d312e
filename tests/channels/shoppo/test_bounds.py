"""A document that is too large..."""

import time

import pytest

from tests.channels.shoppo.test_plans import EVERYTHING

REFUSED_WITHIN_S = 0.05
CYCLE = "{ productList { ...a } } fragment a on ProductConnection { ...b } fragment b on ProductConnection { ...a }"


def deep(levels: int) -> str:
    """So many fields below one another."""
    names = ["productList(first: 1)", "edges", "node", *("skus", "product") * levels][: levels - 1]
    return "{ " + " { ".join([*names, "id"]) + " }" * levels


def doubled(times: int) -> str:
    """Fragments that spread the next one twice each: 2 to the power of `times` fields, if followed."""
    parts = [
        f"fragment f{n} on Product {{ skus {{ product {{ ...f{n + 1} ...f{n + 1} }} }} }}"
        for n in range(times)
    ]
    last = f"fragment f{times} on Product {{ id }}"
    return f"{{ productList {{ edges {{ node {{ ...f0 ...f0 }} }} }} }} {' '.join([*parts, last])}"


def chained(count: int, *, levels: int = 0) -> str:
    """A field in so many fragments, one in another, each below so many levels of fragments without a name."""
    kind = "ProductConnection"
    parts = [
        f"fragment f{n} on {kind} {'{ ... ' * levels}{{ ...f{n + 1} }}{'}' * levels}"
        for n in range(count - 1)
    ]
    last = f"fragment f{count - 1} on {kind} {{ length }}"
    return f"{{ productList {{ ...f0 }} }} {' '.join([*parts, last])}"


def ring(count: int) -> str:
    """So many fragments, each with the next one, the last with the first."""
    parts = [
        f"fragment f{n} on ProductConnection {{ ...f{(n + 1) % count} }}" for n in range(count)
    ]
    return f"{{ productList {{ ...f0 }} }} {' '.join(parts)}"


def forked(levels: int) -> str:
    """Fragments that spread the next one below two fields each, and so 2 to the power of `levels` fields."""
    parts = [
        f"fragment f{n} on __Type {{ ofType {{ ...f{n + 1} }} interfaces {{ ...f{n + 1} }} }}"
        for n in range(levels)
    ]
    last = f"fragment f{levels} on __Type {{ name }}"
    return f"{{ __schema {{ queryType {{ ...f0 }} }} }} {' '.join([*parts, last])}"


def repeated(selection: str, count: int) -> str:
    """The same selection of the list so often."""
    return f"{{ productList {{ {f'{selection} ' * count}}} }}"


TOO_LARGE = [
    (deep(14), "QUERY_TOO_DEEP", {"limit": 12, "actual": 14}),
    (deep(50), "QUERY_TOO_DEEP", {"limit": 12, "actual": 50}),
    (doubled(20), "QUERY_TOO_DEEP", {"limit": 12}),
    ("{ " + " ".join(f"a{n}: __typename" for n in range(10_000)) + " }", "QUERY_TOO_COMPLEX",
     {"limit": 50_000}),
    ("{ productList { " + " ".join(f"a{n}: length" for n in range(31)) + " } }", "QUERY_TOO_COMPLEX",
     {"limit": 30, "actual": 31}),
    ("{ " + " ".join(f"a{n}: __typename" for n in range(11)) + " }", "QUERY_TOO_COMPLEX",
     {"limit": 10, "actual": 11}),
    ("{ ...a } fragment a on RootQuery { " + " ".join(f"a{n}: __typename" for n in range(11)) + " }",
     "QUERY_TOO_COMPLEX", {"limit": 10, "actual": 11}),
    ("{ productList(first: 200) { edges { node { skus { product { skus { id } } } } } } }",
     "QUERY_TOO_COMPLEX", {"limit": 20_000, "actual": 20_001}),
    ("{ " + "x " * 2000 + "}", "QUERY_TOO_COMPLEX", {"limit": 2000}),
    ("#" * 300_000 + "\n{ a" + "#\n" * 100_000 + "}", "QUERY_TOO_COMPLEX", {"limit": 50_000}),
    ("#" * 49_900 + "\n{ a }", "GRAPHQL_VALIDATION_FAILED", {}),
    ('{ node(id: "' + "x" * 49_900, "GRAPHQL_PARSE_FAILED", {}),
    (CYCLE, "GRAPHQL_VALIDATION_FAILED", {}),
    (ring(50), "GRAPHQL_VALIDATION_FAILED", {}),
    (ring(150), "QUERY_TOO_COMPLEX", {"limit": 50, "actual": 150}),
    (ring(210), "QUERY_TOO_COMPLEX", {"limit": 50, "actual": 210}),
    (chained(51), "QUERY_TOO_COMPLEX", {"limit": 50, "actual": 51}),
    (chained(220), "QUERY_TOO_COMPLEX", {"limit": 50, "actual": 220}),
    (chained(5, levels=140), "QUERY_TOO_DEEP", {"limit": 64}),
    (chained(4, levels=20), "QUERY_TOO_DEEP", {"limit": 64}),
    (forked(20), "QUERY_TOO_COMPLEX", {"limit": 5_000}),
    (repeated("length", 46), "QUERY_TOO_COMPLEX", {"limit": 1_000, "actual": 1_035}),
    (repeated("length", 1_900), "QUERY_TOO_COMPLEX", {"limit": 1_000}),
    (repeated("edges { node { id } }", 240), "QUERY_TOO_COMPLEX", {"limit": 1_000}),
    (repeated("... { edges { node { id } } }", 190), "QUERY_TOO_COMPLEX", {"limit": 1_000}),
    ("fragment f on Product { " + "id " * 1_900 + "}", "QUERY_TOO_COMPLEX", {"limit": 1_000}),
    ("{ productList " + "{ edges " * 400 + "}" * 400 + "}", "GRAPHQL_PARSE_FAILED", {}),
    ("{ productList(first: " + "9" * 40_000 + ") { length } }", "GRAPHQL_VALIDATION_FAILED", {}),
    ("{ node(id: " + "[" * 1500 + "]" * 400 + ") { id } }", "GRAPHQL_PARSE_FAILED", {}),
]  # fmt: skip


@pytest.mark.parametrize(("query", "code", "told"), TOO_LARGE)
async def test_is_refused_at_once(inside, shipper, query, code, told):
    taken = []
    for blanks in range(3):
        started = time.thread_time()
        await inside.run(query + " " * blanks)  # each time another document
        taken.append(time.thread_time() - started)
    assert min(taken) < REFUSED_WITHIN_S
    reply = await shipper.post(query)
    assert (reply.status_code, list(reply.json())) == (200, ["errors"])
    extensions = reply.json()["errors"][0]["extensions"]
    assert extensions["code"] == code
    assert extensions.items() >= told.items()


async def test_is_counted_with_the_page_that_its_variables_ask_for(shipper):
    query = "query q($n: Int) { productList(first: $n) { edges { node { skus { product { skus { id } } } } } } }"
    await shipper.ask(query, n=100)
    error = await shipper.refusal(query, n=200)
    assert error["extensions"]["code"] == "QUERY_TOO_COMPLEX"


async def test_may_be_as_large_as_the_limits_say(shipper):
    levels = "productList(first: 1) edges node skus product skus product skus product coverImage versions"
    await shipper.ask(
        "{ " + levels.replace(" ", " { ").replace(": {", ":") + " { filename }" + " }" * 11
    )
    await shipper.ask("{ productList { " + " ".join(f"a{n}: length" for n in range(30)) + " } }")
    await shipper.ask("{ " + " ".join(f"a{n}: __typename" for n in range(10)) + " }")
    await shipper.ask(EVERYTHING)
    for query in (chained(50), chained(3, levels=20), repeated("length", 45)):
        assert (await shipper.ask(query))["productList"]["length"] == 5


async def test_has_a_body_that_is_refused_before_it_is_read(shipper):
    started = time.perf_counter()
    reply = await shipper.post("{ __typename }" + " " * 5 * 1024 * 1024)
    assert time.perf_counter() - started < 1
    [error] = reply.json()["errors"]
    assert (reply.status_code, error["extensions"]["code"]) == (413, "BAD_REQUEST")
