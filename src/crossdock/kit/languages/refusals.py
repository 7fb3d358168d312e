"""Sentences in which the core refuses, in the spoken language.

The core writes them in English, with their values in them. A sentence that was written from a template of
the catalogue is told by its translation, with the same values.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from crossdock.kit.languages.catalogues import gettext, read_catalogue
from crossdock.kit.languages.spoken import LANGUAGES, spoken

REFUSAL = "refusal"
"""The context of templates in a catalogue."""

_VALUE = re.compile(r"%\((\w+)\)s")


class _Template(NamedTuple):
    pattern: re.Pattern[str]
    told: str


def refusal(text: str, *, shown: Callable[[str], str] = str) -> str:
    """A refusal in the spoken language, English where no catalogue has it; `shown` tells a value of it in words."""
    language = spoken()
    told = gettext(text)
    if told != text or language == LANGUAGES[0]:
        return told
    for template in _templates(language):
        if found := template.pattern.fullmatch(text):
            return template.told % {name: shown(value) for name, value in found.groupdict().items()}
    return text


@cache
def _templates(language: str) -> tuple[_Template, ...]:
    """Those with the most words of their own first, for they say more than `There is no %(what)s.`"""
    texts = {
        str(message.id): str(message.string)
        for message in read_catalogue(language)
        if message.context == REFUSAL and message.string
    }
    ordered = sorted(texts, key=lambda text: -len(_VALUE.sub("", text)))
    return tuple(_Template(_pattern(text), texts[text]) for text in ordered)


def _pattern(text: str) -> re.Pattern[str]:
    """What a sentence of this template looks like."""
    parts = _VALUE.split(text)
    written = [
        f"(?P<{part}>.+?)" if index % 2 else re.escape(part) for index, part in enumerate(parts)
    ]
    return re.compile("".join(written), re.DOTALL)
