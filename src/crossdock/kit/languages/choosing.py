"""Which language somebody is answered in who has not said so: a buyer, of whom little is known."""

import re
from collections.abc import Iterable

from babel.languages import get_official_languages

from crossdock.kit.languages.spoken import LANGUAGES, chosen

_PART = re.compile(r"[-_]")


def language_for(
    *, named: str = "", country: str = "", accepted: str = "", of_shop: Iterable[str] = ()
) -> str:
    """The language that is `named`, else that of the country, else what a browser accepts, else the shop's main one.

    | named | country | accepted | of_shop | |
    |---|---|---|---|---|
    | fr-BE | NL | de | nl | fr |
    | | NL | de | fr | nl |
    | | BE | de | fr | de: Belgium has several |
    | | BE | es | es, fr | fr |
    | es | | | | en |
    """
    known = _known(named) or _language_of(country)
    if known:
        return known
    main = next(filter(None, map(_known, of_shop)), LANGUAGES[0])
    return chosen(accepted, otherwise=main)


def _known(tag: str) -> str:
    """The language of a tag such as nl, nl-BE or EN_us; '' for one that is not of LANGUAGES."""
    language = _PART.split(tag.strip().lower(), maxsplit=1)[0]
    return language if language in LANGUAGES else ""


def _language_of(country: str) -> str:
    """The language of a country that has one of LANGUAGES; '' for one that has several of them, or none."""
    official = get_official_languages(country.upper(), de_facto=True) if len(country) == 2 else ()
    found = [language for language in official if language in LANGUAGES]
    return found[0] if len(found) == 1 else ""
