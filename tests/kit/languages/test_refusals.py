"""A refusal of the core is told..."""

import re

import pytest

from crossdock.kit.languages import LANGUAGES, REFUSAL, refusal, speaking
from crossdock.kit.languages.catalogues import read_catalogue
from tools.refusals import is_template, refusals

PLACES = re.compile(r"%\(\w+\)s")


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "The order is cancelled already."),
        ("nl", "De bestelling is al geannuleerd."),
        ("fr", "La commande est déjà annulée."),
        ("de", "Die Bestellung ist bereits storniert."),
    ],
)
def test_in_the_spoken_language(language, told):
    with speaking(language):
        assert refusal("The order is cancelled already.") == told


def test_with_its_values_as_the_reader_knows_them():
    text = "An order that is partially_shipped cannot be cancelled."
    with speaking("de"):
        assert refusal(text, shown={"partially_shipped": "Teilversandt"}.__getitem__) == (
            "Eine Bestellung im Zustand „Teilversandt“ kann nicht storniert werden."
        )
    with speaking("en"):
        assert refusal(text, shown=str.upper) == text


def test_with_values_of_any_letters():
    with speaking("de"):
        assert refusal("There is no coupon '%(x)s <b> 5%; .*'.") == (
            "Es gibt keinen Gutschein '%(x)s <b> 5%; .*'."
        )


def test_by_the_template_that_says_the_most():
    with speaking("nl"):
        assert (
            refusal("There is no customer 7 in this shop.") == "Er is geen klant 7 in deze winkel."
        )


def test_in_english_where_no_catalogue_has_it():
    with speaking("fr"):
        assert refusal("No such words.") == "No such words."


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_with_each_value_in_each_language(language):
    known = {str(m.id): str(m.string) for m in read_catalogue(language) if m.context == REFUSAL}
    templates = {text for text, _file in refusals() if is_template(text)}
    assert set(known) == templates
    for text, told in known.items():
        assert sorted(PLACES.findall(told)) == sorted(PLACES.findall(text)), text
        assert "%" not in PLACES.sub("", text + told), text
