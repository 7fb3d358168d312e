"""Why the core refused something, in the language of who reads it."""

from collections.abc import Mapping
from typing import Final

from crossdock.errors import CrossdockError
from crossdock.kit.languages import refusal
from crossdock.web.console.code_words import WORDS
from crossdock.web.console.order_words import FULFILMENT, PAYMENT

_STATES: Final[Mapping[str, str]] = {
    **WORDS,
    **{name: word.text for words in (PAYMENT, FULFILMENT) for name, word in words.items()},
}


def why(error: CrossdockError) -> str:
    """The error's sentence as pages tell it."""
    return told_refusal(error.message)


def told_refusal(message: str) -> str:
    """A sentence of the core that was kept in English, as pages tell it."""
    return refusal(message, shown=lambda value: str(_STATES.get(value, value)))
