"""The index on disk: tantivy's schema, writer and searcher. No other file knows the library.

A document is a SKU. What makes exact counts of products fast is written with it (labelling.py):
`lead` marks one SKU of each product and currency, and columns say what facets and orders need. One
more document, the marker, holds the state of the index, so that it changes with the same commit.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import tantivy
from tantivy import FieldType, Occur, Order, Query

from crossdock.errors import CrossdockError
from crossdock.shop.search.fields import FIELDS
from crossdock.shop.search.local.rows import (
    COLUMNS,
    EXTRA_EXACTS,
    EXTRA_NUMBERS,
    LABELS,
    ORDERS,
    TEXT_ORDERS,
    Row,
)

T = TypeVar("T")
Address = tantivy.DocAddress
Part = tuple[str, Any]

_MARKER: Final = "marker"
_GRID: Final = "grid"
_HEAP_MIN: Final = 15_000_000
_WAYS_MAX: Final = 65
_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$#&~-])")
_PLAIN = re.compile(r"[^\W_]+|\*")
_FAILURES = (ValueError, OSError)


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for field, how in FIELDS.items():
        if how.kind == "text":
            builder.add_text_field(field, tokenizer_name="whitespace")
        elif how.kind == "exact":
            builder.add_text_field(field, tokenizer_name="raw", index_option="basic")
        else:
            builder.add_integer_field(field, fast=True, indexed=True)
    for name in LABELS:
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    for name in TEXT_ORDERS:
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    for name in (*COLUMNS, *ORDERS):
        builder.add_unsigned_field(name, fast=True, indexed=name == "product")
    for name in EXTRA_NUMBERS:
        builder.add_integer_field(name, fast=True)
    for name in (*EXTRA_EXACTS, _MARKER):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("state", stored=True, tokenizer_name="raw", index_option="basic")
    return builder.build()


SCHEMA: Final = _schema()


def guard(work: Callable[[], T]) -> T:
    """Run `work`; what the library raises becomes CrossdockError `internal`.

    Its panics are no exceptions that anything else would catch.
    """
    try:
        return work()
    except BaseException as error:
        if isinstance(error, _FAILURES) or type(error).__name__ == "PanicException":
            raise CrossdockError("internal", f"The search index failed: {error}") from error
        raise


def exists(folder: Path) -> bool:
    """Whether the folder holds an index that this version can read."""
    try:
        return bool(tantivy.Index.exists(str(folder)) and tantivy.Index.is_compatible(str(folder)))
    except _FAILURES:
        return False


class Writer:
    """Writes one index; nothing is visible, or survives a crash, before `save`.

    The library locks the folder, so a second writer is refused. Raises CrossdockError `internal`.
    """

    def __init__(self, folder: Path, *, heap_mb: int) -> None:
        index = guard(lambda: tantivy.Index(SCHEMA, str(folder)))
        heap = max(heap_mb * 1_000_000, _HEAP_MIN)
        self._writer = guard(lambda: index.writer(heap, 1))

    def put(self, product_id: int, rows: Iterable[Row]) -> None:
        """Replace the product's documents by these; none removes it."""
        # By query: by term, the library takes the number as a signed one and finds nothing.
        old = Query.term_query(SCHEMA, "product", product_id)
        guard(lambda: self._writer.delete_documents_by_query(old))
        documents = [_document(row) for row in rows]
        guard(lambda: [self._writer.add_document(document) for document in documents])

    def save(self, state: dict[str, Any]) -> None:
        """Make all of it visible at once, with the state of the index."""
        document = tantivy.Document()
        document.add_text(_MARKER, "1")
        document.add_text("state", json.dumps(state))
        guard(lambda: self._writer.delete_documents_by_term(_MARKER, "1"))
        guard(lambda: self._writer.add_document(document))
        # tidy: allow only_the_unit_of_work_commits because this is the index's commit, not the database's
        guard(self._writer.commit)

    def close(self) -> None:
        """Wait for merges and release the folder; what was not saved is lost."""
        guard(self._writer.rollback)
        guard(self._writer.wait_merging_threads)


def _document(row: Row) -> tantivy.Document:
    document = tantivy.Document()
    for name, texts in row.texts.items():
        for text in texts:
            document.add_text(name, text)
    for name, number in row.numbers.items():
        document.add_integer(name, number)
    for name, number in row.columns.items():
        document.add_unsigned(name, number)
    return document


class Reader:
    """An open index; `snapshot` is its newest saved state."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index = guard(lambda: tantivy.Index.open(str(folder)))
        guard(lambda: self._index.config_reader("manual"))

    def snapshot(self) -> "Snapshot":
        """What was saved last; it stays as it is while others write."""
        guard(self._index.reload)
        return Snapshot(self._index, guard(self._index.searcher), folder=self._folder)


class Grid(msgspec.Struct, frozen=True):
    """Documents by two columns of numbers: a cell for each pair of ranges between the edges."""

    column: str
    other: str
    edges: tuple[int, ...]

    def asked(self) -> dict[str, Any]:
        """As the library is asked for it."""
        ranges = [
            {key: bound for key, bound in (("from", low), ("to", high)) if bound is not None}
            for low, high in zip([None, *self.edges], [*self.edges, None], strict=True)
        ]
        inner = {"i": {"range": {"field": self.other, "ranges": ranges}}}
        return {"range": {"field": self.column, "ranges": ranges}, "aggs": inner}


class Snapshot:
    """One saved state: makes queries, combines them, and evaluates them.

    A query is opaque to the caller. Scores are the library's BM25; `flat` replaces one.
    """

    def __init__(self, index: tantivy.Index, searcher: tantivy.Searcher, *, folder: Path) -> None:
        self.folder = folder
        self._index = index
        self._searcher = searcher

    # ------------------------------------------------------------ what matches

    def everything(self) -> Query:
        """All documents."""
        return Query.all_query()

    def nothing(self) -> Query:
        """None."""
        return Query.empty_query()

    def term(self, field: str, word: str | int) -> Query:
        """Those with this word, or whole value, or number."""
        return Query.term_query(SCHEMA, field, word)

    def any_term(self, field: str, words: Sequence[str]) -> Query:
        """Those with one of these whole values."""
        return Query.term_set_query(SCHEMA, field, list(words))

    def phrase(self, field: str, words: Sequence[str], slop: int) -> Query:
        """Those with two or more words in succession, or so many places away from it in all.

        For three words and more the library tries one way to take the slop and misses others, so they
        are asked one by one; of very many ways it is left to try.
        """
        ways = (slop + 1) ** len(words) - slop ** len(words)
        if not slop or len(words) == 2 or ways > _WAYS_MAX:
            return Query.phrase_query(SCHEMA, field, list(words), slop)
        placed = [
            {
                (place + shift, word)
                for place, (word, shift) in enumerate(zip(words, way, strict=True))
            }
            for way in product(range(slop + 1), repeat=len(words))
            if min(way) == 0
        ]
        possible = [each for each in placed if len({place for place, _ in each}) == len(each)]
        return Query.disjunction_max_query([_placed(field, sorted(each)) for each in possible])

    def pattern(self, field: str, pattern: str) -> Query:
        """Those with a word, or value, that the pattern of `*` and `?` describes."""
        return Query.regex_query(SCHEMA, field, _regex(pattern))

    def pattern_phrase(self, field: str, patterns: Sequence[str]) -> Query:
        """Those with words in succession that the patterns describe, two or more."""
        return Query.regex_phrase_query(SCHEMA, field, [_regex(each) for each in patterns])

    def fuzzy(self, field: str, word: str, distance: int) -> Query:
        """Those with a word so many changes away."""
        return Query.fuzzy_term_query(SCHEMA, field, word, distance, True)

    def between(self, field: str, low: int | None, high: int | None) -> Query:
        """Those with a number between two inclusive bounds, one of which is given."""
        return Query.range_query(SCHEMA, field, FieldType.Integer, low, high)

    def at_least(self, column: str, number: int) -> Query:
        """Those whose number in a column is not below this one."""
        return Query.range_query(SCHEMA, column, FieldType.Unsigned, number, None)

    def words_between(self, field: str, low: str | None, high: str | None, ends: str) -> Query:
        """Those with a word, or value, between two bounds; `ends` are the brackets of an interval.

        The library takes bounds that are plain words; for others its dictionary is read.
        """
        bounds = ["*" if bound is None else bound for bound in (low, high)]
        if all(_PLAIN.fullmatch(bound) for bound in bounds):
            return self._index.parse_query(f"{field}:{ends[0]}{bounds[0]} TO {bounds[1]}{ends[1]}")
        found = [
            term
            for term, _ in self._searcher.terms_with_prefix(field, "")
            if (low is None or term > low or (ends[0] == "[" and term == low))
            and (high is None or term < high or (ends[1] == "]" and term == high))
        ]
        return Query.term_set_query(SCHEMA, field, found)

    # ------------------------------------------------------------ combinations

    def combine(
        self,
        *,
        must: Sequence[Query] = (),
        should: Sequence[Query] = (),
        must_not: Sequence[Query] = (),
        least: int | None = None,
    ) -> Query:
        """All of `must`, at least `least` of `should`, none of `must_not`; its score is the sum."""
        if not must and not should:
            must = [Query.const_score_query(Query.all_query(), 0.0)]
        parts = [(Occur.Must, each) for each in must]
        parts += [(Occur.Should, each) for each in should]
        parts += [(Occur.MustNot, each) for each in must_not]
        return Query.boolean_query(parts, least)

    def best(self, queries: Sequence[Query], *, tie_hundredths: int) -> Query:
        """Any of them; the score is the best one's, and so many hundredths of the others'."""
        return Query.disjunction_max_query(list(queries), tie_hundredths / 100)

    def boosted(self, query: Query, hundredths: int) -> Query:
        """The query with its score multiplied."""
        return Query.boost_query(query, hundredths / 100)

    def flat(self, query: Query, hundredths: int) -> Query:
        """The query with the same score for every document."""
        return Query.const_score_query(query, hundredths / 100)

    # ------------------------------------------------------------ evaluation

    def count(self, query: Query) -> int:
        """How many documents match."""
        found: Any = self._searcher.search(query, 1)  # the library's stub forgets `count`
        return int(found.count)

    def has_word(self, field: str, word: str) -> bool:
        """Whether a document has this word, or whole value; one that was removed may count."""
        return bool(word) and bool(self._searcher.doc_freq(field, word))

    def matches_any(self, query: Query) -> bool:
        """Whether a document matches."""
        return bool(self._searcher.search(query, 1, count=False).hits)

    def top(
        self, query: Query, *, limit: int, order: str | None = None, descending: bool = False
    ) -> list[tuple[Any, Address]]:
        """The first documents with what they are ordered by: the score, or a column."""
        if order is None:
            return list(self._searcher.search(query, limit, count=False).hits)
        direction = Order.Desc if descending else Order.Asc
        found = self._searcher.search(
            query, limit, count=False, order_by_field=order, order=direction
        )
        return list(found.hits)

    def top_of(
        self, query: Query, *, limit: int, order: str | None = None, descending: bool = False
    ) -> tuple[list[tuple[Any, Address]], int]:
        """The same, and how many documents match."""
        direction = Order.Desc if descending else Order.Asc
        found: Any = self._searcher.search(query, limit, order_by_field=order, order=direction)
        return list(found.hits), int(found.count)

    def column(self, name: str, addresses: Sequence[Address]) -> list[Any]:
        """The number of each document in a column; None where it has none."""
        return self._searcher.fast_field_values(name, list(addresses))

    def count_labels(
        self, query: Query, names: Sequence[str], *, grid: Grid | None = None
    ) -> tuple[dict[str, dict[str, int]], list[list[int]]]:
        """How many of the documents have which label, by the column of labels, and the cells of a grid.

        Raises CrossdockError `internal` rather than to answer with a count that may be wrong.
        """
        wanted = {name: {"terms": self._terms(name)} for name in names}
        if grid:
            wanted[_GRID] = grid.asked()
        answer = self._searcher.aggregate(query, wanted) if wanted else {}
        cells = [
            [cell["doc_count"] for cell in bucket["i"]["buckets"]]
            for bucket in (answer[_GRID]["buckets"] if grid else ())
        ]
        return {name: _counts(answer[name]) for name in names}, cells

    def labels_of(
        self, query: Query, *, column: str, name: str
    ) -> dict[int, tuple[int, dict[str, int]]]:
        """For each number in a column: how many documents, and their labels with how many have each."""
        wanted = {"c": {"terms": self._terms(column), "aggs": {"l": {"terms": self._terms(name)}}}}
        answer = self._searcher.aggregate(query, wanted)["c"]
        _counts(answer)
        return {
            int(each["key"]): (each["doc_count"], _counts(each["l"])) for each in answer["buckets"]
        }

    def explain(self, query: Query, address: Address) -> dict[str, Any]:
        """How the score of a document comes about, as the library tells it."""
        found: dict[str, Any] = json.loads(query.explain(self._searcher, address).to_json())
        return found

    @property
    def documents(self) -> int:
        """How many documents there are, without the marker."""
        return max(0, int(self._searcher.num_docs) - 1)

    def read_state(self) -> dict[str, Any] | None:
        """The state that was saved with it; None before the first save."""
        hits = self._searcher.search(self.term(_MARKER, "1"), 1, count=False).hits
        if not hits:
            return None
        text = self._searcher.doc(hits[0][1]).get_first("state")
        state: dict[str, Any] = json.loads(str(text))
        return state

    def _terms(self, field: str) -> dict[str, Any]:
        """All values of a column, in every segment: with fewer, counts over several segments are wrong."""
        most = max(1, int(self._searcher.num_docs))
        return {"field": field, "size": most, "segment_size": most}


def _counts(answer: dict[str, Any]) -> dict[str, int]:
    if answer["doc_count_error_upper_bound"] or answer["sum_other_doc_count"]:
        raise CrossdockError("internal", "The search index could not count exactly.")
    return {each["key"]: each["doc_count"] for each in answer["buckets"]}


def _placed(field: str, words: Sequence[tuple[int, str]]) -> Query:
    if len(words) == 1:
        return Query.term_query(SCHEMA, field, words[0][1])
    return Query.phrase_query(SCHEMA, field, list(words), 0)


def _regex(pattern: str) -> str:
    escaped = _SPECIAL.sub(r"\\\1", pattern)
    return escaped.replace("\\*", ".*").replace("\\?", ".")
