"""Any search engine..."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from crossdock.shop.search import (
    Bool,
    Chosen,
    Document,
    Engine,
    Everything,
    FacetRequest,
    Filter,
    Fuzzy,
    Node,
    Pattern,
    Phrase,
    Range,
    Scope,
    SearchRequest,
    Word,
    words_request,
)
from tests.support.search_engines import assert_equal, local_engine
from tests.support.search_made import made_documents, made_request
from tests.support.search_oracle import BruteForce

Engines = Callable[[Sequence[Sequence[Document]]], Engine]
SKUS = 600
REQUESTS = 400
USD = Scope(currency="USD")


@pytest.fixture(params=["local", "brute force"])
def engines(request: pytest.FixtureRequest, tmp_path: Path) -> Engines:
    """What makes each engine of some goods."""
    if request.param == "local":
        return lambda goods: local_engine(goods, folder=tmp_path / "index")
    return lambda goods: BruteForce(each for skus in goods for each in skus)


def a_sku(product_id: int, number: int = 1, **more: Any) -> Document:
    values: dict[str, Any] = {
        "product_id": product_id,
        "variant_id": product_id * 100 + number,
        "currency": "USD",
        "name": f"Thing {product_id}",
        "retail_minor": 1_000,
        "price_minor": 1_000,
        "modified_s": 1_700_000_000 + product_id,
    }
    return Document(**values | more)


def found(engine: Engine, *filters: Node, query: Node = Everything()) -> list[int]:  # noqa: B008
    request = SearchRequest(
        scope=USD, query=query, filters=tuple(Filter(node=node) for node in filters), limit=100
    )
    answer = engine.search(request)
    assert answer.count == len(answer.hits)
    return sorted(hit.product_id for hit in answer.hits)


def test_answers_what_trying_every_sku_answers(tmp_path):
    seed = random.randrange(10**9)
    rng = random.Random(seed)
    goods = list(made_documents(SKUS, rng=rng))
    engine = local_engine(goods, folder=tmp_path)
    oracle = BruteForce(each for skus in goods for each in skus)
    for number in range(REQUESTS):
        request = made_request(rng)
        where = f"seed {seed}, search {number}: {request}"
        assert_equal(engine.search(request), oracle.search(request), request=request, where=where)


def test_filters_as_the_specification_shows(engines):
    """Spec shoppable 4.4: whole words, and words that follow each other; `*` for any ending."""
    names = ("Walmart", "Lord And Taylor", "Topman")
    engine = engines([[a_sku(i, merchant_id=i, merchant=m)] for i, m in enumerate(names, start=1)])

    def merchants(*texts: str) -> list[int]:
        return found(
            engine, Bool(should=tuple(Phrase(text=text, field="merchant") for text in texts))
        )

    assert merchants("lord", "walmart") == [1, 2]
    assert merchants("top") == []
    assert merchants("Top*") == [3]
    assert merchants("taylor lord") == []
    assert merchants("and taylor") == [2]
    both = tuple(Phrase(text=text, field="merchant") for text in ("lord", "taylor"))
    assert found(engine, Bool(must=both)) == [2]


def test_asks_query_and_filters_of_one_sku(engines):
    """Spec shoppable 4.2: a red one in S, not a red one and one in S."""
    engine = engines(
        [
            [
                a_sku(1, 1, colors=("Red",), sizes=("M",)),
                a_sku(1, 2, colors=("Blue",), sizes=("S",)),
            ],
            [
                a_sku(2, 1, colors=("Red",), sizes=("S",)),
                a_sku(2, 2, colors=("Blue",), sizes=("M",)),
            ],
        ]
    )
    red, small = Word(text="red", field="color"), Word(text="s", field="size")
    assert found(engine, red, small) == [2]
    assert found(engine, small, query=red) == [2]
    assert found(engine, Bool(must_not=(red,))) == [1, 2]


def test_counts_a_facet_with_and_without_its_own_filter(engines):
    engine = engines(
        [
            [a_sku(1, 1, colors=("Red",)), a_sku(1, 2, colors=("Blue",))],
            [a_sku(2, 1, colors=("Blue",))],
        ]
    )
    blue = Filter(node=Chosen(facet="color", value="BLUE"), facet="color")
    red = Filter(node=Chosen(facet="color", value="red"), facet="color")

    def colors(chosen: Filter, *, ignores_own: bool) -> dict[str, int]:
        facet = FacetRequest(facet="color", ignores_own=ignores_own)
        answer = engine.search(SearchRequest(scope=USD, filters=(chosen,), facets=(facet,)))
        return {value.label: value.count for value in answer.facets["color"]}

    assert colors(red, ignores_own=False) == {"Red": 1}
    assert colors(red, ignores_own=True) == {"Blue": 2, "Red": 1}
    assert colors(blue, ignores_own=False) == {"Blue": 2}


def test_a_facets_count_is_what_its_value_finds(engines):
    rng = random.Random(15)
    engine = engines(list(made_documents(300, rng=rng)))
    facets = tuple(
        FacetRequest(facet=each) for each in ("brand", "category", "color", "size", "on_sale")
    )
    query = Word(text="red")
    answer = engine.search(SearchRequest(scope=USD, query=query, facets=facets))
    checked = 0
    for facet, values in answer.facets.items():
        for value in values:
            chosen = Chosen(facet=facet, value=value.value)
            assert len(found(engine, chosen, query=query)) == value.count, (facet, value)
            checked += 1
    assert checked > 15


def test_an_identifier_stands_first(engines, request):
    if "brute" in request.node.name:
        pytest.skip("it does not rank")
    goods = [[a_sku(n, sku=f"AB-{n}", name="AB 7 AB 7", brand="AB 7")] for n in range(1, 9)]
    engine = engines(goods)
    for text in ("ab-7", "AB-7"):
        answer = engine.search(words_request(text, currency="USD"))
        assert (answer.hits[0].product_id, answer.count) == (7, 1 + 7)


def test_a_hit_in_the_name_stands_before_one_in_the_description(engines, request):
    """Spec shoppable 4.3."""
    if "brute" in request.node.name:
        pytest.skip("it does not rank")
    engine = engines(
        [
            [a_sku(1, name="Steel lamp", description="For a desk of oak")],
            [a_sku(2, name="Oak desk", description="For a lamp of steel")],
        ]
    )
    for words, first in (("lamp", 1), ("oak", 2), ("steel lamp", 1), ("oak desk", 2)):
        answer = engine.search(words_request(words, currency="USD"))
        assert [hit.product_id for hit in answer.hits] == [first, 3 - first], words


def test_asks_otherwise_where_nothing_has_all_words(engines):
    engine = engines([[a_sku(1, name="Red lamp")], [a_sku(2, name="Blue desk")]])
    all_words = engine.search(words_request("red lamp", currency="USD"))
    any_word = engine.search(words_request("red desk", currency="USD"))
    assert (all_words.count, all_words.is_otherwise) == (1, False)
    assert (any_word.count, any_word.is_otherwise) == (2, True)


def test_pages_meet_each_product_once(engines):
    rng = random.Random(3)
    engine = engines(list(made_documents(400, rng=rng)))
    for sort in ("relevance", "modified", "price", "price_desc", "name", "random"):
        for query in (Everything(), Word(text="red"), Range(field="price", low=500)):
            pages: list[int] = []
            count = None
            while count is None or len(pages) < count:
                request = SearchRequest(
                    scope=USD,
                    query=query,
                    sort=sort,
                    seed=5,
                    offset=len(pages),
                    limit=17,
                )
                answer = engine.search(request)
                count = answer.count
                assert answer.hits, (sort, query, len(pages))
                pages += [hit.product_id for hit in answer.hits]
            assert len(set(pages)) == count == len(pages)


@pytest.mark.parametrize(("sort", "order"), [("price", [2, 1, 3]), ("price_desc", [3, 1, 2])])
@pytest.mark.parametrize("query", [Everything(), Word(text="red", field="color")])
def test_sorts_by_the_lowest_price_of_a_product(engines, sort, order, query):
    engine = engines(
        [
            [
                a_sku(1, 1, price_minor=500, colors=("Blue",)),
                a_sku(1, 2, price_minor=900, colors=("Red",)),
            ],
            [a_sku(2, price_minor=300, colors=("Red",))],
            [a_sku(3, price_minor=800, colors=("Red",))],
        ]
    )
    request = SearchRequest(scope=USD, query=query, sort=sort)
    assert [hit.product_id for hit in engine.search(request).hits] == order


def test_another_seed_is_another_order(engines, request):
    if "brute" in request.node.name:
        pytest.skip("it does not shuffle")
    engine = engines([[a_sku(n)] for n in range(1, 200)])
    orders = set()
    for seed in (1, 2**50, 2**51 + 77):
        answer = engine.search(SearchRequest(scope=USD, sort="random", seed=seed, limit=200))
        orders.add(tuple(hit.product_id for hit in answer.hits))
    assert len(orders) == 3
    assert {tuple(sorted(order)) for order in orders} == {tuple(range(1, 200))}


@pytest.mark.parametrize(
    ("query", "products"),
    [
        (Word(text="CAFÉ"), [1]),
        (Word(text="cafe"), [1]),
        (Word(text="caf"), []),
        (Pattern(pattern="caf*"), [1]),
        (Pattern(pattern="*afe"), [1]),
        (Pattern(pattern="c?fe", field="name"), [1]),
        (Phrase(text="noir au", slop=3), [1]),
        (Phrase(text="noir au", slop=2), []),
        (Word(text="x-100"), [2]),
        (Word(text="sku/7"), [2]),
        (Pattern(pattern="sku/?"), [2]),
        (Phrase(text="SKU/*"), [2]),
        (Phrase(text="sku/7"), [2]),
        (Fuzzy(text="sku/7"), [2]),
        (Bool(must_not=(Phrase(text="SKU/*"),)), [1]),
        (Word(text="x 100", field="sku"), []),
        (Word(text="", field="name"), []),
        (Word(text="--5", field="price"), []),
        (Word(text="²", field="price"), []),
        (Bool(must_not=(Word(text="noir"),)), [2]),
        (Bool(must=(Everything(),), must_not=(Bool(must_not=(Word(text="noir"),)),)), [1]),
    ],
)
def test_words(engines, query, products):
    engine = engines(
        [[a_sku(1, name="Café au lait noir")], [a_sku(2, name="Model X-100", sku="SKU/7")]]
    )
    assert found(engine, query=query) == products
