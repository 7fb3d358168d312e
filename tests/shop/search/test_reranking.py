"""The re-rank of a search by meaning..."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.settings.search import RERANK_PACKAGES, Search
from crossdock.settings.section import SettingsError
from crossdock.shop.catalogue import ProductRecord, VariantRecord
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
    Reranking,
    Scope,
    SearchRequest,
    Word,
    rebuild,
    words_query,
    words_request,
)
from crossdock.shop.search.local.embedding import TOKENS_FILE
from crossdock.shop.search.local.folders import read_current
from crossdock.shop.search.local.reranking import RERANKED, written_words
from crossdock.shop.search.local.tantivy_index import Reader
from tests.support.search_engines import local_engine, ranking, token_signs
from tests.support.search_shop import building, open_shop, write

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
    assert "_loaded_model" not in unused.__dict__  # the model had nothing to do
    renamed = [a_sku(IPHONE, "Slim tablet case")]
    assert known.columns(renamed) == Embeddings(embedder, known=None).columns(renamed) != made


@with_extra
def test_runs_no_model_for_a_search(tmp_path: Path, embedder: Embedder) -> None:
    local_engine(goods(), folder=tmp_path, embedder=embedder)
    unused = Embedder()
    reranking = Reranking(embedder=unused, share=50)
    searching = LocalEngine(tmp_path, ranking=ranking(), reranking=reranking)
    assert ids(searching, asked("case smartphone neverheard"))[0] == IPHONE
    assert "_loaded_words" in unused.__dict__
    assert "_loaded_model" not in unused.__dict__


@with_extra
@pytest.mark.parametrize("words", ["case \u200b", "case \u65e5\u672c \U0001f642"])
def test_takes_words_that_the_vocabulary_has_not(engine: LocalEngine, words: str) -> None:
    assert sorted(ids(engine, asked(words))) == [1, 2, 3, 4]


@with_extra
@pytest.mark.parametrize("left", [b"", b"cut short", None])
def test_leaves_the_order_where_the_index_has_no_tokens(
    engine: LocalEngine, tmp_path: Path, left: bytes | None
) -> None:
    path = read_current(tmp_path)
    assert path is not None
    (path / TOKENS_FILE).unlink()
    if left is not None:
        (path / TOKENS_FILE).write_bytes(left)
    plain = local_engine(goods(), folder=tmp_path / "plain")
    request = asked("case smartphone")
    assert ids(engine, request) == ids(plain, request)
    assert {each.similarity for each in engine.explain(request)} == {None}


@with_extra
async def test_is_ready_when_an_index_was_built(
    database: Database, tmp_path: Path, clock: FrozenClock, embedder: Embedder
) -> None:
    shop = await open_shop(database)
    records = [
        ProductRecord(
            handle=f"case-{number}",
            name=name,
            merchant="Norden",
            currency="USD",
            variants=(VariantRecord(sku=f"CASE-{number}", retail_minor=1_000),),
        )
        for number, name in enumerate(CASES)
    ]
    await write(database, shop=shop, records=records, now=clock.now())
    plain = building(database, root=tmp_path, clock=clock)
    await rebuild(plain, shop_id=shop.id)
    folder = plain.folder(shop.id)
    first = read_current(folder)
    assert first is not None
    (first / TOKENS_FILE).write_bytes(token_signs())

    await rebuild(msgspec.structs.replace(plain, embedder=embedder), shop_id=shop.id)
    second = read_current(folder)
    assert second is not None
    assert second != first
    assert (second / TOKENS_FILE).read_bytes() == token_signs()
    reranking = Reranking(embedder=embedder, share=50)
    searching = LocalEngine(folder, ranking=ranking(), reranking=reranking)
    explained = searching.explain(asked("case smartphone"))
    assert len(explained) == len(CASES)
    assert None not in {each.similarity for each in explained}


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
