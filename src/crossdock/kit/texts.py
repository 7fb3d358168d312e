"""Whether a text has visible characters, and how a statement looks for it."""

import re
import unicodedata

# Letters and symbols by their Unicode category, but invisible: Hangul fillers, the blank Braille
# pattern, the null notehead, blank hieroglyphs.
_INVISIBLE = frozenset("\u115f\u1160\u2800\u3164\uffa0\U0001d159\U00013441\U00013442")
_PLAIN_INK = re.compile(r"[!-~]")


def has_ink(text: str) -> bool:
    """Whether it has a visible letter, digit or symbol, not only blanks, marks or controls."""
    if _PLAIN_INK.search(text):
        return True
    return any(unicodedata.category(sign)[0] in "LNPS" and sign not in _INVISIBLE for sign in text)


def visible(text: str) -> str:
    """The text without surrounding blanks; '' if it has no visible character.

    For required fields: an invisible text counts as missing.
    """
    return text.strip() if has_ink(text) else ""


def as_part(text: str) -> str:
    """The pattern of SQL's `like` for what has this text in it, whatever signs it is of."""
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"
