"""Every text of the console, and of pages and mails for buyers and resellers ..."""

import re
from pathlib import Path

import pytest

import crossdock
from crossdock.kit.languages import FOLDER, LANGUAGES
from crossdock.web.console import CONSOLE_TEMPLATES
from tools import translations
from tools.bare_texts import bare_texts

OTHERS = LANGUAGES[1:]
SOURCE = Path(crossdock.__file__).parent
OF_SERVER = {
    "landing.html",
    "guide.html",
    "search.html",
    "side.html",
    "api.html",
    "not_found.html",
}
"""Pages for who runs the server or writes a partner's program, in English."""
TEMPLATES = [
    *sorted(CONSOLE_TEMPLATES.rglob("*.html")),
    *(path for path in sorted((SOURCE / "web/templates").iterdir()) if path.name not in OF_SERVER),
    *sorted((SOURCE / "gate/templates").iterdir()),
    *sorted((SOURCE / "channels/shoppable/templates").iterdir()),
    *sorted((SOURCE / "channels/shoppex_partner/templates").glob("order_*.html")),
    *sorted((SOURCE / "channels/shoppex_reseller/templates/portal").iterdir()),
    *sorted((SOURCE / "shop/mailing/templates").glob("*.html")),
]
_VALUE = re.compile(r"%\(\w+\)s")
_ELEMENT = re.compile(r"<[^>]+>")
ATTRIBUTES = {"live.html", "told.html"}  # macros that are attributes of elements


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_is_asked_for_by_its_template(path: Path):
    if path.name not in ATTRIBUTES:
        assert list(bare_texts(path.read_text())) == []


@pytest.mark.parametrize("language", OTHERS)
def test_is_in_the_catalogue_which_has_no_other(language):
    stored = (FOLDER / f"{language}.po").read_bytes()
    assert stored == translations.written(language, translations.template()), (
        "run python -m tools.translations --write"
    )


@pytest.mark.parametrize("language", OTHERS)
def test_is_translated(language):
    assert list(translations.untranslated(language)) == []


@pytest.mark.parametrize("language", OTHERS)
def test_keeps_its_values_and_elements(language):
    wrong = []
    for message in translations.catalogue(language):
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, (list, tuple)) else (message.id,)
        found = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
        texts = [text or "" for text in found]
        values = {value for text in ids for value in _VALUE.findall(text)}
        for text in texts:
            if not set(_VALUE.findall(text)) <= values:
                wrong.append(text)
            if len(ids) == 1 and set(_VALUE.findall(text)) != values:
                wrong.append(text)
            if _ELEMENT.findall(text) != _ELEMENT.findall(ids[0]):
                wrong.append(text)
    assert wrong == []


@pytest.mark.parametrize(
    ("source", "bare"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ('<p>{{ _("Hello") }}</p>', []),
        ("<p>{% trans %}Hello{% endtrans %}, you</p>", [", you"]),
        ('<input placeholder="A number">', ["A number"]),
        ('<input placeholder="{{ _("A number") }}">', []),
        ("<code>crossdock order</code> 12 × UTC &middot;", []),
        ('<a href="{% if a > b %}x{% endif %}">Go</a>', ["Go"]),
        ("{# said to who writes #}<!-- and this -->", []),
    ],
)
def test_is_noticed_where_it_is_bare(source, bare):
    assert [text for _line, text in bare_texts(source)] == bare


RETIRED = (
    "Log of acts", "without a trace", "debits are credits", "Present password", "econd factor", "safe way",
    "by force", "in sight", "Coming back", "Take away", "What came of it",
)  # fmt: skip
"""Wordings that staff had to guess, which the field's own terms replaced."""


@pytest.mark.parametrize("wording", RETIRED)
def test_is_said_in_the_terms_of_the_field(wording):
    names = [str(message.id) for message in translations.template() if message.id]
    assert [name for name in names if wording in name] == []


@pytest.mark.parametrize(
    ("text", "dutch", "french", "german"),
    [
        ("Trial balance", "Proef- en saldibalans", "Balance générale", "Summen- und Saldenliste"),
        ("Packing slip", "Pakbon", "Bordereau de colisage", "Packzettel"),
        ("Committed", "Toegewezen", "Alloué", "Zugeteilt"),
        ("Reserved", "Gereserveerd", "Réservé", "Reserviert"),
        ("Held back", "Ingehouden", "Retenu", "Zurückgehalten"),
        ("Cost", "Kostprijs", "Prix d'achat", "Einkaufspreis"),
        ("Dry run", "Proefrun", "Essai à blanc", "Probelauf"),
        ("Cancel", "Annuleren", "Annuler", "Abbrechen"),
        (
            "Cancel orders",
            "Bestellingen annuleren",
            "Annuler les commandes",
            "Bestellungen stornieren",
        ),
        ("Refund now", "Nu terugbetalen", "Rembourser", "Jetzt erstatten"),
        ("People", "Gebruikers", "Utilisateurs", "Benutzer"),
    ],
)
def test_is_what_the_field_says_in_each_language(text, dutch, french, german):
    said = [translations.catalogue(language)[text].string for language in ("nl", "fr", "de")]
    assert said == [dutch, french, german]
