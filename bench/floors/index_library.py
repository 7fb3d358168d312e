"""The index library alone, with the same words, filter and facets in its own search and aggregation."""

from pathlib import Path
from typing import Any

import tantivy
from tantivy import FieldType, Occur, Query

FIELDS = ("name", "brand", "category", "description")
FACETS = ("brand", "merchant", "category", "color", "size", "on_sale")
MOST = 2_000_000
LOW, HIGH = 1_000, 30_000
ROOTS = ("1", "2", "3", "4", "5", "6")


class Library:
    """An index that the server made, searched without the server; it counts SKUs, not products."""

    def __init__(self, folder: Path) -> None:
        index = tantivy.Index.open(str(folder))
        self._schema = index.schema
        self._searcher = index.searcher()
        self._facets: dict[str, Any] = {
            name: {"terms": {"field": f"{name}_label", "size": MOST, "segment_size": MOST}}
            for name in FACETS
        }
        self._facets["price"] = {
            "range": {
                "field": "price",
                "ranges": [{"to": 5000}, {"from": 5000, "to": 20000}, {"from": 20000}],
            }
        }

    def search(self, word: str, kind: str) -> int:
        """The first page of twenty, the count, and all facets."""
        query = Query.boolean_query(
            [
                (Occur.Must, Query.disjunction_max_query(self._terms(word), 0.2)),
                (Occur.Must, self._filter(kind)),
            ]
        )
        found: Any = self._searcher.search(query, 20)
        self._searcher.aggregate(query, self._facets)
        return int(found.count)

    def _filter(self, kind: str) -> Query:
        if kind == "range of prices":
            return Query.range_query(self._schema, "price", FieldType.Integer, LOW, HIGH)
        roots = [Query.term_query(self._schema, "chosen", f"category:{each}") for each in ROOTS]
        return Query.boolean_query([(Occur.Should, each) for each in roots])

    def _terms(self, word: str) -> list[Query]:
        return [Query.term_query(self._schema, field, word) for field in FIELDS]
