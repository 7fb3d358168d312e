"""A country is a code of ISO 3166-1, and what is none is refused, never taken for another."""

import string
from itertools import product

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.errors import Invalid
from crossdock.kit.countries import country_codes, find_country, no_country, read_country

PAIRS = ["".join(pair) for pair in product(string.ascii_uppercase, repeat=2)]


def test_of_all_pairs_of_letters_those_of_iso_3166_are_countries():
    known = {country.alpha_2 for country in pycountry.countries}
    assert len(known) == 249
    assert {pair for pair in PAIRS if find_country(pair) == pair} == known
    assert all(find_country(pair.lower()) == find_country(pair) for pair in PAIRS)
    assert country_codes() == known


@given(st.text(max_size=4))
def test_only_the_code_itself_is_one(text):
    found = find_country(text)
    assert found is None or (text.isascii() or "\u00a0" in text)
    assert found is None or text.strip(" \t\u00a0").upper() == found


@pytest.mark.parametrize(
    "text", ["ß", "ﬁ", "ﬆ", "ıe", "ſe", "ＢＥ", "B\u200bE", "BE\n", "", "  ", "B E"]
)
def test_what_only_looks_or_sounds_like_a_code_is_none(text):
    assert find_country(text) is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("UK", "GB for United Kingdom"), ("uk", "GB for United Kingdom"),
        ("XI", "GB for United Kingdom"), ("EL", "GR for Greece"), ("IC", "ES for Spain"),
        ("BEL", "BE for Belgium"), ("usa", "US for United States"), ("056", "BE for Belgium"),
        ("Belgium", "BE for Belgium"), ("België", "BE for Belgium"), ("Belgique", "BE for Belgium"),
        ("DEUTSCHLAND", "DE for Germany"), ("España", "ES for Spain"),
    ],
)  # fmt: skip
def test_says_which_code_is_meant(text, meant):
    with pytest.raises(Invalid) as refused:
        read_country(text, field="billing.country")
    assert refused.value.message == f"{text!r} is no country code of ISO 3166-1; write {meant}."
    assert refused.value.data == {"field": "billing.country"}


@pytest.mark.parametrize("text", ["XX", "ZZ", "EU", "", "Atlantis", "?"])
def test_gives_an_example_where_nothing_is_meant(text):
    assert no_country(text) == (
        f"{text!r} is no country code of ISO 3166-1; write its two letters, such as BE."
    )


def test_shows_no_more_than_the_beginning_of_a_long_text():
    assert no_country("x" * 5000).startswith(f"'{'x' * 40}' is no country code")
