"""What of a text a person can see."""

import unicodedata

# Letters and signs by their kind, but drawn as nothing: fillers of Hangul, the empty Braille cell.
_INVISIBLE = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def has_ink(text: str) -> bool:
    """Whether any of it is a letter, digit or sign: not only blanks, marks, controls and zero widths."""
    return any(unicodedata.category(sign)[0] in "LNPS" and sign not in _INVISIBLE for sign in text)
