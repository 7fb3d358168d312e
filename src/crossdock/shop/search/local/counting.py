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
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from crossdock.errors import CrossdockError
from crossdock.shop.search.asking import Edges, Facet, FacetRequest, FacetValue
from crossdock.shop.search.local.compiling import Compiled
from crossdock.shop.search.local.rows import VARYING_FACETS, Label, decode_label
from crossdock.shop.search.local.tantivy_index import Address, Snapshot

Counts = Counter[str]
SetLabels = dict[tuple[str, int], tuple[str, ...]]


class Alike:
    """The products of a query that do not vary in what it asks, by their leads."""

    def __init__(self, snapshot: Snapshot, compiled: Compiled) -> None:
        self._index = snapshot
        apart = [snapshot.term("varies", field) for field in sorted(compiled.varying)]
        self.all_skus = snapshot.combine(must=[compiled.query], must_not=apart)
        self.query = snapshot.combine(must=[compiled.query, _lead(snapshot)], must_not=apart)

    def count(self) -> int:
        """How many products match."""
        return self._index.count(self.query)

    def facets(self, facets: Sequence[FacetRequest]) -> dict[Facet, Counts]:
        """The counts of each value, by its encoded label; of prices, by the number of the range."""
        whole = [each.facet for each in facets if each.facet not in (*VARYING_FACETS, "price")]
        once = [each.facet for each in facets if each.facet in VARYING_FACETS]
        leads = self._index.labels(self.query, [f"{facet}_label" for facet in whole])
        firsts = self._index.labels(self.all_skus, [f"{facet}_once" for facet in once])
        found: dict[Facet, Counts] = {each: Counter(leads[f"{each}_label"]) for each in whole}
        found |= {each: Counter(firsts[f"{each}_once"]) for each in once}
        for each in facets:
            if each.facet == "price":
                found["price"] = self._prices(each.edges)
        return found

    def _prices(self, edges: Edges) -> Counts:
        """A product counts in a range by its lowest price there: the one before it is in a lower one."""
        grid = self._index.grid(
            self.all_skus, column="price_once", other="price_before", edges=[0, *edges]
        )
        counts = {str(place): sum(row[: place + 1]) for place, row in enumerate(grid[1:])}
        return Counter(counts)


def _lead(snapshot: Snapshot) -> Any:
    return snapshot.flat(snapshot.term("lead", "1"), 0)


class Apart:
    """The matching SKUs of the products that vary in what a query asks, read into memory."""

    def __init__(self, snapshot: Snapshot, compiled: Compiled, known: SetLabels) -> None:
        self._index = snapshot
        self._known = known
        self.query = self.select(snapshot, compiled)
        self._addresses: list[Address] | None = None
        self._products: list[int] = []

    @staticmethod
    def select(snapshot: Snapshot, compiled: Compiled) -> Any:
        """The query, of such products only."""
        if not compiled.varying:
            return snapshot.nothing()
        apart = [snapshot.term("varies", field) for field in sorted(compiled.varying)]
        some = snapshot.flat(snapshot.combine(should=apart, least=1), 0)
        return snapshot.combine(must=[compiled.query, some])

    def read(
        self, *, order: str | None = None, descending: bool = False
    ) -> list[tuple[Any, Address]]:
        """All matching SKUs in an order."""
        count = self._index.count(self.query)
        if not count:
            self._addresses, self._products = [], []
            return []
        hits = self._index.top(self.query, limit=count, order=order, descending=descending)
        self._addresses = [address for _, address in hits]
        self._products = self._index.column("product", self._addresses)
        return hits

    @property
    def addresses(self) -> list[Address]:
        """Where the SKUs are, in the order in which they were read."""
        if self._addresses is None:
            self.read()
        return self._addresses or []

    @property
    def products(self) -> list[int]:
        """The product of each SKU."""
        return self._products if self.addresses else []

    def count(self) -> int:
        """How many products match."""
        return len(set(self.products))

    def facets(self, facets: Sequence[FacetRequest]) -> dict[Facet, Counts]:
        """As `Alike.facets`."""
        if not self.products:
            return {each.facet: Counter() for each in facets}
        return {
            each.facet: self._prices(each.edges)
            if each.facet == "price"
            else self._labels(each.facet)
            for each in facets
        }

    def _labels(self, facet: Facet) -> Counts:
        sets = self._index.column(f"{facet}_set", self.addresses)
        pairs = set(zip(self.products, sets, strict=True))
        labels = self._set_labels(facet, {number for _, number in pairs})
        if all(len(found) < 2 for found in labels.values()) or facet not in VARYING_FACETS:
            per_set = Counter(number for _, number in pairs)
            counts: Counts = Counter()
            for number, count in per_set.items():
                for label in labels[number]:
                    counts[label] += count
            return counts
        return Counter(
            label for _, label in {(product, label) for product, n in pairs for label in labels[n]}
        )

    def _set_labels(self, facet: Facet, numbers: set[int]) -> dict[int, tuple[str, ...]]:
        """The labels of each set; they are made of them, so once known they are known for good."""
        numbers = numbers - {0}
        if any((facet, number) not in self._known for number in numbers):
            found = self._index.labels_of(self.query, column=f"{facet}_set", name=f"{facet}_label")
            for number, (documents, labels) in found.items():
                if number and any(count != documents for count in labels.values()):
                    raise CrossdockError("internal", f"Two sets of {facet} share a number.")
                self._known[facet, number] = tuple(sorted(labels))
        return {number: self._known[facet, number] for number in numbers} | {0: ()}

    def _prices(self, edges: Edges) -> Counts:
        prices = self._index.column("price", self.addresses)
        places = (bisect_right(edges, price) for price in prices)
        return Counter(str(place) for _, place in set(zip(self.products, places, strict=True)))


_ORDER: Final[dict[str, int]] = {"false": 1, "true": 0}


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
