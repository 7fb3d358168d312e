"""A cell for a spreadsheet..."""

import pytest

from crossdock.kit.spreadsheets import shown_text


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_is_text_however_a_formula_would_begin(sign):
    assert shown_text(f"{sign}1+1") == f"'{sign}1+1"


@pytest.mark.parametrize("text", ["", "1-1", "a=b", "'=1", " =1", "−1"])
def test_stays_as_it_is_where_none_begins(text):
    assert shown_text(text) == text
