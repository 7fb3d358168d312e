"""Countries by their code of ISO 3166-1 alpha-2, the one form in which they are kept.

Whatever reads a country asks here: what is no code is refused, never taken for another country.
"""

from functools import cache

import pycountry

from crossdock.errors import Invalid
from crossdock.kit.display import country_name

# Codes that others use for a country, or that ISO 3166 reserves for a part of one.
_OFTEN = {
    "UK": "GB", "XI": "GB", "EL": "GR", "FX": "FR", "EA": "ES", "IC": "ES", "AC": "SH", "TA": "SH",
}  # fmt: skip
_NAMED_IN = ("en", "nl", "fr", "de", "es", "it")
_BLANKS = " \t\u00a0"
_SHOWN_MAX = 40


def find_country(text: str) -> str | None:
    """The code in capitals, None where the text is none; 'be' and ' BE ' are BE."""
    word = text.strip(_BLANKS)
    # Only of ASCII is upper() a change of letters alone: 'ß' would become SS, South Sudan.
    code = word.upper() if word.isascii() else ""
    return code if code in country_codes() else None


def read_country(text: str, *, field: str = "country") -> str:
    """The code in capitals. Raises Invalid (invalid_input) with a hint, `data` naming the field."""
    code = find_country(text)
    if code is None:
        raise Invalid("invalid_input", no_country(text), {"field": field})
    return code


def no_country(text: str) -> str:
    """Why a text is no country, in a sentence that names the code which is probably meant."""
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
    """The country of a customary code, of three letters, or of a name in a usual language."""
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
