"""Which language is spoken now: one per request or job, English where nobody chose."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

LANGUAGES: Final = ("en", "nl", "fr", "de")
"""The first is the language of the code."""

_spoken: ContextVar[str] = ContextVar("spoken_language", default=LANGUAGES[0])


def spoken() -> str:
    """The language that is spoken now."""
    return _spoken.get()


def speak(language: str) -> None:
    """Speak this language from now on, if it is one of LANGUAGES; else the present one is kept."""
    if language in LANGUAGES:
        _spoken.set(language)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak a language in this block, and the former one after it."""
    before = _spoken.set(language if language in LANGUAGES else LANGUAGES[0])
    try:
        yield
    finally:
        _spoken.reset(before)


def chosen(accepted: str, *, otherwise: str = LANGUAGES[0]) -> str:
    """The best of LANGUAGES for an Accept-Language header (RFC 9110, 12.5.4), `otherwise` if none fits."""
    best, weight = otherwise, 0.0
    for choice in accepted[:500].split(","):
        tag, _, rest = choice.strip().lower().partition(";")
        language = tag.partition("-")[0].strip()
        if language in LANGUAGES and (given := _weight(rest)) > weight:
            best, weight = language, given
    return best


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(float(value), 1.0)
    except ValueError:
        return 0.0
