"""Plain words..."""

import pytest

from crossdock.shop.search import (
    Bool,
    Boost,
    Bounds,
    Everything,
    Node,
    Nothing,
    Operator,
    Word,
    check_bounds,
    words_query,
)

A, B = Word(text="red"), Word(text="lamp")


@pytest.mark.parametrize(
    ("written", "node"),
    [([], Everything()), (["", " "], Everything()), (["!", "--"], Nothing()), (["red"], A)],
)
def test_that_are_one_or_none_ask_for_that_alone(written: list[str], node: Node) -> None:
    assert words_query(written, operator="and") == (node, None)
    assert words_query(written, operator="or") == (node, None)


@pytest.mark.parametrize("operator", ["and", "or"])
def test_that_are_a_number_ask_for_what_has_it_first(operator: Operator) -> None:
    node, _ = words_query(["4711"], operator=operator)
    assert isinstance(node, Bool)
    leaves = [each.node if isinstance(each, Boost) else each for each in node.should]
    fields = [leaf.field for leaf in leaves if isinstance(leaf, Word)]
    assert fields == [None, "variant_id", "product_id"]
    assert words_query(["1" * 19], operator=operator) == (Word(text="1" * 19), None)
    assert words_query(["٣"], operator=operator) == (Word(text="٣"), None)


def test_that_are_all_asked_for_may_be_any_where_nothing_has_all() -> None:
    node, otherwise = words_query(["red", "lamp"], operator="and")
    assert isinstance(node, Bool)
    assert isinstance(node.should[0], Bool)
    assert node.should[0].must == (A, B)
    assert node.should[1] == Bool(must=(Word(text="redlamp"),))
    assert otherwise == Bool(should=(A, B))


def test_that_may_be_any_rank_those_with_all_first() -> None:
    node, otherwise = words_query(["red", "lamp"], operator="or")
    assert isinstance(node, Bool)
    assert node.should[:2] == (A, B)
    assert otherwise is None


@pytest.mark.parametrize("operator", ["and", "or"])
@pytest.mark.parametrize("words", [["word"] * 64, ["w" * 120, "v" * 120, "u" * 100]])
def test_that_are_long_stay_within_the_bounds(operator: Operator, words: list[str]) -> None:
    node, _ = words_query(words, operator=operator)
    check_bounds((node,), bounds=Bounds())
