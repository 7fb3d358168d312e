"""What of a text a person can see."""

import re
import unicodedata

# Letters and signs by their kind, but drawn as nothing: fillers of Hangul, the empty Braille cell,
# a note without a head, blank hieroglyphs.
_INVISIBLE = frozenset("\u115f\u1160\u2800\u3164\uffa0\U0001d159\U00013441\U00013442")
_PLAIN_INK = re.compile(r"[!-~]")


def has_ink(text: str) -> bool:
    """Whether any of it is a letter, digit or sign: not only blanks, marks, controls and zero widths."""
    if _PLAIN_INK.search(text):
        return True
    return any(unicodedata.category(sign)[0] in "LNPS" and sign not in _INVISIBLE for sign in text)


def visible(text: str) -> str:
    """The text without blanks around it; '' when nothing of it can be seen.

    Whatever a field requires, a text that nobody can see is not it.
    """
    return text.strip() if has_ink(text) else ""
