"""Counting products exactly over an index of SKUs.

A query either cannot tell the SKUs of a product apart, or asks fields in which they differ:

| products | all their SKUs match, or none | so |
|---|---|---|
| that do not vary in the fields asked | yes | the index counts their leads, and each value once (`Alike`) |
| that vary in one of them | not always | their matching SKUs are read and counted here (`Apart`) |

Every product is in one of the two, so counts and facets of the two are added up.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property, partial
from itertools import pairwise
from operator import itemgetter
from typing import Any, Final

from crossdock.errors import CrossdockError
from crossdock.shop.search.asking import Edges, Facet, FacetRequest, FacetValue
from crossdock.shop.search.local.compiling import Compiled
from crossdock.shop.search.local.rows import VARYING_FACETS, Label, decode_label
from crossdock.shop.search.local.tantivy_index import Address, Grid, Snapshot

Counts = Counter[str]
Placed = tuple[Any, Address]
SetLabels = dict[tuple[str, int], tuple[str, ...]]

_FIRST_READ: Final = 10_000
_second = itemgetter(1)


class Alike:
    """The products of a query that do not vary in what it asks, by their leads."""

    def __init__(self, snapshot: Snapshot, compiled: Compiled) -> None:
        self._index = snapshot
        apart = [snapshot.term("varies", field) for field in sorted(compiled.varying)]
        self.all_skus = snapshot.combine(must=[compiled.query], must_not=apart)
        self.query = snapshot.combine(must=[compiled.query, _lead(snapshot)], must_not=apart)

    @cached_property
    def count(self) -> int:
        """How many products match."""
        return self._index.count(self.query)

    def top(self, limit: int, *, order: str | None, descending: bool) -> list[Placed]:
        """The first leads in an order; their number is known then as well."""
        hits, self.count = self._index.top_of(
            self.query, limit=limit, order=order, descending=descending
        )
        return hits

    def facets(self, facets: Sequence[FacetRequest]) -> dict[Facet, Counts]:
        """The counts of each value, by its encoded label; of prices, by the number of the range."""
        if not self.count:
            return {each.facet: Counter() for each in facets}
        labelled = [each.facet for each in facets if each.facet != "price"]
        edges = next((each.edges for each in facets if each.facet == "price"), None)
        grid = None if edges is None else Grid("price_once", "price_before", (0, *edges))
        labels, cells = self._index.count_labels(
            self.all_skus, [f"{facet}_once" for facet in labelled], grid=grid
        )
        found: dict[Facet, Counts] = {each: Counter(labels[f"{each}_once"]) for each in labelled}
        if edges is not None:
            found["price"] = self._prices(cells)
        return found

    def _prices(self, grid: list[list[int]]) -> Counts:
        """A product counts in a range by its lowest price there: the one before it is in a lower one."""
        counts = {str(place): sum(row[: place + 1]) for place, row in enumerate(grid[1:])}
        return Counter(counts)


def _lead(snapshot: Snapshot) -> Any:
    return snapshot.flat(snapshot.term("lead", "1"), 0)


class Apart:
    """The matching SKUs of the products that vary in what a query asks, read into memory."""

    def __init__(self, snapshot: Snapshot, compiled: Compiled, known: SetLabels) -> None:
        self._index = snapshot
        self._known = known
        self.query = _apart(snapshot, compiled)
        self._hits: list[Placed] | None = None
        self._addresses: list[Address] = []
        self._products: list[int] = []

    def read(self, *, order: str | None = None, descending: bool = False) -> list[Placed]:
        """All matching SKUs in an order."""
        limit = _FIRST_READ
        hits, count = self._index.top_of(
            self.query, limit=limit, order=order, descending=descending
        )
        if count > limit:
            hits, _ = self._index.top_of(
                self.query, limit=count, order=order, descending=descending
            )
        self._hits = hits
        self._addresses = [address for _, address in hits]
        self._products = self._index.column("product", self._addresses) if hits else []
        return hits

    @property
    def products(self) -> list[int]:
        """The product of each SKU, in the order in which they were read."""
        if self._hits is None:
            self.read()
        return self._products

    @cached_property
    def _first(self) -> dict[int, int]:
        """The place of the first SKU of each product."""
        places = range(len(self.products) - 1, -1, -1)
        return dict(zip(reversed(self.products), places, strict=True))

    @property
    def count(self) -> int:
        """How many products match."""
        return len(self._first)

    def best(self) -> list[Placed]:
        """The first SKU of each product, in no order."""
        hits = self._hits or []
        return [hits[place] for place in self._first.values()]

    def facets(self, facets: Sequence[FacetRequest]) -> dict[Facet, Counts]:
        """As `Alike.facets`."""
        if not self.products:
            return {each.facet: Counter() for each in facets}
        return {each.facet: self._facet(each) for each in facets}

    def _facet(self, facet: FacetRequest) -> Counts:
        if facet.facet == "price":
            return self._prices(facet.edges)
        if facet.facet in VARYING_FACETS:
            return self._varying(facet.facet)
        addresses = [self._addresses[place] for place in self._first.values()]
        per_set = Counter(self._index.column(f"{facet.facet}_set", addresses))
        labels = self._set_labels(facet.facet, per_set.keys())
        counts: Counts = Counter()
        for number, count in per_set.items():
            for label in labels[number]:
                counts[label] += count
        return counts

    def _varying(self, facet: Facet) -> Counts:
        """A product counts once for a value, whichever of its SKUs have it."""
        sets = self._index.column(f"{facet}_set", self._addresses)
        pairs = set(zip(self.products, sets, strict=True))
        per_set = Counter(map(_second, pairs))
        labels = self._set_labels(facet, per_set.keys())
        if all(len(found) < 2 for found in labels.values()):
            return Counter({labels[n][0]: count for n, count in per_set.items() if labels[n]})
        return Counter(
            label for _, label in {(product, label) for product, n in pairs for label in labels[n]}
        )

    def _set_labels(self, facet: Facet, numbers: Iterable[int]) -> dict[int, tuple[str, ...]]:
        """The labels of each set; they are made of them, so once known they are known for good."""
        wanted = set(numbers) - {0}
        if any((facet, number) not in self._known for number in wanted):
            found = self._index.labels_of(self.query, column=f"{facet}_set", name=f"{facet}_label")
            for number, (documents, labels) in found.items():
                if number and any(count != documents for count in labels.values()):
                    raise CrossdockError("internal", f"Two sets of {facet} share a number.")
                self._known[facet, number] = tuple(sorted(labels))
        return {number: self._known[facet, number] for number in wanted} | {0: ()}

    def _prices(self, edges: Edges) -> Counts:
        prices = self._index.column("price", self._addresses)
        places = map(partial(bisect_right, edges), prices)
        pairs = set(zip(self.products, places, strict=True))
        return Counter({str(place): n for place, n in Counter(map(_second, pairs)).items()})


def _apart(snapshot: Snapshot, compiled: Compiled) -> Any:
    if not compiled.varying:
        return snapshot.nothing()
    apart = [snapshot.term("varies", field) for field in sorted(compiled.varying)]
    some = snapshot.flat(snapshot.combine(should=apart, least=1), 0)
    return snapshot.combine(must=[compiled.query, some])


def facet_values(facet: Facet, counts: Counts, *, edges: Edges) -> tuple[FacetValue, ...]:
    """The values in their order. Spellings that differ in case alone are one, the commonest shown."""
    if facet == "price":
        ends = ["", *map(str, edges), ""]
        names = [f"{low}-{high}" for low, high in pairwise(ends)]
        return tuple(
            FacetValue(value=name, label=name, count=counts[str(place)])
            for place, name in enumerate(names)
            if counts[str(place)]
        )
    merged: dict[str, tuple[Label, int]] = {}
    for text, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        label = decode_label(text)
        shown, sum_ = merged.get(label.key, (label, 0))
        merged[label.key] = shown, sum_ + count
    by_id = facet in ("merchant", "category")
    values = [
        FacetValue(
            value=label.key if by_id else label.text,
            label=label.text,
            count=count,
            parent=label.parent,
        )
        for label, count in merged.values()
        if count
    ]
    return tuple(sorted(values, key=lambda each: (-each.count, each.label, each.value)))
