"""From the query tree to a query of the index, and whether it can tell the SKUs of a product apart."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from crossdock.kit.numbers import read_number
from crossdock.shop.search.fields import FIELDS, IDENTIFIERS, SEARCHED, VARYING, Field
from crossdock.shop.search.local.rows import VARYING_FACETS
from crossdock.shop.search.local.tantivy_index import Snapshot
from crossdock.shop.search.tree import (
    Bool,
    Boost,
    Chosen,
    Everything,
    Fuzzy,
    Node,
    Nothing,
    OneOf,
    Pattern,
    Phrase,
    Present,
    Range,
    Word,
    phrase_words,
)
from crossdock.shop.search.words import fold_pattern, keyword, split_words

# A whole identifier outweighs whatever words add up to, so it stands first.
IDENTIFIER_HUNDREDTHS: Final = 100_000


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """How much a word counts in which field, and what the fields beside the best one add; hundredths."""

    weights: Mapping[str, int]
    tie: int


class Compiled(msgspec.Struct, frozen=True):
    """A query of the index, and the fields it asks in which SKUs of a product can differ."""

    query: Any
    varying: frozenset[str]


class Compiler:
    """Compiles trees for one snapshot; what occurs in no document of it is left out."""

    def __init__(self, snapshot: Snapshot, ranking: Ranking) -> None:
        self._index = snapshot
        self._ranking = ranking
        self._varying: set[str] = set()

    def compile(self, nodes: Iterable[Node], *, filters: Iterable[Node]) -> Compiled:
        """The query that all nodes and filters match; only the nodes score."""
        self._varying = set()
        must = [self._node(node) for node in nodes]
        must += [self._index.flat(self._node(node), 0) for node in filters]
        query = self._index.combine(must=must)
        return Compiled(query, frozenset(self._varying))

    def _node(self, node: Node) -> Any:
        if isinstance(node, Everything):
            return self._index.flat(self._index.everything(), 0)
        if isinstance(node, Nothing):
            return self._index.nothing()
        if isinstance(node, Boost):
            return self._index.boosted(self._node(node.node), node.hundredths)
        if isinstance(node, Bool):
            return self._bool(node)
        return self._leaf(node)

    def _bool(self, node: Bool) -> Any:
        least = node.least
        if least is not None and least > len(node.should):
            return self._index.nothing()
        must = [self._node(inner) for inner in node.must]
        if least == 0 and not must:
            must = [self._node(Everything())]
        return self._index.combine(
            must=must,
            should=[self._node(inner) for inner in node.should],
            must_not=[self._node(inner) for inner in node.must_not],
            least=least or None,
        )

    def _leaf(self, leaf: Node) -> Any:
        if isinstance(leaf, Chosen):
            if leaf.facet in VARYING_FACETS:
                self._varying.add(leaf.facet)
            return self._index.term("chosen", f"{leaf.facet}:{keyword(leaf.value)}")
        if isinstance(leaf, OneOf):
            self._note(leaf.field)
            return self._index.any_term(leaf.field, [keyword(text) for text in leaf.values])
        if isinstance(leaf, Present):
            self._note(leaf.field)
            return self._index.term("present", leaf.field)
        if isinstance(leaf, Range):
            self._note(leaf.field)
            return self._range(leaf)
        field = getattr(leaf, "field", None)
        if field is not None:
            self._note(field)
            return self._in_field(leaf, field)
        return self._in_searched(leaf)

    def _note(self, field: str) -> None:
        if field in VARYING:
            self._varying.add(field)

    def _in_searched(self, leaf: Node) -> Any:
        """The leaf in every searched field; the best counts, and a whole identifier most of all."""
        found = []
        for field in SEARCHED:
            if field in VARYING and not self._occurs(leaf, field):
                continue
            query = self._in_field(leaf, field)
            self._note(field)
            found.append(self._weighted(query, leaf, field))
        return self._index.best(found, tie_hundredths=self._ranking.tie)

    def _occurs(self, leaf: Node, field: Field) -> bool:
        """Whether any document has it there; of a single word the index knows without a search."""
        if isinstance(leaf, Word):
            is_exact = FIELDS[field].kind == "exact"
            words = [keyword(leaf.text)] if is_exact else split_words(leaf.text)
            if len(words) == 1:
                return self._index.has_word(field, words[0])
        return self._index.matches_any(self._in_field(leaf, field))

    def weigh(self, leaf: Node, field: Field) -> Any:
        """The leaf in one field, counted as it is there."""
        query = self._in_field(leaf, field)
        return query if getattr(leaf, "field", None) else self._weighted(query, leaf, field)

    def _weighted(self, query: Any, leaf: Node, field: Field) -> Any:
        if field in IDENTIFIERS and _is_number(leaf):
            return self._index.flat(query, IDENTIFIER_HUNDREDTHS)
        weight = self._ranking.weights["identifier" if field in IDENTIFIERS else field]
        return self._index.boosted(query, weight)

    def _in_field(self, leaf: Node, field: Field) -> Any:
        kind = FIELDS[field].kind
        if kind == "number":
            return self._number(leaf, field)
        if kind == "exact":
            return self._exact(leaf, field)
        return self._text(leaf, field)

    def _text(self, leaf: Node, field: Field) -> Any:
        if isinstance(leaf, Pattern):
            return self._index.pattern(field, fold_pattern(leaf.pattern))
        if isinstance(leaf, Phrase):
            return self._phrase(phrase_words(leaf.text), leaf.slop, field)
        words = split_words(leaf.text) if isinstance(leaf, Word | Fuzzy) else []
        if isinstance(leaf, Fuzzy) and len(words) == 1 and leaf.distance:
            return self._index.fuzzy(field, words[0], leaf.distance)
        return self._phrase(words, 0, field)

    def _phrase(self, words: list[str], slop: int, field: Field) -> Any:
        if not words:
            return self._index.nothing()
        is_open = any(word.endswith("*") for word in words)
        if len(words) == 1:
            return (
                self._index.pattern(field, words[0])
                if is_open
                else self._index.term(field, words[0])
            )
        if is_open:
            return self._index.pattern_phrase(field, words)
        return self._index.phrase(field, words, slop)

    def _exact(self, leaf: Node, field: Field) -> Any:
        if isinstance(leaf, Pattern):
            return self._index.pattern(field, fold_pattern(leaf.pattern))
        text = keyword(leaf.text) if isinstance(leaf, Word | Phrase | Fuzzy) else ""
        if isinstance(leaf, Phrase) and text.endswith("*"):
            return self._index.pattern(field, text)
        return self._index.term(field, text) if text else self._index.nothing()

    def _number(self, leaf: Node, field: Field) -> Any:
        text = leaf.text.strip() if isinstance(leaf, Word | Phrase) else ""
        size = read_number(text.removeprefix("-"))
        if size is None:
            return self._index.nothing()
        number = -size if text.startswith("-") else size
        return self._index.between(field, number, number)

    def _range(self, leaf: Range) -> Any:
        if FIELDS[leaf.field].kind != "number":
            return self._words_between(leaf)
        low = leaf.low if isinstance(leaf.low, int) else None
        high = leaf.high if isinstance(leaf.high, int) else None
        if low is None and high is None:
            return self._index.term("present", leaf.field)
        low = low if low is None or leaf.include_low else low + 1
        high = high if high is None or leaf.include_high else high - 1
        if low is not None and high is not None and low > high:
            return self._index.nothing()
        return self._index.between(leaf.field, low, high)

    def _words_between(self, leaf: Range) -> Any:
        if leaf.low is None and leaf.high is None:
            return self._index.term("present", leaf.field)
        low, high = (
            None if bound is None else keyword(str(bound)) for bound in (leaf.low, leaf.high)
        )
        ends = f"{'[' if leaf.include_low else '{'}{']' if leaf.include_high else '}'}"
        return self._index.words_between(leaf.field, low, high, ends)


def _is_number(leaf: Node) -> bool:
    text = leaf.text if isinstance(leaf, Word | Phrase | Fuzzy) else ""
    return any(char.isdigit() for char in text)
