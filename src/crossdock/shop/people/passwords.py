"""The password policy for people."""

from functools import lru_cache
from pathlib import Path

from crossdock.errors import Invalid
from crossdock.kit.passwords import LENGTH_MAX, normal_password

LENGTH_MIN = 12
DISTINCT_MIN = 5

_COMMON_FILE = Path(__file__).with_name("common_passwords.txt")
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_WALK_PIECES = 2  # a password of up to this many pieces of keyboard rows is refused


def check_password(password: str, *, email: str) -> None:
    """Raise Invalid `invalid_input` for a password that is too short, too long or easily guessed.

    | refused                           | example                              |
    |-----------------------------------|--------------------------------------|
    | under 12 or over 256 characters   | `hunter2`                            |
    | the e-mail, or little more than its name | `lovelace@shop.example`, `lovelace1815` |
    | on the list of the commonest      | `password1234`                       |
    | fewer than 5 different characters | `aaaabbbbaaaa`                       |
    | a short piece repeated            | `abc123abc123`                       |
    | two rows of alphabet or keyboard  | `asdfghjkl987654`                    |
    """
    text = normal_password(password)
    if not LENGTH_MIN <= len(text) <= LENGTH_MAX:
        raise _weak(f"A password has {LENGTH_MIN} to {LENGTH_MAX} characters.")
    plain = text.casefold()
    if _is_of_email(plain, email=email.casefold()):
        raise _weak("The password is too close to the e-mail address.")
    if plain in _commonest() or _letters(plain) in _commonest():
        raise _weak("This password is one of the commonest; choose another.")
    if len(set(plain)) < DISTINCT_MIN or plain in (plain + plain)[1:-1] or _is_walk(plain):
        raise _weak("This password follows a simple pattern; choose another.")


def _is_of_email(plain: str, *, email: str) -> bool:
    rest = plain.replace(email.partition("@")[0], "", 1)
    return plain == email or (len(rest) < len(plain) and len(rest) < 6)


def _letters(plain: str) -> str:
    """The text without the digits and symbols at its end."""
    return plain.rstrip("0123456789!?.,-_@#$%&*+ ")


def _is_walk(plain: str) -> bool:
    """Whether the text consists of at most two pieces of rows, forwards or backwards."""
    pieces, rest = 0, plain
    while rest and pieces <= _WALK_PIECES:
        rest = rest[_row_length(rest) :]
        pieces += 1
    return pieces <= _WALK_PIECES


def _row_length(text: str) -> int:
    ways = [way for row in _ROWS for way in (row, row[::-1])]
    return next((n for n in range(len(text), 1, -1) if any(text[:n] in w for w in ways)), 1)


@lru_cache(maxsize=1)
def _commonest() -> frozenset[str]:
    lines = _COMMON_FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _weak(message: str) -> Invalid:
    return Invalid("invalid_input", message, {"field": "password"})
