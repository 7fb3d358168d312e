"""The embedded engine: searches one shop's index in a folder of this machine."""

import threading
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from crossdock.errors import Unavailable
from crossdock.shop.search.asking import (
    Explained,
    Facet,
    FacetRequest,
    FacetValue,
    Found,
    Hit,
    SearchRequest,
    Sort,
)
from crossdock.shop.search.engine import Contents, Standing
from crossdock.shop.search.local.compiling import Compiled, Compiler, Ranking
from crossdock.shop.search.local.counting import Alike, Apart, Placed, SetLabels, facet_values
from crossdock.shop.search.local.explaining import explain_document
from crossdock.shop.search.local.folders import read_current
from crossdock.shop.search.local.reranking import RERANKED, Reranking
from crossdock.shop.search.local.rows import DICE_MAX
from crossdock.shop.search.local.tantivy_index import Reader, Snapshot, guard
from crossdock.shop.search.tree import Everything, Node, OneOf, Word

T = TypeVar("T")

_MILLION: Final = 1_000_000
_NO_STATE: Final = {"as_of": 0, "priced_at": "1970-01-01T00:00:00+00:00"}


class _Order(msgspec.Struct, frozen=True):
    """By which column, which all SKUs of a product share; None is the score, descending."""

    column: str | None
    is_descending: bool = False

    def key(self, value: Any) -> Any:
        """What ascends in this order."""
        return -value if self.is_descending else value


_ORDERS: Final[dict[Sort, _Order]] = {
    "relevance": _Order(None, True),
    "modified": _Order("newest", True),
    "price": _Order("cheapest"),
    "price_desc": _Order("dearest", True),
    "name": _Order("alphabet"),
    "random": _Order("dice"),
}


def _saved(path: Path) -> tuple[int, int]:
    """What changes with every save of the index at this folder."""
    stat = (path / "meta.json").stat()
    return stat.st_mtime_ns, stat.st_ino


def _standing(snapshot: Snapshot, state: dict[str, Any]) -> Standing:
    return Standing(as_of=state["as_of"], documents=snapshot.documents)


class LocalEngine:
    """Searches the index that a folder's `current` names; one that was replaced meanwhile is reopened.

    Its methods block and may run in several threads at once. Raises Unavailable `search_unavailable`
    while there is no index.
    """

    def __init__(
        self, folder: Path, *, ranking: Ranking, reranking: Reranking | None = None
    ) -> None:
        self._folder = folder
        self._ranking = ranking
        self._reranking = reranking
        self._lock = threading.Lock()
        self._opened: Path | None = None
        self._reader: Reader | None = None
        self._seen: tuple[int, int] | None = None
        self._snapshot: tuple[Snapshot, dict[str, Any]] | None = None
        self._stood: tuple[tuple[Path, int, int], Standing] | None = None
        self._known: SetLabels = {}

    def search(self, request: SearchRequest) -> Found:
        """Answer one request from the newest saved state."""
        return guard(lambda: self._search(request))

    def explain(self, request: SearchRequest) -> tuple[Explained, ...]:
        """Why the products of the page stand where they do."""
        return guard(lambda: self._explain(request))

    def standing(self) -> Standing:
        """What the index knows. It stays closed where nobody searches: an open one costs a thread."""
        with self._lock:
            if self._reader is None:
                return self._at_current(self._stand)
            return _standing(*self._at_current(self._refresh))

    def state(self) -> Hashable:
        """Which folder is current, and its last save; not under the lock, which a search may hold."""
        path = read_current(self._folder)
        try:
            return None if path is None else (path, *_saved(path))
        except OSError:
            return None

    def contents(self) -> Contents:
        """The price of every SKU."""
        return guard(self._contents)

    def _contents(self) -> Contents:
        snapshot, state = self._current()
        skus = snapshot.term("present", "price")
        addresses = [each for _, each in snapshot.top(skus, limit=max(1, snapshot.documents))]
        variants = snapshot.column("variant", addresses)
        prices = snapshot.column("price", addresses)
        return Contents(
            as_of=state["as_of"],
            priced_at=datetime.fromisoformat(state["priced_at"]),
            prices=dict(zip(variants, prices, strict=True)),
        )

    def _current(self) -> tuple[Snapshot, dict[str, Any]]:
        with self._lock:
            return self._at_current(self._refresh)

    def _at_current(self, read: Callable[[Path], T]) -> T:
        path = read_current(self._folder)
        if path is None:
            self._reader = self._snapshot = self._opened = None
            raise Unavailable("search_unavailable", data={"retry_after_s": 5})
        try:
            return read(path)
        except OSError as error:
            self._opened = None
            raise Unavailable("search_unavailable", data={"retry_after_s": 5}) from error

    def _stand(self, path: Path) -> Standing:
        """The same without keeping the index open; read again only when something was saved."""
        seen = (path, *_saved(path))
        if self._stood is None or self._stood[0] != seen:
            snapshot = Reader(path).snapshot()
            self._stood = seen, _standing(snapshot, snapshot.read_state() or _NO_STATE)
        return self._stood[1]

    def _refresh(self, path: Path) -> tuple[Snapshot, dict[str, Any]]:
        """Open the folder if it is another one, and load what was saved since."""
        seen = _saved(path)
        if self._reader is None or self._opened != path:
            self._reader, self._opened, self._snapshot = Reader(path), path, None
        if self._snapshot is None or seen != self._seen:
            snapshot = self._reader.snapshot()
            self._snapshot = snapshot, snapshot.read_state() or _NO_STATE
            self._seen = seen
        return self._snapshot

    def _search(self, request: SearchRequest) -> Found:
        snapshot, state = self._current()
        return self._ask(snapshot, request).answer(as_of=state["as_of"])

    def _explain(self, request: SearchRequest) -> tuple[Explained, ...]:
        snapshot, _ = self._current()
        return self._ask(snapshot, request).explain()

    def _ask(self, snapshot: Snapshot, request: SearchRequest) -> "_Ask":
        return _Ask(
            snapshot,
            request,
            compiler=Compiler(snapshot, self._ranking),
            reranking=self._reranking,
            known=self._known,
        )


class _Ask:
    """One request on one snapshot."""

    def __init__(
        self,
        snapshot: Snapshot,
        request: SearchRequest,
        *,
        compiler: Compiler,
        reranking: Reranking | None,
        known: SetLabels,
    ) -> None:
        self._index = snapshot
        self._request = request
        self._compiler = compiler
        self._reranking = reranking
        self._known = known
        self._query = request.query

    def answer(self, *, as_of: int) -> Found:
        alike, apart = self._matching()
        hits = self._shown(self._page(alike, apart))
        return Found(
            hits=tuple(hits),
            count=alike.count + apart.count,
            facets=self._facets(alike, apart),
            as_of=as_of,
            is_otherwise=self._query is not self._request.query,
        )

    def explain(self) -> tuple[Explained, ...]:
        page = self._page(*self._matching())
        similar = self._similarities(page)
        return tuple(
            Explained(
                hit=hit,
                similarity=similarity,
                reasons=explain_document(
                    self._index, self._compiler, query=self._query, address=address
                ),
            )
            for hit, (_, address), similarity in zip(self._shown(page), page, similar, strict=True)
        )

    def _similarities(self, page: Sequence[Placed]) -> list[int | None]:
        """What the hits were ranked again by; None for those that were not."""
        most = max(0, RERANKED - self._request.offset)
        if self._reranking is None or self._sort != "relevance" or not most:
            return [None] * len(page)
        found = self._reranking.similarities(self._index, page[:most], query=self._query)
        return [*found, *[None] * len(page[most:])]

    def _matching(self) -> tuple[Alike, Apart]:
        """What matches the query or, where nothing does, what is to be asked otherwise."""
        alike, apart = self._sides(None)
        otherwise = self._request.otherwise
        if otherwise is not None and not self._any(alike, apart):
            self._query = otherwise
            alike, apart = self._sides(None)
        return alike, apart

    def _any(self, alike: Alike, apart: Apart) -> bool:
        return self._index.matches_any(alike.query) or self._index.matches_any(apart.query)

    def _sides(self, without: Facet | None) -> tuple[Alike, Apart]:
        compiled = self.compiled(without)
        return Alike(self._index, compiled), Apart(self._index, compiled, self._known)

    def compiled(self, without: Facet | None = None) -> Compiled:
        """The request as a query, without the filters that one facet chose."""
        request = self._request
        filters: list[Node] = [
            each.node for each in request.filters if without is None or each.facet != without
        ]
        filters.append(Word(text=request.scope.currency, field="currency"))
        if request.scope.merchant_ids is not None:
            ids = tuple(map(str, request.scope.merchant_ids))
            filters.append(OneOf(field="merchant_id", values=ids))
        return self._compiler.compile([self._query], filters=filters)

    def _facets(self, alike: Alike, apart: Apart) -> dict[Facet, tuple[FacetValue, ...]]:
        plain = [each for each in self._request.facets if not self._has_own(each)]
        found = _count_facets(alike, apart, plain)
        for each in self._request.facets:
            if self._has_own(each):
                found |= _count_facets(*self._sides(each.facet), [each])
        return found

    def _has_own(self, facet: FacetRequest) -> bool:
        own = any(each.facet == facet.facet for each in self._request.filters)
        return facet.ignores_own and own

    @property
    def _sort(self) -> Sort:
        is_scored = not isinstance(self._query, Everything)
        return self._request.sort if is_scored or self._request.sort != "relevance" else "modified"

    def _page(self, alike: Alike, apart: Apart) -> list[Placed]:
        request, sort = self._request, self._sort
        upto = request.offset + request.limit
        order = _ORDERS[sort]
        reranking = self._reranking if sort == "relevance" and request.limit else None
        if reranking is not None:
            upto = max(upto, RERANKED)
        start = request.seed % DICE_MAX
        leads = self._leads(alike, order, upto, start=start if sort == "random" else None)
        apart.read(order=order.column, descending=order.is_descending)

        def key(placed: Placed) -> Any:
            value = order.key(placed[0])
            return (value - start) % DICE_MAX if sort == "random" else value

        placed = sorted([*leads, *apart.best()], key=key)
        if reranking is not None:
            placed = reranking.ranked(self._index, placed, query=self._query)
        return placed[request.offset : request.offset + request.limit]

    def _leads(self, alike: Alike, order: _Order, limit: int, *, start: int | None) -> list[Placed]:
        if not limit:
            return []

        def top(query: Any, most: int) -> list[Placed]:
            return self._index.top(
                query, limit=most, order=order.column, descending=order.is_descending
            )

        if start is None:
            return alike.top(limit, order=order.column, descending=order.is_descending)
        behind = self._index.at_least("dice", start)
        found = top(self._index.combine(must=[alike.query, behind]), limit)
        if len(found) < limit:
            before = self._index.combine(must=[alike.query], must_not=[behind])
            found += top(before, limit - len(found))
        return found

    def _shown(self, page: Sequence[Placed]) -> list[Hit]:
        is_scored = self._sort == "relevance"
        addresses = [address for _, address in page]
        products = self._index.column("product", addresses)
        variants = self._index.column("variant", addresses)
        return [
            Hit(
                product_id=product,
                variant_id=variant,
                score=round(value * _MILLION) if is_scored else 0,
            )
            for (value, _), product, variant in zip(page, products, variants, strict=True)
        ]


def _count_facets(
    alike: Alike, apart: Apart, facets: Sequence[FacetRequest]
) -> dict[Facet, tuple[FacetValue, ...]]:
    ones, others = alike.facets(facets), apart.facets(facets)
    return {
        each.facet: facet_values(
            each.facet, ones[each.facet] + others[each.facet], edges=each.edges
        )
        for each in facets
    }
