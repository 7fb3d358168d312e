"""Filters of the catalogue: `,` is OR, `|` is AND, `*` ends a word (spec 4.4).

value := group ("," group)*     group := term ("|" term)*     term := word (blank word)*
"""

import re
from collections.abc import Callable, Mapping
from decimal import InvalidOperation
from typing import Final

import msgspec

from crossdock.channels.shoppable.errors import INVALID_PARAMETER, WireError, refusal
from crossdock.channels.shoppable.showing import COUPON_TYPES
from crossdock.channels.shoppable.solr_fields import minor_bound, upc
from crossdock.kit.money import exponent
from crossdock.shop.search import (
    VALUES_MAX,
    Bool,
    Facet,
    Field,
    Filter,
    Node,
    OneOf,
    Pattern,
    Phrase,
    Range,
    Word,
)

_ANY: Final = "*"
_WORDS_MAX: Final = 100
WILDCARDS_MAX: Final = 100
_SEPARATORS = re.compile(r"[,|]")
Term = Callable[[str], Node | None]
"""The node of a term; None for one that cannot be."""


def _words(field: Field) -> Term:
    return lambda text: Phrase(text=text, field=field)


def _value(field: Field) -> Term:
    def term(text: str) -> Node:
        return (
            Pattern(pattern=text, field=field)
            if text.endswith(_ANY)
            else Word(text=text, field=field)
        )

    return term


def _upc(text: str) -> Node:
    return Pattern(pattern=text, field="upc") if text.endswith(_ANY) else upc(text)


def _number(field: Field) -> Term:
    def term(text: str) -> Node | None:
        is_number = text.isascii() and text.isdigit()
        return Word(text=text, field=field) if is_number else None

    return term


class ListFilter(msgspec.Struct, frozen=True):
    """A parameter with a list of at most so many values, what it asks, and the number of its error."""

    name: str
    number: int
    term: Term
    facet: Facet | None = None
    most: int = _WORDS_MAX


# In the order of the error table: the first one that is wrong is told.
LISTS: Final = (
    ListFilter("categories", 50006, _words("category"), "category"),
    ListFilter("category_ids", 50006, _number("category_id"), "category", VALUES_MAX),
    ListFilter("part_numbers", 50007, _value("product_id"), most=VALUES_MAX),
    ListFilter("brands", 50008, _words("brand"), "brand"),
    ListFilter("sizes", 50009, _words("size"), "size"),
    ListFilter("colors", 50010, _words("color"), "color"),
    ListFilter("merchants", 50011, _words("merchant"), "merchant"),
)
MORE_LISTS: Final = (
    ListFilter("upc", INVALID_PARAMETER, _upc, most=VALUES_MAX),
    ListFilter("coupons", INVALID_PARAMETER, _words("coupon"), "coupon"),
)


def read_lists(given: Mapping[str, str]) -> list[Filter]:
    """The filters of the lists that have numbers of their own. Raises WireError for the first wrong one."""
    return [_filter(each, given[each.name]) for each in LISTS if each.name in given]


def read_others(given: Mapping[str, str], *, currency: str) -> list[Filter]:
    """The filters of prices and of the other lists. Raises WireError 50000, which names the first wrong one."""
    found = _price(given, currency=currency)
    found += [_filter(each, given[each.name]) for each in MORE_LISTS if each.name in given]
    return found


def read_discount_type(given: Mapping[str, str]) -> list[Filter]:
    """Goods with a coupon of this type. Raises WireError 50004."""
    written = given.get("discount_type")
    if written is None:
        return []
    if written not in COUPON_TYPES:
        raise WireError(50004)
    return [Filter(node=Word(text=COUPON_TYPES[written], field="coupon_kind"))]


def read_list(text: str, *, term: Term) -> Node | None:
    """The node of a list; None for a malformed one: only separators, or a `*` that ends no word."""
    groups = [[part.split() for part in group.split("|")] for group in text.split(",")]
    alternatives = []
    for group in groups:
        terms = [words for words in group if words]
        if not all(_is_whole(word) for words in terms for word in words):
            return None
        nodes = [term(" ".join(words)) for words in terms]
        known = tuple(node for node in nodes if node is not None)
        if len(known) < len(nodes):
            return None
        if known:
            alternatives.append(known[0] if len(known) == 1 else Bool(must=known))
    if not alternatives:
        return None
    found = _gathered(alternatives)
    return found[0] if len(found) == 1 else Bool(should=tuple(found))


def _gathered(nodes: list[Node]) -> list[Node]:
    """The alternatives, whole values of one field as one clause: a publisher has long lists of them."""
    values: dict[Field, list[str]] = {}
    others = []
    for node in nodes:
        if isinstance(node, Word) and node.field is not None:
            values.setdefault(node.field, []).append(node.text)
        elif isinstance(node, OneOf):
            values.setdefault(node.field, []).extend(node.values)
        else:
            others.append(node)
    lists = [OneOf(field=field, values=tuple(texts)) for field, texts in values.items()]
    return [*lists, *others]


def _is_whole(word: str) -> bool:
    return _ANY not in word[:-1] and word != _ANY


def _filter(kind: ListFilter, text: str) -> Filter:
    values = [value for value in _SEPARATORS.split(text) if value.strip()]
    if len(values) > kind.most:
        raise refusal(kind.number, kind.name, more=f": at most {kind.most} values.")
    if sum(_ANY in value for value in values) > WILDCARDS_MAX:
        more = f": at most {WILDCARDS_MAX} values with a {_ANY}."
        raise refusal(kind.number, kind.name, more=more)
    node = read_list(text, term=kind.term)
    if node is None:
        raise refusal(kind.number, kind.name)
    return Filter(node=node, facet=kind.facet)


def _price(given: Mapping[str, str], *, currency: str) -> list[Filter]:
    low = _bound(given, "min_price", currency=currency, is_low=True)
    high = _bound(given, "max_price", currency=currency, is_low=False)
    if low is None and high is None:
        return []
    return [Filter(node=Range(field="price", low=low, high=high), facet="price")]


def _bound(given: Mapping[str, str], name: str, *, currency: str, is_low: bool) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    try:
        minor = minor_bound(text, scale=exponent(currency), is_low=is_low)
    except InvalidOperation:
        minor = -1
    if minor < 0:
        raise refusal(INVALID_PARAMETER, name)
    return minor
