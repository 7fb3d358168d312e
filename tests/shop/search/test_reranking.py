"""The re-rank of a search by meaning..."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from crossdock.settings.search import RERANK_PACKAGES, Search
from crossdock.settings.section import SettingsError
from crossdock.shop.search import (
    Bool,
    Boost,
    Document,
    Embedder,
    Embeddings,
    FacetRequest,
    LocalEngine,
    Node,
    Phrase,
    Scope,
    SearchRequest,
    Word,
    words_query,
    words_request,
)
from crossdock.shop.search.local.folders import read_current
from crossdock.shop.search.local.reranking import RERANKED, written_words
from crossdock.shop.search.local.tantivy_index import Reader
from tests.support.search_engines import local_engine

IS_INSTALLED = all(map(find_spec, RERANK_PACKAGES))
with_extra = pytest.mark.skipif(
    not IS_INSTALLED, reason="the extra is not installed: pip install -r requirements-rerank.lock"
)
CASES = ("Hard violin case", "Famous court case", "Slim iPhone case", "Heavy drill case")
IPHONE = 3


def a_sku(product_id: int, name: str, **more: Any) -> Document:
    values: dict[str, Any] = {
        "product_id": product_id,
        "variant_id": product_id,
        "currency": "USD",
        "name": name,
        "brand": f"Brand{product_id % 2}",
        "retail_minor": 1_000,
        "price_minor": 1_000,
        "modified_s": 1_700_000_000,
    }
    return Document(**values | more)


def goods() -> list[list[Document]]:
    return [[a_sku(number, name)] for number, name in enumerate(CASES, start=1)]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    """The model, loaded once."""
    return Embedder()


@pytest.fixture
def engine(tmp_path: Path, embedder: Embedder) -> LocalEngine:
    """Four cases, ranked again."""
    return local_engine(goods(), folder=tmp_path, embedder=embedder)


def asked(words: str, **more: Any) -> SearchRequest:
    query, otherwise = words_query(words.split())
    return SearchRequest(scope=Scope(currency="USD"), query=query, otherwise=otherwise, **more)


def ids(engine: LocalEngine, request: SearchRequest) -> list[int]:
    return [hit.product_id for hit in engine.search(request).hits]


@with_extra
def test_puts_first_what_is_meant(engine: LocalEngine, tmp_path: Path) -> None:
    plain = local_engine(goods(), folder=tmp_path / "plain")
    request = asked("case smartphone")
    assert ids(plain, request)[0] != IPHONE
    assert ids(engine, request)[0] == IPHONE


@with_extra
def test_changes_no_count_and_no_facet(engine: LocalEngine, tmp_path: Path) -> None:
    facets = (FacetRequest(facet="brand"), FacetRequest(facet="price", edges=(500,)))
    request = asked("case smartphone", facets=facets)
    plain = local_engine(goods(), folder=tmp_path / "plain").search(request)
    found = engine.search(request)
    assert (found.count, found.facets) == (plain.count, plain.facets)
    assert {hit.product_id for hit in found.hits} == {hit.product_id for hit in plain.hits}


@with_extra
@pytest.mark.parametrize("field", ["sku", "part_number", "upcs"])
def test_leaves_a_whole_identifier_first(tmp_path: Path, embedder: Embedder, field: str) -> None:
    identified = {field: ("case-100",) if field == "upcs" else "case-100"}
    everything = [*goods(), [a_sku(9, "Garden hose", **identified)]]
    everything += [[a_sku(10, "The case 100 for phones")]]
    engine = local_engine(everything, folder=tmp_path, embedder=embedder)
    assert ids(engine, asked("case-100"))[:2] == [9, 10]


@with_extra
def test_pages_without_gaps(tmp_path: Path, embedder: Embedder) -> None:
    many = [[a_sku(number, f"{CASES[number % 4]} {number}")] for number in range(1, RERANKED + 11)]
    engine = local_engine(many, folder=tmp_path, embedder=embedder)
    whole = ids(engine, asked("case smartphone", limit=100))
    assert len(whole) == RERANKED + 10
    pages = [ids(engine, asked("case smartphone", offset=at, limit=7)) for at in range(0, 70, 7)]
    assert [each for page in pages for each in page] == whole
    assert not ids(engine, asked("case smartphone", limit=0))


@with_extra
def test_is_told_by_explain(engine: LocalEngine) -> None:
    explained = engine.explain(asked("case smartphone"))
    told = {each.hit.product_id: each.similarity for each in explained}
    assert None not in told.values()
    assert told[IPHONE] == max(told.values(), key=lambda each: each or 0)
    by_price = engine.explain(asked("case", sort="price"))
    assert [each.similarity for each in by_price] == [None] * len(CASES)


@with_extra
def test_leaves_goods_without_an_embedding_among_the_others(
    tmp_path: Path, embedder: Embedder
) -> None:
    engine = local_engine(goods(), folder=tmp_path, embedder=embedder, embedded={1, IPHONE})
    found = engine.explain(asked("case smartphone"))
    assert found[0].hit.product_id == IPHONE
    without = {each.hit.product_id for each in found if each.similarity is None}
    assert without == {2, 4}


@with_extra
def test_takes_the_embedding_of_the_same_text_from_the_index(
    tmp_path: Path, embedder: Embedder
) -> None:
    local_engine(goods(), folder=tmp_path, embedder=embedder)
    path = read_current(tmp_path)
    assert path is not None
    unused = Embedder()
    known = Embeddings(unused, known=Reader(path).snapshot())
    cheaper = [a_sku(IPHONE, CASES[IPHONE - 1], price_minor=500)]
    made = Embeddings(embedder, known=None).columns(cheaper)
    assert known.columns(cheaper) == made
    assert "_load" not in unused.__dict__  # the model had nothing to do
    renamed = [a_sku(IPHONE, "Slim tablet case")]
    assert known.columns(renamed) == Embeddings(embedder, known=None).columns(renamed) != made


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (words_request("red smart watch", currency="USD").query, "red smart watch"),
        (words_request("red smart watch", currency="USD").otherwise, "red smart watch"),
        (Bool(must=(Word(text="lamp"), Word(text="Philips", field="brand"))), "lamp"),
        (Bool(should=(Boost(node=Phrase(text="desk lamp"), hundredths=200),)), "desk lamp"),
        (Bool(must=(Word(text="lamp"),), must_not=(Word(text="broken"),)), "lamp"),
    ],
)
def test_compares_the_words_that_name_no_field(query: Node, words: str) -> None:
    assert written_words(query) == words


def test_refuses_a_share_beyond_the_whole() -> None:
    with pytest.raises(SettingsError, match="search_rerank_share must not be larger than 100"):
        Search(rerank_share=101).check()


@pytest.mark.skipif(IS_INSTALLED, reason="the extra is installed")
def test_is_refused_without_its_packages() -> None:
    with pytest.raises(SettingsError, match=r"search_rerank needs crossdock\[rerank\]"):
        Search(rerank=True).check()
