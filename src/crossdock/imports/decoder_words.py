"""What the decoder says of a value, in the words of who wrote the file."""

import re

_BOUNDS = {
    r"Expected `str` of length >= 1": "is missing",
    r"Expected `str` of length <= (\d+)": "is longer than {} characters",
    r"Expected `(?:array|object)` of length <= (\d+)": "has more than {} parts",
    r"Expected `(?:array|object)` of length >= (\d+)": "has fewer than {} parts",
    r"Expected `array` of length (\d+)(?:, got (\d+))?": "must have {} parts",
    r"Expected `int` <= (\d+)": "is above {}",
    r"Expected `int` >= (-?\d+)": "is below {}",
    r"Expected `str` matching regex '\^\[A-Z\]\{3\}\$'": "is not a currency code of three capitals",
    r"Expected `str` matching regex '\^\[A-Z\]\{2\}\$'": "is not a country code of two capitals",
    r"Expected `str` matching regex '\^\[a-z\].*": "is not a language code such as en or pt-BR",
    r"Expected `str` matching regex .*": "is not written as this field is",
    r"Object missing required field `(.*)`": "is missing required field `{}`",
    r"Object contains unknown field `(.*)`": "has an unknown field `{}`",
    r"Invalid (?:enum )?value .*": "is none of the words that this field has",
    r"Expected `datetime` with a timezone component": "has no time zone, such as Z or +01:00",
    r"Invalid RFC3339 encoded datetime": "is not a date and time such as 2026-11-30T08:00:00Z",
    r"Invalid RFC3339 encoded date": "is not a date such as 2026-11-30",
}
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number with decimals",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "datetime": "a date and time",
    "date": "a date",
    "null": "null",
}
_KIND = re.compile(r"Expected `(.+)`, got `(.+)`")


def in_words(reason: str) -> str:
    """The decoder's message in plain words: 'must be a whole number or null, and is a text'."""
    for pattern, words in _BOUNDS.items():
        if match := re.fullmatch(pattern, reason, re.DOTALL):
            return words.format(*match.groups())
    if match := _KIND.fullmatch(reason):
        return f"must be {_kinds(match[1])}, and is {_kinds(match[2])}"
    return reason


def _kinds(names: str) -> str:
    return " or ".join(_KINDS.get(name, name) for name in names.split(" | "))
