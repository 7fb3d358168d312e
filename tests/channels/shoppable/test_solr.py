"""A search string..."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossdock.channels.shoppable.solr import read_search
from crossdock.errors import Invalid
from crossdock.shop.search import (
    Bool,
    Boost,
    Bounds,
    Everything,
    Fuzzy,
    Node,
    Nothing,
    OneOf,
    Operator,
    Pattern,
    Phrase,
    Present,
    Range,
    Word,
    check_bounds,
)
from tests.support.search_strings import search_string

OPERATORS: tuple[Operator, ...] = ("or", "and")
# What a query may cost is for the search to say; whether it is one, is not.
ENDLESS = Bounds(chars=10**6, clauses=10**6, depth=10**3, patterns=10**6)
MEN = Word(text="men", field="category")
CHILDREN = Word(text="children", field="category")


def word(text: str, field: Any = None) -> Word:
    return Word(text=text, field=field)


def phrase(text: str, field: Any = None, slop: int = 0) -> Phrase:
    return Phrase(text=text, slop=slop, field=field)


def pattern(text: str, field: Any = None) -> Pattern:
    return Pattern(pattern=text, field=field)


def read(text: str, **options: Any) -> Node:
    return read_search(text, currency="USD", **options).node


def plain_words(*words: str) -> Node:
    """Any of them; those with all of them stand first."""
    asked = tuple(word(text) for text in words)
    together = Bool(must=asked, should=(phrase(" ".join(words), "everything"),))
    return Bool(should=(*asked, Boost(node=together, hundredths=400)))


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("", Everything()),
        ("  ", Everything()),
        ("revlon", word("revlon")),
        ("1042", Bool(should=(
            word("1042"),
            Boost(node=word("1042", "variant_id"), hundredths=100_000),
            Boost(node=word("1042", "product_id"), hundredths=100_000)))),
        ("1" * 19, word("1" * 19)),
        ("red 1042", plain_words("red", "1042")),
        ("red lamp", plain_words("red", "lamp")),
        ("bread and butter", plain_words("bread", "and", "butter")),
        ('"red lamp"', phrase("red lamp")),
        ('"red lamp"~2', phrase("red lamp", slop=2)),
        ('"red lamp"~999', phrase("red lamp", slop=100)),
        ("brand:revlon", word("revlon", "brand")),
        ('brand:"calvin klein"', phrase("calvin klein", "brand")),
        ("brand:(a OR b)", Bool(should=(word("a", "brand"), word("b", "brand")))),
        ("brand:(a b)^3", Boost(
            node=Bool(should=(word("a", "brand"), word("b", "brand"))), hundredths=300)),
        ("a AND b", Bool(must=(word("a"), word("b")))),
        ("a && b", Bool(must=(word("a"), word("b")))),
        ("a OR b", Bool(should=(word("a"), word("b")))),
        ("a || b", Bool(should=(word("a"), word("b")))),
        ("a OR b AND c", Bool(should=(word("a"), Bool(must=(word("b"), word("c")))))),
        ("(a OR b) AND c", Bool(must=(Bool(should=(word("a"), word("b"))), word("c")))),
        ("a NOT b", Bool(should=(word("a"),), must_not=(word("b"),))),
        ("a !b", Bool(should=(word("a"),), must_not=(word("b"),))),
        ("+a b -c", Bool(must=(word("a"),), should=(word("b"),), must_not=(word("c"),))),
        ("a AND NOT b", Bool(must=(word("a"),), must_not=(word("b"),))),
        ("a OR NOT b", Bool(should=(word("a"), Bool(must_not=(word("b"),))))),
        ("-a", Bool(must_not=(word("a"),))),
        ("b AND (-a)", Bool(must=(word("b"), Bool(must_not=(word("a"),))))),
        ("rev*", pattern("rev*")),
        ("te?t", pattern("te?t")),
        ("*lon", pattern("*lon")),
        ("brand:rev*", pattern("rev*", "brand")),
        ("*:*", Everything()),
        ("*", Everything()),
        ("material:*", Present(field="material")),
        ("price:[10 TO 20]", Range(field="price", low=1000, high=2000)),
        ("price:{10 TO 20}", Range(field="price", low=1001, high=1999)),
        ("price:[10 TO *]", Range(field="price", low=1000)),
        ("price:[* TO *]", Range(field="price")),
        ("price:[10 TO 20}", Range(field="price", low=1000, high=1999)),
        ("price:[10.005 TO 20.005]", Range(field="price", low=1001, high=2000)),
        ("price:{10.005 TO 20.005}", Range(field="price", low=1001, high=2000)),
        ("price:12.5", Range(field="price", low=1250, high=1250)),
        ("price:12.505", Range(field="price", low=1251, high=1250)),
        ("price:cheap", Nothing()),
        ("price:1e400", Range(field="price", low=10**16, high=10**16)),
        ("price:nan", Nothing()),
        ("name:[a TO b}", Range(field="name", low="a", high="b", include_high=False)),
        ("lamp^2", Boost(node=word("lamp"), hundredths=200)),
        ("lamp^2.5", Boost(node=word("lamp"), hundredths=250)),
        ("lamb~", Fuzzy(text="lamb", distance=2)),
        ("lamb~1", Fuzzy(text="lamb", distance=1)),
        ("lamb~9", Fuzzy(text="lamb", distance=2)),
        ("lamb~0.8", Fuzzy(text="lamb", distance=2)),
        ("lamb~0", word("lamb")),
        ("id:1042", Bool(should=(word("1042", "variant_id"), word("1042", "sku")))),
        ("part_number:7", Bool(should=(word("7", "product_id"), word("7", "part_number")))),
        ("upc:012345678905", OneOf(
            field="upc", values=("012345678905", "00012345678905", "12345678905"))),
        ("on_sale:TRUE", word("true", "on_sale")),
        ("onSale:false", word("false", "on_sale")),
        ("active:true", Everything()),
        ("active:false", Nothing()),
        (r"a\:b", word("a:b")),
        (r"\(a", word("(a")),
        (r"brand:top\*", word("top*", "brand")),
        ("x-100", word("x-100")),
        ("foo:bar", Bool(should=(word("foo"), word("bar")))),
        ("foo:bar -brand:x", Bool(
            should=(Bool(should=(word("foo"), word("bar"))),), must_not=(word("x", "brand"),))),
    ],
)  # fmt: skip
def test_is_read_as_the_guide_says(text: str, node: Node):
    assert read(text) == node


def test_of_the_guide_drops_both_categories_also_as_it_is_printed():
    both = Bool(must_not=(MEN, CHILDREN))
    assert read("-category:men AND -category:children") == both
    assert read("-category:men AND__ -category:children__") == both
    assert read("shirt -category:men AND__ -category:children__") == Bool(
        should=(word("shirt"),), must_not=(MEN, CHILDREN)
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('"red lamp', ("red", "lamp")),
        ("(red lamp", ("red", "lamp")),
        ("red lamp)", ("red", "lamp")),
        ("red AND", ("red",)),
        ("AND red", ("red",)),
        ("red AND OR lamp", ("red", "lamp")),
        ("red - lamp", ("red", "lamp")),
        ("--red", ("red",)),
        ("red^", ("red",)),
        ("brand:", ("brand",)),
        ("red [lamp", ("red", "lamp")),
        ("price:[1 TO", ("price", "1", "TO")),
        ("a:b:c", ("a", "b", "c")),
        ("(" * 400 + "red", ("red",)),
        ("\\", ()),
        ("!!!", ()),
        ("AND", ()),
        ('""', ()),
        ("()", ()),
        ("__", ()),
    ],
)
def test_that_is_broken_is_read_as_words(text: str, words: tuple[str, ...]):
    if not words:
        assert read(text) == Nothing()
    elif len(words) == 1:
        assert read(text) == word(words[0])
    else:
        assert read(text) == plain_words(*words)


def test_may_ask_for_all_words_instead_and_for_any_where_nothing_has_all():
    query = read_search("red lamp", currency="USD", operator="and")
    assert isinstance(query.node, Bool)
    assert Bool(should=(word("red"), word("lamp"))) == query.otherwise
    assert read("brand:a red", operator="and") == Bool(must=(word("a", "brand"), word("red")))
    assert read("brand:a -red", operator="and") == Bool(
        must=(word("a", "brand"),), must_not=(word("red"),)
    )


def test_counts_money_in_the_currencys_own_minor_units():
    assert read_search("price:[10 TO 20]", currency="JPY").node == Range(
        field="price", low=10, high=20
    )


@pytest.mark.parametrize("text", ["a" * 513, "(" * 11 + "a" + ")" * 11])
def test_beyond_the_bounds_is_refused(text: str):
    with pytest.raises(Invalid) as refused:
        read(text)
    assert refused.value.code == "too_large"


@pytest.mark.parametrize("text", ["a" * 512, "(" * 10 + "a" + ")" * 10])
def test_up_to_the_bounds_is_read(text: str):
    assert isinstance(read(text), Word)


def test_never_fails_whatever_it_is():
    seed = random.randrange(10**9)
    rng = random.Random(seed)
    for number in range(20_000):
        text = search_string(rng)
        try:
            read_whatever(text)
        except Exception as error:
            raise AssertionError(f"seed {seed}, string {number}: {text!r}") from error


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_never_fails_on_any_characters(text: str):
    read_whatever(text)


def read_whatever(text: str) -> None:
    """It is a query that the search takes, or brackets too deep; never anything else."""
    for operator in OPERATORS:
        try:
            query = read_search(text, currency="USD", operator=operator)
        except Invalid as error:
            if error.code != "too_large" or text.count("(") <= Bounds().depth:
                raise
        else:
            check_bounds((query.node, query.otherwise or Everything()), bounds=ENDLESS)
