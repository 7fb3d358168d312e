"""Find words in the guides and in the API references: an index in memory, by section."""

import bisect
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from markdown_it.token import Token
from markupsafe import Markup, escape

QUERY_MAX: Final = 100
SHOWN_MAX: Final = 30
_TERMS_MAX: Final = 8
_EXPANSIONS_MAX: Final = 200
_WEIGHTS: Final = {"title": 6.0, "heading": 10.0, "text": 1.0}
_EXCERPT_BEFORE, _EXCERPT_CHARS = 60, 220
_WORD: Final = re.compile(r"[^\W_]+(?:_[^\W_]+)*")
_METHODS: Final = frozenset({"get", "put", "post", "delete", "patch"})


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A section of a page, or an operation of an API reference; `weight` lowers what few look for."""

    title: str
    heading: str
    url: str
    text: str
    weight: float = 1.0


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A passage that has all words; `excerpt` is HTML with the words marked."""

    passage: Passage
    excerpt: Markup


class Finder:
    """An index of passages. Every word of a query must be there, as a word or as its beginning."""

    def __init__(self, passages: Iterable[Passage]) -> None:
        self._passages = list(passages)
        self._scores: dict[str, dict[int, float]] = defaultdict(dict)
        for number, passage in enumerate(self._passages):
            for part, weight in _WEIGHTS.items():
                for word in set(_words(getattr(passage, part))):
                    found = self._scores[word]
                    found[number] = found.get(number, 0) + weight * passage.weight
        self._vocabulary = sorted(self._scores)

    def find(self, query: str) -> list[Hit]:
        """The best passages, at most SHOWN_MAX; none for a query without words."""
        terms = list(dict.fromkeys(_words(query[:QUERY_MAX])))[:_TERMS_MAX]
        if not terms:
            return []
        scores = [self._score(term) for term in terms]
        both = set(scores[0]).intersection(*scores[1:])
        ranked = sorted(both, key=lambda n: (-sum(each[n] for each in scores), n))
        return [
            Hit(passage=self._passages[n], excerpt=_excerpt(self._passages[n].text, terms))
            for n in ranked[:SHOWN_MAX]
        ]

    def _score(self, term: str) -> dict[int, float]:
        """Passages with the term, or, for half as much, with a word that begins so."""
        start = bisect.bisect_left(self._vocabulary, term)
        found: dict[int, float] = {}
        for word in self._vocabulary[start : start + _EXPANSIONS_MAX]:
            if not word.startswith(term):
                break
            share = 1.0 if word == term else 0.5
            for number, score in self._scores[word].items():
                found[number] = max(found.get(number, 0), score * share)
        return found


def passages_of(
    tokens: Sequence[Token], *, title: str, url: str, weight: float
) -> Iterator[Passage]:
    """The sections of a rendered page, each with the link to its heading."""
    heading, anchor, texts = "", "", list[str]()
    opening: Token | None = None
    for token in tokens:
        if token.type == "heading_open":
            if texts:
                yield _passage(title, heading, f"{url}{anchor}", texts, weight)
            opening, heading, texts = token, "", []
        elif token.type == "inline" and opening is not None:
            heading, anchor = _plain(token), f"#{opening.attrGet('id')}"
            if opening.tag == "h1":
                heading, anchor = "", ""
            opening = None
        elif token.type == "inline":
            texts.append(_plain(token))
        elif token.type == "fence":
            texts.append(token.content)
    if texts:
        yield _passage(title, heading, f"{url}{anchor}", texts, weight)


def operations_of(channel: str, document: Mapping[str, Any]) -> Iterator[Passage]:
    """The operations of an OpenAPI document, each with the link to its place in the API reference."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method not in _METHODS:
                continue
            name = operation["operationId"]
            yield Passage(
                title=f"{document['info']['title']}: API reference",
                heading=f"{method.upper()} {path}",
                url=f"/docs/api/{channel}#/default/{name}",
                text=f"{operation.get('summary', '')}. {operation.get('description', '')} {name}",
            )


def _passage(title: str, heading: str, url: str, texts: Sequence[str], weight: float) -> Passage:
    return Passage(title=title, heading=heading, url=url, text=" ".join(texts), weight=weight)


def _plain(token: Token) -> str:
    return "".join(
        child.content if child.type in {"text", "code_inline"} else " "
        for child in token.children or ()
        if child.type in {"text", "code_inline", "softbreak"}
    )


def _words(text: str) -> Iterator[str]:
    """Lower-case words without accents; a name with underscores is a word, and so is each of its parts."""
    for found in _WORD.finditer(_folded(text)):
        word = found[0]
        yield word
        if "_" in word:
            yield from word.split("_")


def _folded(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in apart if not unicodedata.combining(c))


def _excerpt(text: str, terms: Sequence[str]) -> Markup:
    """The text around the first of the words, with all of them marked."""
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(term)}\w*" for term in terms), re.IGNORECASE)
    first = pattern.search(text)
    start = max(0, (first.start() if first else 0) - _EXCERPT_BEFORE)
    if start:
        start = text.find(" ", start) + 1
    more = start + _EXCERPT_CHARS < len(text)
    piece = text[start : start + _EXCERPT_CHARS]
    piece = piece.rpartition(" ")[0] or piece if more else piece
    made, place = [], 0
    for match in pattern.finditer(piece):
        made += [escape(piece[place : match.start()]), Markup("<mark>%s</mark>") % match[0]]
        place = match.end()
    whole = Markup("").join([*made, escape(piece[place:])])
    return escape("… " if start else "") + whole + escape(" …" if more else "")
