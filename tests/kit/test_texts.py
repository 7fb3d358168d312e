"""What of a text a person can see."""

import pytest

from crossdock.kit.texts import has_ink, visible


@pytest.mark.parametrize(
    "text", ["a", " 7 ", "é", "日本", "-", "€", "\u200ba", "🛒", "\u200bé", "~"]
)
def test_letters_digits_and_signs_are_seen(text):
    assert has_ink(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\t\n",
        "\u200b",
        "\u2060\ufeff",
        "\u3164",
        "\u2800",
        "\u0301",
        "\U0001d159",
        "\U00013441",
    ],
)
def test_blanks_marks_and_zero_widths_are_not(text):
    assert not has_ink(text)


@pytest.mark.parametrize(
    ("text", "seen"),
    [(" a b ", "a b"), ("\u00a0é\n", "é"), ("\u200b", ""), (" \u2060\ufeff", ""), ("", "")],
)
def test_what_is_visible_is_trimmed(text, seen):
    assert visible(text) == seen
