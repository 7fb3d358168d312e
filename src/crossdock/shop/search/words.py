"""How text is split into words, the same for documents and queries (spec shoppable 4.3).

Split at anything but letters and digits, case and accents folded, no stemming: a word of a query is
found as a whole word, in whatever way it was written.
"""

import re
import unicodedata

WORD_CHARS = 100
KEYWORD_CHARS = 200
_WORD = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """Without case and accents."""
    if text.isascii():
        return text.lower()
    spread = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in spread if not unicodedata.combining(char)).casefold()


def split_words(text: str) -> list[str]:
    """The words of a text in order, folded; an overlong one is cut."""
    return [word[:WORD_CHARS] for word in _WORD.findall(fold(text))]


def keyword(text: str) -> str:
    """A value that is compared as a whole: folded, blanks joined, cut where overlong."""
    return " ".join(fold(text).split())[:KEYWORD_CHARS]


def fold_pattern(pattern: str) -> str:
    """A pattern folded like the words it is compared with; `*` and `?` stay what they are."""
    return fold(pattern)[:KEYWORD_CHARS]
