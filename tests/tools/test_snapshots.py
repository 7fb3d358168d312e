"""The kept OpenAPI documents are compared by content, and a difference is shown."""

from tools.snapshots import canonical, difference


def test_documents_that_say_the_same_are_the_same() -> None:
    assert canonical('{"b": 1, "a": [2]}') == canonical('{"a":[2],"b":1}\n')


def test_no_difference_is_empty() -> None:
    assert difference("a\n", "a\n", name="x.json") == ""


def test_a_difference_names_the_document_and_the_line() -> None:
    shown = difference(canonical('{"a": 1}'), canonical('{"a": 2}'), name="x.json")

    assert "x.json (kept)" in shown
    assert '-  "a": 1' in shown
    assert '+  "a": 2' in shown
