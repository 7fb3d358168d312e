"""A merchant's terms in words are read as what they say, and written so that they are read again."""

import pytest

from crossdock.errors import Invalid
from crossdock.shop.catalogue import (
    MERCHANT_WORDS,
    MerchantTerms,
    MerchantView,
    merchant_changes,
    merchant_words,
)

ACME = MerchantView(
    id=7, slug="acme", name="Acme", email="hello@acme.example", country="BE", enabled=True, products=3,
    terms=MerchantTerms(
        shipping_flat_minor=595, free_shipping_from_minor=3500, commission_bp=1250, connector="house",
        customer_service_url="https://acme.example/help", return_policy_url="http://acme.example/",
    ),
)  # fmt: skip


def read(words: dict[str, str], *, currency: str = "EUR") -> dict[str, object]:
    return merchant_changes(words, currency=currency, connectors=["house"])


def test_what_a_merchant_has_is_read_as_the_same():
    words = merchant_words(ACME, currency="EUR")

    assert tuple(words) == MERCHANT_WORDS
    assert read(words) == {
        "email": "hello@acme.example",
        "country": "BE",
        "shipping_flat_minor": 595,
        "free_shipping_from_minor": 3500,
        "commission_bp": 1250,
        "customer_service_url": "https://acme.example/help",
        "return_policy_url": "http://acme.example/",
        "connector": "house",
    }


def test_an_empty_word_takes_away_and_one_that_is_not_there_changes_nothing():
    assert read({}) == {}
    assert read(dict.fromkeys(MERCHANT_WORDS, " ")) == {
        "email": None,
        "country": None,
        "shipping_flat_minor": 0,
        "free_shipping_from_minor": None,
        "commission_bp": 0,
        "customer_service_url": "",
        "return_policy_url": "",
        "connector": "",
    }


def test_the_least_amounts_are_read():
    assert read({"shipping": "0", "free_from": "1"}, currency="JPY") == {
        "shipping_flat_minor": 0,
        "free_shipping_from_minor": 1,
    }


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("email", "a" * 250 + "@acme.example"),
        ("email", "acme"),
        ("country", "XX"),
        ("shipping", "-0.01"),
        ("free_from", "0"),
        ("share", "100.01"),
        ("customer_service_url", "ftp://acme.example/"),
        ("return_policy_url", "https://acme.example/a b"),
        ("connector", "moon"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(field, text):
    with pytest.raises(Invalid) as refused:
        read({field: text})

    assert (refused.value.code, refused.value.data["field"]) == ("invalid_input", field)
