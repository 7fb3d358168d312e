"""What of a text a person can see."""

import pytest

from crossdock.kit.texts import has_ink


@pytest.mark.parametrize("text", ["a", " 7 ", "é", "日本", "-", "€", "\u200ba"])
def test_letters_digits_and_signs_are_seen(text):
    assert has_ink(text)


@pytest.mark.parametrize(
    "text", ["", " ", "\t\n", "\u200b", "\u2060\ufeff", "\u3164", "\u2800", "\u0301"]
)
def test_blanks_marks_and_zero_widths_are_not(text):
    assert not has_ink(text)
