"""A language that is spoken ..."""

import pytest

from crossdock.kit.languages import (
    LANGUAGES,
    chosen,
    gettext,
    language_for,
    lazy,
    speak,
    speaking,
    spoken,
)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("nl", "nl"),
        ("fr-CA, en;q=0.5", "fr"),
        ("en;q=0.5, de;q=0.7, nl;q=0.6", "de"),
        ("ja, ko;q=0.9", "en"),
        ("nl;q=0, fr;q=0.1", "fr"),
        ("NL-be; q=0.8 , en; q=0.2", "nl"),
        ("de;q=often, fr;q=0.2", "fr"),
    ],
)
def test_is_the_best_that_the_browser_accepts(accepted, language):
    assert chosen(accepted) == language


@pytest.mark.parametrize(
    ("named", "country", "accepted", "of_shop", "language"),
    [
        ("fr-BE", "NL", "de", ["nl"], "fr"),
        ("EN_us", "NL", "de", ["nl"], "en"),
        ("", "NL", "de", ["fr"], "nl"),
        ("", "at", "nl", ["fr"], "de"),
        ("", "BE", "de", ["fr"], "de"),
        ("", "CH", "", ["es", "fr-CH"], "fr"),
        ("es", "IT", "es", ["de"], "de"),
        ("", "A LONG TEXT", "", [], "en"),
        ("", "", "", [], "en"),
    ],
)
def test_of_a_buyer_is_the_orders_or_the_countrys_or_the_browsers_or_the_shops(
    named, country, accepted, of_shop, language
):
    found = language_for(named=named, country=country, accepted=accepted, of_shop=of_shop)
    assert found == language


def test_is_the_former_one_again_after_its_block():
    with speaking("nl"):
        with speaking("fr"):
            speak("de")
            assert spoken() == "de"
        assert spoken() == "nl"
    assert spoken() == "en"


def test_stays_where_an_unknown_one_is_asked_for():
    with speaking("fr"):
        speak("tlh")
        assert spoken() == "fr"
    with speaking("tlh"):
        assert spoken() == "en"


def test_translates_a_constant_when_it_is_shown():
    text = lazy("Language")
    with speaking("nl"):
        assert str(text) == gettext("Language") == "Taal"
    assert str(text) == "Language"


def test_has_a_catalogue_for_each_but_english():
    for language in LANGUAGES[1:]:
        with speaking(language):
            assert gettext("Sign out") != "Sign out"
            assert gettext("no such text") == "no such text"
