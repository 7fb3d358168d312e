"""Passwords: which are good enough, and how they are kept (Argon2id, RFC 9106, second choice)."""

import asyncio
import unicodedata
from functools import lru_cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from crossdock.errors import Invalid

LENGTH_MIN = 12
LENGTH_MAX = 256
DISTINCT_MIN = 5
HASHES_AT_ONCE = 2  # each takes 64 MiB while it runs

_COMMON_FILE = Path(__file__).with_name("common_passwords.txt")
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_WALK_PIECES = 2  # of so few pieces of rows, a password is a walk on the keyboard


class Hasher:
    """Hashes and verifies off the event loop, a few at a time."""

    def __init__(self) -> None:
        self._argon = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._turn = asyncio.Semaphore(HASHES_AT_ONCE)
        self._dummy = ""

    async def hash(self, password: str) -> str:
        """The encoded hash with its parameters and salt."""
        async with self._turn:
            return await asyncio.to_thread(self._argon.hash, _normal(password))

    async def verify(self, password: str, *, known: str | None) -> bool:
        """Whether the password made the hash; with none known, no, after the same work."""
        self._dummy = self._dummy or await self.hash("the same work for nobody")
        async with self._turn:
            right = await asyncio.to_thread(self._verify, known or self._dummy, _normal(password))
        return right and known is not None

    def is_outdated(self, known: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._argon.check_needs_rehash(known)

    def _verify(self, known: str, password: str) -> bool:
        try:
            return self._argon.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False


def check_password(password: str, *, email: str) -> None:
    """Raise Invalid `invalid_input` for a password that is too short, too long or easily guessed.

    | refused                           | example                              |
    |-----------------------------------|--------------------------------------|
    | under 12 or over 256 characters   | `hunter2`                            |
    | the e-mail, or little more than its name | `lovelace@shop.example`, `lovelace1815` |
    | on the list of the commonest      | `password1234`                       |
    | fewer than 5 different characters | `aaaabbbbaaaa`                       |
    | a short piece again and again     | `abc123abc123`                       |
    | two rows of alphabet or keyboard  | `asdfghjkl987654`                    |
    """
    text = _normal(password)
    if not LENGTH_MIN <= len(text) <= LENGTH_MAX:
        raise _weak(f"A password has {LENGTH_MIN} to {LENGTH_MAX} characters.")
    plain = text.casefold()
    if _is_of_email(plain, email=email.casefold()):
        raise _weak("The password is too close to the e-mail address.")
    if plain in _commonest() or _letters(plain) in _commonest():
        raise _weak("This password is one of the commonest; choose another.")
    if len(set(plain)) < DISTINCT_MIN or plain in (plain + plain)[1:-1] or _is_walk(plain):
        raise _weak("This password follows a simple pattern; choose another.")


def _normal(password: str) -> str:
    """One spelling of equal-looking text, as RFC 8265 asks; never more than can be meant."""
    return unicodedata.normalize("NFC", password[: 4 * LENGTH_MAX])


def _is_of_email(plain: str, *, email: str) -> bool:
    local = email.partition("@")[0]
    rest = plain.replace(local, "", 1) if len(local) >= 4 else plain
    return plain == email or (len(rest) < len(plain) and len(rest) < 6)


def _letters(plain: str) -> str:
    """Without the digits and signs that people put behind a word."""
    return plain.rstrip("0123456789!?.,-_@#$%&*+ ")


def _is_walk(plain: str) -> bool:
    """Whether the text is made of at most two pieces of rows, forwards or backwards."""
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
