"""Countries as ISO 3166-1 alpha-2 codes, the only form that is stored.

Everything that reads a country uses this module: text that is not a code is refused, not guessed.
"""

import unicodedata
from functools import cache

import pycountry

from crossdock.errors import Invalid
from crossdock.kit.display import country_name

# Common wrong codes for a country, and codes that ISO 3166 reserves for a part of one.
_OFTEN = {
    "UK": "GB", "XI": "GB", "EL": "GR", "FX": "FR", "EA": "ES", "IC": "ES", "AC": "SH", "TA": "SH",
}  # fmt: skip
_NAMED_IN = ("en", "nl", "fr", "de", "es", "it")
_BLANKS = " \t\u00a0"
_SHOWN_MAX = 40


@cache
def countries_by_name(language: str) -> tuple[tuple[str, str], ...]:
    """Code and name of every country, by its name in the language; É is among E."""
    named = [(code, country_name(code, language=language)) for code in country_codes()]
    return tuple(sorted(named, key=lambda pair: unicodedata.normalize("NFKD", pair[1])))


def find_country(text: str) -> str | None:
    """The code in upper case, or None if the text is not a code; 'be' and ' BE ' give BE."""
    word = text.strip(_BLANKS)
    # ASCII only: upper() turns 'ß' into 'SS', the code of South Sudan.
    code = word.upper() if word.isascii() else ""
    return code if code in country_codes() else None


def read_country(text: str, *, field: str = "country") -> str:
    """The code in upper case. Raises Invalid (invalid_input) with a hint and the field in `data`."""
    code = find_country(text)
    if code is None:
        raise Invalid("invalid_input", no_country(text), {"field": field})
    return code


def no_country(text: str) -> str:
    """The message for text that is not a country code; it suggests the code that was probably meant."""
    said = f"{text[:_SHOWN_MAX]!r} is no country code of ISO 3166-1"
    meant = _meant(text.strip(_BLANKS))
    if meant is None:
        return f"{said}; write its two letters, such as BE."
    return f"{said}; write {meant} for {country_name(meant)}."


@cache
def country_codes() -> frozenset[str]:
    """Every code."""
    return frozenset(country.alpha_2 for country in pycountry.countries)


def _meant(word: str) -> str | None:
    """The code for a common wrong code, an alpha-3 code, or a country's name in a common language."""
    if not word:
        return None
    if meant := _OFTEN.get(word.upper()):
        return meant
    folded = word.casefold()
    for language in _NAMED_IN:
        for code in sorted(country_codes()):
            if country_name(code, language=language).casefold() == folded:
                return code
    try:
        return str(pycountry.countries.lookup(word).alpha_2)
    except LookupError:
        return None
