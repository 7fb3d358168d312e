"""Why a product stands where it does: what each word counts in each field."""

from collections.abc import Iterator
from typing import Any, Final

from crossdock.errors import CrossdockError
from crossdock.shop.search.asking import Reason
from crossdock.shop.search.fields import SEARCHED
from crossdock.shop.search.local.compiling import Compiler
from crossdock.shop.search.local.tantivy_index import Address, Snapshot, guard
from crossdock.shop.search.tree import Bool, Boost, Node, leaf_text

_MILLION: Final = 1_000_000


def explain_document(
    snapshot: Snapshot, compiler: Compiler, *, query: Node, address: Address
) -> tuple[Reason, ...]:
    """What each leaf of the query counts in each field of the document, the most first.

    A product's score is not their plain sum: of a leaf the best field counts whole, the others in part.
    """
    found = [
        Reason(word=leaf_text(leaf), field=field, score=score)
        for leaf, hundredths in _scoring(query, hundredths=100)
        for field in ((leaf.field,) if getattr(leaf, "field", None) else SEARCHED)  # type: ignore[attr-defined]
        if (score := _score(snapshot, compiler.weigh(leaf, field), address) * hundredths // 100)
    ]
    return tuple(sorted(set(found), key=lambda each: (-each.score, each.word, each.field)))


def _scoring(node: Node, *, hundredths: int) -> Iterator[tuple[Node, int]]:
    """The leaves with words, and what boosts make of them; what must not match does not score."""
    if isinstance(node, Boost):
        yield from _scoring(node.node, hundredths=hundredths * node.hundredths // 100)
    elif isinstance(node, Bool):
        for inner in (*node.must, *node.should):
            yield from _scoring(inner, hundredths=hundredths)
    elif leaf_text(node):
        yield node, hundredths


def _score(snapshot: Snapshot, query: Any, address: Address) -> int:
    """In millionths; 0 where the document does not match."""
    try:
        explained = guard(lambda: snapshot.explain(query, address))
    except CrossdockError:
        return 0
    score: int = round(explained["value"] * _MILLION)
    return score
