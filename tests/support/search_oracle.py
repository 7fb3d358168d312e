"""Search by trying every SKU: what any engine has to answer, from the words of the tree alone."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import combinations as choices
from itertools import product as combinations

from crossdock.shop.search import (
    FACETS,
    FIELDS,
    SEARCHED,
    Bool,
    Boost,
    Chosen,
    Contents,
    Document,
    Everything,
    Explained,
    Facet,
    FacetRequest,
    FacetValue,
    Found,
    Fuzzy,
    Hit,
    Node,
    Nothing,
    OneOf,
    Pattern,
    Phrase,
    Present,
    Range,
    SearchRequest,
    Standing,
    Word,
    fold,
    keyword,
    split_words,
)

NAME_CHARS = 80
LABEL_FACETS: tuple[Facet, ...] = tuple(each for each in FACETS if each != "price")


Values = tuple[str | int, ...]


class BruteForce:
    """An engine without an index: a set of SKUs, as the bits of a number, for each value of a field."""

    def __init__(self, documents: Iterable[Document], *, as_of: int = 0) -> None:
        self._documents = list(documents)
        self._as_of = as_of
        self._all = (1 << len(self._documents)) - 1
        self._fields: dict[str, dict[Values, int]] = defaultdict(lambda: defaultdict(int))
        self._facets: dict[tuple[str, str], int] = defaultdict(int)
        self._spelt: dict[tuple[int, str, str, str], tuple[str, str]] = {}
        self._lowest: dict[tuple[int, str], int] = {}
        self._selected: dict[int, int] = {}
        for number, document in enumerate(self._documents):
            self._add(document, 1 << number)
            product = document.product_id, document.currency
            price = document.price_minor
            self._lowest[product] = min(price, self._lowest.get(product, price))

    def _add(self, document: Document, bit: int) -> None:
        texts = {**document.texts(), **document.exacts()}
        numbers = {field: (number,) for field, number in document.numbers().items()}
        for field in FIELDS:
            self._fields[field][tuple(texts.get(field, ())) or numbers.get(field, ())] |= bit
        for facet in LABEL_FACETS:
            for key, label, parent in values_of(document, facet):
                self._facets[facet, key] |= bit
                place = (document.product_id, document.currency, facet, key)
                self._spelt.setdefault(place, (label, parent))

    def standing(self) -> Standing:
        return Standing(as_of=self._as_of, documents=len(self._documents))

    def state(self) -> int:
        return self._as_of

    def contents(self) -> Contents:
        prices = {each.variant_id: each.price_minor for each in self._documents}
        return Contents(
            as_of=self._as_of, priced_at=datetime(2026, 3, 2, tzinfo=UTC), prices=prices
        )

    def search(self, request: SearchRequest) -> Found:
        self._selected.clear()
        query, is_otherwise = request.query, False
        matching = self._matching(request, query)
        if not matching and request.otherwise is not None:
            query, is_otherwise = request.otherwise, True
            matching = self._matching(request, query)
        hits = _ordered(matching, request, query, self._lowest)
        return Found(
            hits=tuple(hits[request.offset : request.offset + request.limit]),
            count=len(hits),
            facets={
                each.facet: _facet(self._for_facet(request, query, each), each, self._spelt)
                for each in request.facets
            },
            as_of=self._as_of,
            is_otherwise=is_otherwise,
        )

    def explain(self, request: SearchRequest) -> tuple[Explained, ...]:
        return tuple(Explained(hit=hit, reasons=()) for hit in self.search(request).hits)

    def _for_facet(
        self, request: SearchRequest, query: Node, facet: FacetRequest
    ) -> list[Document]:
        without = facet.facet if facet.ignores_own else None
        return self._matching(request, query, without=without)

    def _matching(
        self, request: SearchRequest, query: Node, *, without: Facet | None = None
    ) -> list[Document]:
        found = self._select(query)
        for each in request.filters:
            if without is None or each.facet != without:
                found &= self._select(each.node)
        return [
            self._documents[place]
            for place, bit in enumerate(reversed(f"{found:b}"))
            if bit == "1" and _is_in_scope(self._documents[place], request)
        ]

    def _select(self, node: Node) -> int:
        """The SKUs that satisfy the node; tried once in a search, whose facets all start from the same nodes."""
        if (found := self._selected.get(id(node))) is None:
            found = self._selected[id(node)] = self._try(node)
        return found

    def _try(self, node: Node) -> int:
        match node:
            case Everything():
                return self._all
            case Nothing():
                return 0
            case Boost():
                return self._select(node.node)
            case Bool():
                return self._bool(node)
            case Chosen():
                return self._facets[node.facet, keyword(node.value)]
        field = getattr(node, "field", None)
        found = 0
        for each in [field] if field else SEARCHED:
            for values, skus in self._fields[each].items():
                if values and _leaf(values, node, FIELDS[each].kind):
                    found |= skus
        return found

    def _bool(self, node: Bool) -> int:
        found = self._all
        for each in node.must:
            found &= self._select(each)
        for each in node.must_not:
            found &= ~self._select(each)
        least = node.least
        if least is None:
            least = 0 if node.must or not node.should else 1
        chosen = [self._select(each) for each in node.should]
        if len(chosen) < least:
            return 0
        some = self._all if not least else 0
        for group in choices(chosen, least) if least else ():
            together = self._all
            for skus in group:
                together &= skus
            some |= together
        return found & some


def _is_in_scope(document: Document, request: SearchRequest) -> bool:
    scope = request.scope
    return document.currency == scope.currency and (
        scope.merchant_ids is None or document.merchant_id in scope.merchant_ids
    )


@lru_cache(maxsize=1_000_000)
def _leaf(values: Values, node: Node, kind: str) -> bool:
    """Whether a field with these values satisfies a leaf."""
    if isinstance(node, Present):
        return True
    if isinstance(node, Range):
        return _range(values, node, kind)
    if isinstance(node, OneOf):
        return any(keyword(text) in values for text in node.values)
    if kind == "number":
        text = node.text.strip() if isinstance(node, Word | Phrase) else ""
        return re.fullmatch(r"-?\d{1,17}", text) is not None and int(text) in values
    texts = [str(value) for value in values]
    terms = texts if kind == "exact" else [word for text in texts for word in text.split()]
    if isinstance(node, Pattern):
        return any(_like(node.pattern).fullmatch(term) for term in terms)
    assert isinstance(node, Word | Phrase | Fuzzy)
    return _whole(terms, node) if kind == "exact" else _in_words(texts, terms, node)


def _whole(terms: Sequence[str], node: Word | Phrase | Fuzzy) -> bool:
    text = keyword(node.text)
    if isinstance(node, Phrase) and text.endswith("*"):
        return any(_like(text).fullmatch(term) for term in terms)
    return bool(text) and text in terms


def _in_words(texts: Sequence[str], terms: Sequence[str], node: Word | Phrase | Fuzzy) -> bool:
    words = split_words(node.text)
    if isinstance(node, Fuzzy) and len(words) == 1:
        return any(distance(words[0], term) <= node.distance for term in terms)
    if isinstance(node, Phrase):
        return _phrase(texts, _phrase_words(node.text), node.slop)
    return _phrase(texts, words, 0)


def _phrase_words(text: str) -> list[str]:
    found: list[str] = []
    for piece in text.split():
        words = split_words(piece)
        if piece.endswith("*") and words:
            words[-1] += "*"
        found += words
    return found


def _phrase(texts: Sequence[str], words: Sequence[str], slop: int) -> bool:
    """Lucene's slop: how far the words are from standing in a row, in all."""
    places = _places(texts)
    found = [
        [place - number for term, at in places.items() if _is_word(term, word) for place in at]
        for number, word in enumerate(words)
    ]
    if not found or not all(found):
        return False
    return any(max(shifts) - min(shifts) <= slop for shifts in combinations(*found))


def _places(texts: Sequence[str]) -> dict[str, list[int]]:
    """Where each word stands; one place is left empty between the values of a field."""
    found: dict[str, list[int]] = defaultdict(list)
    place = 0
    for text in texts:
        for word in text.split():
            found[word].append(place)
            place += 1
        place += 1
    return found


def _is_word(term: str, word: str) -> bool:
    return term.startswith(word[:-1]) if word.endswith("*") else term == word


@lru_cache(maxsize=1000)
def _like(pattern: str) -> re.Pattern[str]:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in fold(pattern)[:200])
    return re.compile("".join(parts), re.DOTALL)


def _range(values: Values, node: Range, kind: str) -> bool:
    low: str | int | None = node.low
    high: str | int | None = node.high
    if kind != "number":
        low, high = (None if each is None else keyword(str(each)) for each in (low, high))
    if kind == "text":
        values = tuple(word for text in values for word in str(text).split())
    return any(
        (low is None or value > low or (node.include_low and value == low))  # type: ignore[operator]
        and (high is None or value < high or (node.include_high and value == high))  # type: ignore[operator]
        for value in values
    )


@lru_cache(maxsize=100_000)
def distance(left: str, right: str) -> int:
    """Letters changed, added, left out, or swapped with the next."""
    rows = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in range(len(left) + 1):
        rows[i][0] = i
    rows[0] = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        for j, b in enumerate(right, start=1):
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


def values_of(document: Document, facet: str) -> list[tuple[str, str, str]]:
    """(key, label, parent) of each value of a facet but prices."""
    if facet == "merchant":
        return [(str(document.merchant_id), document.merchant, "")]
    if facet == "category":
        return [
            (str(each.id), " > ".join(each.path), str(each.parent_id or ""))
            for each in document.categories
        ]
    texts: dict[str, tuple[str, ...]] = {
        "brand": (document.brand,),
        "color": document.colors,
        "size": document.sizes,
        "coupon": document.coupons,
        "on_sale": ("false" if document.sale_minor is None else "true",),
    }
    found: dict[str, str] = {}
    for text in texts[facet]:
        if keyword(text):
            found.setdefault(keyword(text), " ".join(text.split()))
    return [(key, label, "") for key, label in found.items()]


def _facet(
    documents: Sequence[Document],
    facet: FacetRequest,
    spelt: dict[tuple[int, str, str, str], tuple[str, str]],
) -> tuple[FacetValue, ...]:
    if facet.facet == "price":
        return _prices(documents, facet.edges)
    owners: dict[str, set[int]] = defaultdict(set)
    spellings: dict[str, dict[tuple[str, str], set[int]]] = defaultdict(lambda: defaultdict(set))
    for document in documents:
        for key, _, _ in values_of(document, facet.facet):
            owners[key].add(document.product_id)
            spelling = spelt[document.product_id, document.currency, facet.facet, key]
            spellings[key][spelling].add(document.product_id)
    is_by_id = facet.facet in ("merchant", "category")
    values = []
    for key, products in owners.items():
        label, parent = min(spellings[key], key=lambda each: (-len(spellings[key][each]), each))
        value = key if is_by_id else label
        values.append(FacetValue(value=value, label=label, count=len(products), parent=parent))
    return tuple(sorted(values, key=lambda each: (-each.count, each.label, each.value)))


def _prices(documents: Sequence[Document], edges: tuple[int, ...]) -> tuple[FacetValue, ...]:
    found = []
    for low, high in zip((0, *edges), (*edges, None), strict=True):
        products = {
            each.product_id
            for each in documents
            if each.price_minor >= low and (high is None or each.price_minor < high)
        }
        name = f"{low or ''}-{'' if high is None else high}"
        if products:
            found.append(FacetValue(value=name, label=name, count=len(products)))
    return tuple(found)


def _ordered(
    documents: Sequence[Document],
    request: SearchRequest,
    query: Node,
    lowest: Mapping[tuple[int, str], int],
) -> list[Hit]:
    """The products in the order of the request; by relevance, and at random, in any."""
    by_product: dict[int, list[Document]] = defaultdict(list)
    for document in documents:
        by_product[document.product_id].append(document)
    sort = request.sort
    if sort == "relevance" and isinstance(query, Everything):
        sort = "modified"

    def key(product_id: int) -> tuple[object, ...]:
        skus = by_product[product_id]
        first: object = {
            "price": lowest[product_id, skus[0].currency],
            "price_desc": -lowest[product_id, skus[0].currency],
            "modified": -skus[0].modified_s,
            "name": fold(skus[0].name)[:NAME_CHARS],
        }.get(sort, 0)
        return first, product_id

    return [
        Hit(product_id=product_id, variant_id=by_product[product_id][0].variant_id, score=0)
        for product_id in sorted(by_product, key=key)
    ]
