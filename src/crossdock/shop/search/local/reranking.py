"""Rank the first hits of a search again, by what their words mean (an extra, off by default).

| hits | stand |
|---|---|
| with a whole identifier that was asked for | first, as before |
| the others of the first fifty | by their score and their similarity together |
| all further ones | as before |

Which products are found, how many, and the facets stay the same.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from crossdock.shop.search.local.compiling import IDENTIFIER_HUNDREDTHS
from crossdock.shop.search.local.counting import Placed
from crossdock.shop.search.local.embedding import Embedder, read_signs
from crossdock.shop.search.local.tantivy_index import Snapshot
from crossdock.shop.search.tree import Bool, Boost, Fuzzy, Node, Phrase, Word

RERANKED: Final = 50
_MILLION: Final = 1_000_000


class Reranking(msgspec.Struct, frozen=True, kw_only=True):
    """What compares meanings, and how much they count beside the score, in hundredths of both."""

    embedder: Embedder
    share: int

    def similarities(
        self, snapshot: Snapshot, placed: Sequence[Placed], *, query: Node
    ) -> list[int | None]:
        """How near each hit is in meaning to the query's words; None without words or an embedding."""
        words = written_words(query)
        signs = read_signs(snapshot, [address for _, address in placed])
        known = [each for each in signs if each is not None]
        if not words or not known:
            return [None] * len(placed)
        found = self.embedder.similarities(words, known, folder=snapshot.folder)
        if found is None:
            return [None] * len(placed)
        similar = iter(found)
        return [None if each is None else next(similar) for each in signs]

    def ranked(self, snapshot: Snapshot, placed: list[Placed], *, query: Node) -> list[Placed]:
        """The hits, which stand by their scores, in their new order."""
        sure = sum(score * 100 >= IDENTIFIER_HUNDREDTHS for score, _ in placed)
        head = placed[sure:RERANKED]
        similar = self.similarities(snapshot, head, query=query)
        known = [each for each in similar if each is not None]
        if not known:
            return placed
        unknown = sum(known) // len(known)
        meant = _spread([unknown if each is None else each for each in similar])
        scored = _spread([round(score * _MILLION) for score, _ in head])
        sums = [
            self.share * near + (100 - self.share) * far
            for near, far in zip(meant, scored, strict=True)
        ]
        order = sorted(range(len(head)), key=lambda place: -sums[place])
        return [*placed[:sure], *(head[place] for place in order), *placed[sure + len(head) :]]


def _spread(numbers: Sequence[int]) -> list[int]:
    """The numbers as millionths of the way from the lowest to the highest."""
    low, high = min(numbers), max(numbers)
    return [(each - low) * _MILLION // (high - low or 1) for each in numbers]


def written_words(query: Node) -> str:
    """The words of a query that name no field, as they were written, each once.

    Two of them that were joined to be found as one as well are left out.
    """
    words = list(dict.fromkeys(_texts(query)))
    joined = {first + second for first, second in pairwise(words)}
    return " ".join(word for word in words if word not in joined)


def _texts(node: Node) -> Iterator[str]:
    if isinstance(node, Boost):
        yield from _texts(node.node)
    elif isinstance(node, Bool):
        for inner in (*node.must, *node.should):
            yield from _texts(inner)
    elif isinstance(node, Word | Phrase | Fuzzy) and node.field is None:
        yield node.text
