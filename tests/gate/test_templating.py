"""Templates of pages speak the language that is spoken when they are rendered, and escape every value."""

from pathlib import Path

import jinja2
import pytest

from crossdock.gate import create_templates
from crossdock.kit.languages import LANGUAGES, gettext, speaking

ORDERS = {"en": "Orders", "nl": "Bestellingen", "fr": "Commandes", "de": "Bestellungen"}


def templates(folder: Path, **files: str) -> jinja2.Environment:
    for name, text in files.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return create_templates([folder])


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_its_own_texts_in_whatever_order_they_are_asked_for(
    tmp_path: Path, language: str
) -> None:
    made = templates(tmp_path, page='{{ _("Orders") }}|{{ gettext("Orders") }}')

    for spoken in (*LANGUAGES, language):
        with speaking(spoken):
            assert made.get_template("page.html").render() == f"{ORDERS[spoken]}|{ORDERS[spoken]}"


def test_parents_includes_and_macros_speak_it_too(tmp_path: Path) -> None:
    made = templates(
        tmp_path,
        base='<title>{{ _("Orders") }}</title>{% block page %}{% endblock %}',
        macros='{% macro told() %}<b>{{ _("Orders") }}</b>{% endmacro %}',
        part="<i>{% trans %}Orders{% endtrans %}</i>",
        page=(
            '{% extends "base.html" %}{% from "macros.html" import told %}'
            '{% block page %}{{ told() }}{% include "part.html" %}{% endblock %}'
        ),
    )

    with speaking("fr"):
        french = made.get_template("page.html").render()
    with speaking("nl"):
        dutch = made.get_template("page.html").render()

    assert french == "<title>Commandes</title><b>Commandes</b><i>Commandes</i>"
    assert dutch == "<title>Bestellingen</title><b>Bestellingen</b><i>Bestellingen</i>"


def test_values_are_escaped_and_the_text_is_not(tmp_path: Path) -> None:
    made = templates(
        tmp_path, page='<p title="{{ _("<i>%(of)s</i> & 100 %%", of=name) }}">{{ name }}</p>'
    )

    found = made.get_template("page.html").render(name='<b>"')

    assert found == '<p title="<i>&lt;b&gt;&#34;</i> & 100 %">&lt;b&gt;&#34;</p>'


def test_a_text_that_is_no_constant_is_looked_up_when_it_is_rendered(tmp_path: Path) -> None:
    made = templates(tmp_path, page="{{ _(text) }}")

    with speaking("de"):
        assert made.get_template("page.html").render(text="Orders") == gettext("Orders")
        assert gettext("Orders") == "Bestellungen"


def test_what_is_added_to_the_environment_is_there_in_every_language(tmp_path: Path) -> None:
    made = templates(tmp_path, page="{{ shown | twice }} {{ language() }} {{ added }}")
    made.filters["twice"] = lambda text: text * 2
    made.globals["added"] = "global"

    with speaking("nl"):
        assert made.get_template("page.html").render(shown="a") == "aa nl global"


def test_a_missing_value_and_a_missing_template_are_errors(tmp_path: Path) -> None:
    made = templates(tmp_path, page='{{ _("%(count)s left", count=units) }}')

    with pytest.raises(jinja2.UndefinedError):
        made.get_template("page.html").render()
    with pytest.raises(jinja2.TemplateNotFound):
        made.get_template("none.html")
