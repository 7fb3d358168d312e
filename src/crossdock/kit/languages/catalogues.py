"""Texts in the spoken language, from a catalogue per language; one that it lacks stays English."""

import io
from functools import cache
from pathlib import Path
from typing import cast

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import LazyProxy, Translations

from crossdock.kit.languages.spoken import LANGUAGES, spoken

FOLDER = Path(__file__).parent
"""Where the catalogues are: `nl.po`, and one for each other language but English."""


def gettext(text: str) -> str:
    """The text in the spoken language."""
    language = spoken()
    return text if language == LANGUAGES[0] else _catalogue(language).gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    """The text for that many, by the plural rule of the spoken language."""
    language = spoken()
    if language == LANGUAGES[0]:
        return one if count == 1 else many
    return _catalogue(language).ngettext(one, many, count)


def lazy(text: str) -> str:
    """A text that is translated when it is shown, for constants."""
    return cast("str", LazyProxy(gettext, text, enable_cache=False))


def english(text: str) -> str:
    """A text that is stored in English, and translated with `gettext` where it is shown."""
    return text


def read_catalogue(language: str) -> Catalog:
    """The catalogue of a language as it is written."""
    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


@cache
def _catalogue(language: str) -> Translations:
    """Read from its source: a catalogue takes some 50 ms once per process, and no built file can be stale."""
    compiled = io.BytesIO()
    write_mo(compiled, read_catalogue(language))
    compiled.seek(0)
    return Translations(compiled)
