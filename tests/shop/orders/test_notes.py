"""The note on each item."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.shop.orders import item_note


@pytest.mark.parametrize(
    ("number", "comments", "note"),
    [
        ("PARTNER-ORDER-12345", "", "Partner Order ID: PARTNER-ORDER-12345"),
        ("A-1", "Demo order", "Partner Order ID: A-1 | Demo order"),
        ("A-1", "two\nlines\r\n and\ta tab", "Partner Order ID: A-1 | two lines and a tab"),
        ("A-1", "  \n ", "Partner Order ID: A-1"),
        ("", "Ring twice", "Ring twice"),
        (" ", "", ""),
        ("{comments}", "{partner_order_id}", "Partner Order ID: {comments} | {partner_order_id}"),
    ],
)
def test_the_number_comes_first_and_comments_follow_on_one_line(number, comments, note):
    assert item_note(number, comments) == note


def test_the_template_is_a_setting():
    assert item_note("A-1", "x", "PO {partner_order_id}!") == "PO A-1! | x"


@given(st.text(max_size=50), st.text(max_size=50))
def test_a_note_is_always_one_line_or_none(number, comments):
    note = item_note(number, comments)
    assert note.splitlines() == ([note] if number.strip() or comments.split() else [])
