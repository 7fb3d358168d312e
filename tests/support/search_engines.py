"""Indexes of goods that are in no database."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from crossdock.kit.ids import RandomIds
from crossdock.settings.search import Search
from crossdock.shop.search import (
    Document,
    Embedder,
    Embeddings,
    Found,
    LocalEngine,
    Ranking,
    Reranking,
    SearchRequest,
)
from crossdock.shop.search.local import folders
from crossdock.shop.search.local.embedding import TOKENS_FILE
from crossdock.shop.search.local.rows import make_rows
from crossdock.shop.search.local.tantivy_index import Writer

STATE = {"as_of": 7, "priced_at": "2026-03-02T12:00:00+00:00"}


def ranking() -> Ranking:
    """As an installation has it that changed nothing."""
    return Ranking(weights=Search().weights, tie=Search().tie)


def local_engine(
    goods: Iterable[Sequence[Document]],
    *,
    folder: Path,
    saves_every: int = 100,
    embedder: Embedder | None = None,
    embedded: AbstractSet[int] | None = None,
) -> LocalEngine:
    """The embedded engine over an index of several segments.

    With an embedder it ranks again; `embedded` are then the products that have an embedding, None all.
    """
    embeddings = Embeddings(embedder, known=None) if embedder else None
    path = folders.make_new(folder, ids=RandomIds())
    if embedder:
        (path / TOKENS_FILE).write_bytes(token_signs())
    writer = Writer(path, heap_mb=20)
    for number, skus in enumerate(goods, start=1):
        has_one = embedded is None or skus[0].product_id in embedded
        columns = embeddings.columns(skus) if embeddings and has_one else None
        writer.put(skus[0].product_id, make_rows(skus, embedding=columns))
        if number % saves_every == 0:
            writer.save(STATE)
    writer.save(STATE)
    writer.close()
    folders.switch(folder, to=path)
    share = Search().rerank_share
    reranking = Reranking(embedder=embedder, share=share) if embedder else None
    return LocalEngine(folder, ranking=ranking(), reranking=reranking)


@cache
def token_signs() -> bytes:
    """What takes half a minute, once for all tests of a process."""
    with TemporaryDirectory() as folder:
        Embeddings(Embedder(), known=None).save_tokens(Path(folder))
        return (Path(folder) / TOKENS_FILE).read_bytes()


def assert_equal(found: Found, right: Found, *, request: SearchRequest, where: str) -> None:
    """The same count and facets, and the same products as far as the request puts them in order."""
    assert found.count == right.count, where
    assert found.is_otherwise == right.is_otherwise, where
    assert found.facets == right.facets, where
    assert len(found.hits) == len(right.hits), where
    products = [hit.product_id for hit in found.hits]
    assert len(set(products)) == len(products), where
    if request.sort in {"modified", "price", "price_desc", "name"}:
        assert products == [hit.product_id for hit in right.hits], where
    elif request.offset == 0 and request.limit >= right.count:
        assert set(products) == {hit.product_id for hit in right.hits}, where


def joined_engine(folder: Path) -> LocalEngine:
    """The same index with one field in which everything is joined: what the weights are compared with."""
    weights = dict.fromkeys(Search().weights, 0) | {"everything": 100}
    return LocalEngine(folder, ranking=Ranking(weights=weights, tie=0))
