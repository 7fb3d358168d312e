"""The query tree: what can be asked, whatever language it was written in (spec shoppable 4.3, 4.4).

Every node says which documents match; those in `must` and `should` also say how well. Without a field
a leaf asks every searched field, and the best one counts. A parser of a wire's syntax is the wire's.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from crossdock.errors import Invalid
from crossdock.shop.search.fields import FIELDS, Field
from crossdock.shop.search.words import split_words

SLOP_MAX: Final = 100
DISTANCE_MAX: Final = 2
VALUES_MAX: Final = 1_000


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A query; the kinds below are all there are."""


class Everything(Node, frozen=True, kw_only=True):
    """Matches all documents."""


class Nothing(Node, frozen=True, kw_only=True):
    """Matches no document."""


class Word(Node, frozen=True, kw_only=True):
    """A word as it was written: a whole word of a text field, or the whole value of an exact one.

    One that falls into several words, such as `x-100`, matches where they follow each other. In a
    field of numbers, an integer.
    """

    text: str
    field: Field | None = None


class Phrase(Node, frozen=True, kw_only=True):
    """Words that follow each other in one field; each may end in `*`, for any ending.

    With `slop`, words may be moved by so many places in all; then none may end in `*`. In an exact
    field, the whole value.
    """

    text: str
    slop: int = 0
    field: Field | None = None


class Pattern(Node, frozen=True, kw_only=True):
    """A word, or in an exact field a value, with `*` for any characters and `?` for one."""

    pattern: str
    field: Field | None = None


class Fuzzy(Node, frozen=True, kw_only=True):
    """A word with at most `distance` letters changed, added, left out or swapped with the next."""

    text: str
    distance: int = DISTANCE_MAX
    field: Field | None = None


class Range(Node, frozen=True, kw_only=True):
    """Values between two bounds, either of which may be open; in text fields, words by code point."""

    field: Field
    low: int | str | None = None
    high: int | str | None = None
    include_low: bool = True
    include_high: bool = True


class Present(Node, frozen=True, kw_only=True):
    """Documents that have the field."""

    field: Field


class OneOf(Node, frozen=True, kw_only=True):
    """Documents with one of these whole values of an exact field, however many; one clause."""

    field: Field
    values: tuple[str, ...]


class Chosen(Node, frozen=True, kw_only=True):
    """Documents with this value of a facet, as the facet told it; in any case, but no longer name."""

    facet: str
    value: str


class Bool(Node, frozen=True, kw_only=True):
    """All of `must`, none of `must_not`, and at least `least` of `should`.

    Without `least`, one of `should` has to match where there is no `must`. With `must_not` alone,
    everything else matches.
    """

    must: tuple[Node, ...] = ()
    should: tuple[Node, ...] = ()
    must_not: tuple[Node, ...] = ()
    least: int | None = None


class Boost(Node, frozen=True, kw_only=True):
    """The node with its score multiplied by hundredths: 250 for 2.5."""

    node: Node
    hundredths: int


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How large a query may be, so that none costs more than others pay for."""

    chars: int = 512
    clauses: int = 64
    depth: int = 10
    patterns: int = 8


def check_bounds(nodes: tuple[Node, ...], *, bounds: Bounds) -> None:
    """Raise Invalid `too_large` for a query beyond the bounds, `invalid_input` for one that says nothing."""
    leaves = [leaf for node in nodes for leaf in _leaves(node, depth=1, bounds=bounds)]
    if len(leaves) > bounds.clauses:
        raise Invalid("too_large", f"The search has more than {bounds.clauses} clauses.")
    if sum(len(leaf_text(leaf)) for leaf in leaves) > bounds.chars:
        raise Invalid("too_large", f"The search has more than {bounds.chars} characters.")
    if sum(map(_is_pattern, leaves)) > bounds.patterns:
        raise Invalid("too_large", f"The search has more than {bounds.patterns} wildcards.")
    for leaf in leaves:
        _check_leaf(leaf)


def _leaves(node: Node, *, depth: int, bounds: Bounds) -> Iterator[Node]:
    if depth > bounds.depth:
        raise Invalid("too_large", f"The search is nested deeper than {bounds.depth}.")
    if isinstance(node, Boost):
        yield from _leaves(node.node, depth=depth + 1, bounds=bounds)
    elif isinstance(node, Bool):
        for inner in (*node.must, *node.should, *node.must_not):
            yield from _leaves(inner, depth=depth + 1, bounds=bounds)
    else:
        yield node


def _check_leaf(leaf: Node) -> None:
    if isinstance(leaf, Phrase) and not 0 <= leaf.slop <= SLOP_MAX:
        raise Invalid("invalid_input", f"A phrase's slop is between 0 and {SLOP_MAX}.")
    if isinstance(leaf, OneOf) and len(leaf.values) > VALUES_MAX:
        raise Invalid("too_large", f"The search has a list of more than {VALUES_MAX} values.")
    if isinstance(leaf, OneOf) and FIELDS[leaf.field].kind != "exact":
        raise Invalid("invalid_input", f"{leaf.field} has no whole values.")
    if isinstance(leaf, Phrase) and leaf.slop and "*" in leaf.text:
        raise Invalid("invalid_input", "A phrase with a slop takes no wildcard.")
    if isinstance(leaf, Fuzzy) and not 0 <= leaf.distance <= DISTANCE_MAX:
        raise Invalid("invalid_input", f"A fuzzy word's distance is between 0 and {DISTANCE_MAX}.")
    if isinstance(leaf, Range):
        wanted = int if FIELDS[leaf.field].kind == "number" else str
        if not all(bound is None or isinstance(bound, wanted) for bound in (leaf.low, leaf.high)):
            raise Invalid("invalid_input", f"{leaf.field} cannot be compared with these bounds.")


def leaf_text(leaf: Node) -> str:
    """The words or the pattern of a leaf; '' for one without."""
    if isinstance(leaf, Word | Phrase | Fuzzy):
        return leaf.text
    return leaf.pattern if isinstance(leaf, Pattern) else ""


def _is_pattern(leaf: Node) -> bool:
    return isinstance(leaf, Pattern | Fuzzy) or (isinstance(leaf, Phrase) and "*" in leaf.text)


def phrase_words(text: str) -> list[str]:
    """The words of a phrase; one that may have any ending keeps its `*`."""
    found: list[str] = []
    for piece in text.split():
        is_open = piece.endswith("*")
        words = split_words(piece)
        if is_open and words:
            words[-1] += "*"
        found += words
    return found
