"""A search that would cost too much..."""

import asyncio
import threading

import pytest

from crossdock.errors import Invalid, Unavailable
from crossdock.shop.search import (
    Bool,
    Boost,
    Bounds,
    FacetRequest,
    Filter,
    Found,
    Fuzzy,
    Limits,
    Node,
    OneOf,
    Pattern,
    Phrase,
    Range,
    Scope,
    Searching,
    SearchRequest,
    Word,
)
from tests.support.search_oracle import BruteForce

USD = Scope(currency="USD")


def nested(depth: int) -> Node:
    node: Node = Word(text="a")
    for _ in range(depth - 1):
        node = Boost(node=node, hundredths=200)
    return node


def service(engine: BruteForce, **limits: int) -> Searching:
    chosen = {"deadline_ms": 2_000, "at_once": 1, "waiting_max": 10} | limits
    return Searching(lambda _: engine, limits=Limits(bounds=Bounds(), **chosen))


def longer(node: Node) -> Node:
    """The same where filters may have more of it."""
    if isinstance(node, Bool) and len(node.should) == 65:
        return Bool(should=node.should * 16)
    if isinstance(node, Bool):  # 9 patterns become 261
        return Bool(must=node.must * 29)
    return Word(text=node.text * 64) if isinstance(node, Word) else node


@pytest.mark.parametrize(
    ("node", "code"),
    [
        (Bool(should=(Word(text="a"),) * 65), "too_large"),
        (Word(text="a" * 513), "too_large"),
        (nested(11), "too_large"),
        (Bool(must=(Pattern(pattern="a*"),) * 9), "too_large"),
        (Bool(must=(Fuzzy(text="a"),) * 5 + (Phrase(text="b*"),) * 4), "too_large"),
        (Phrase(text="a b", slop=-1), "invalid_input"),
        (Phrase(text="a b*", slop=1), "invalid_input"),
        (Fuzzy(text="a", distance=3), "invalid_input"),
        (OneOf(field="upc", values=("1",) * 1_001), "too_large"),
        (OneOf(field="name", values=("a",)), "invalid_input"),
        (Range(field="price", low="a"), "invalid_input"),
        (Range(field="name", low=1), "invalid_input"),
    ],
)
async def test_is_refused(node, code):
    found = service(BruteForce([]))
    for request in (
        SearchRequest(scope=USD, query=node),
        SearchRequest(scope=USD, otherwise=node),
        SearchRequest(scope=USD, filters=(Filter(node=longer(node)),)),
    ):
        with pytest.raises(Invalid) as refused:
            await found.search(request, shop_id=1)
        assert refused.value.code == code


async def test_may_have_filters_longer_than_its_words():
    found = service(BruteForce([]))
    patterns = Bool(must=(Pattern(pattern="a*"),) * 256)
    for node in (Bool(should=(Word(text="a"),) * 1_024), Word(text="a" * 32_768), patterns):
        request = SearchRequest(scope=USD, filters=(Filter(node=node),))
        assert (await found.search(request, shop_id=1)).count == 0


@pytest.mark.parametrize(
    "node",
    [
        Bool(should=(Word(text="a"),) * 64),
        Word(text="a" * 512),
        nested(10),
        Bool(must=(Pattern(pattern="a*"),) * 8),
        Bool(should=(OneOf(field="upc", values=("1",) * 1_000),) * 64),
    ],
)
async def test_is_answered_up_to_the_bounds(node):
    found = await service(BruteForce([])).search(SearchRequest(scope=USD, query=node), shop_id=1)
    assert found.count == 0


@pytest.mark.parametrize(
    "request_",
    [
        SearchRequest(scope=USD, offset=-1),
        SearchRequest(scope=USD, limit=1_001),
        SearchRequest(scope=USD, facets=(FacetRequest(facet="price", edges=(5, 5)),)),
        SearchRequest(scope=USD, facets=(FacetRequest(facet="price", edges=(0, 5)),)),
        SearchRequest(scope=USD, facets=(FacetRequest(facet="price", edges=tuple(range(1, 53))),)),
    ],
)
async def test_is_refused_for_its_page_or_its_ranges(request_):
    with pytest.raises(Invalid, match=r"out of range|ascend"):
        await service(BruteForce([])).search(request_, shop_id=1)


class Held(BruteForce):
    """An engine that answers when it is let go."""

    def __init__(self) -> None:
        super().__init__([])
        self.go = threading.Event()

    def search(self, request: SearchRequest) -> Found:
        self.go.wait(10)
        return super().search(request)


async def test_ends_at_its_deadline():
    engine = Held()
    with pytest.raises(Unavailable) as late:
        await service(engine, deadline_ms=50).search(SearchRequest(scope=USD), shop_id=1)
    assert late.value.code == "busy"
    engine.go.set()


async def test_waits_only_where_there_is_room():
    engine = Held()
    found = service(engine, waiting_max=1)
    first = asyncio.create_task(found.search(SearchRequest(scope=USD), shop_id=1))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable) as full:
        await found.search(SearchRequest(scope=USD), shop_id=1)
    assert full.value.code == "busy"
    with pytest.raises(Unavailable) as tried:
        await found.explain(SearchRequest(scope=USD), shop_id=1, trial=Held())
    assert tried.value.code == "busy"
    assert (await found.standing(1)).documents == 0, "which waits for no search"
    engine.go.set()
    assert (await first).count == 0
