"""Identifiers that give nothing away: a permutation of (kind, number, place) under a key.

An identifier is one AES block in base 62, always 22 letters and digits. Who has the key reads the
number back without asking anybody; who has not can neither guess the next one nor tell two kinds apart.
"""

from functools import lru_cache
from struct import Struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

LENGTH = 22
KEY_BYTES = 16
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_BLOCK_BYTES = 16
# The last three bytes are zero, which a block that nobody encoded is by chance once in 16 million.
_LAYOUT = Struct(">BQI3s")
_CHECK = bytes(3)
_KEPT = 65_536

Numbered = tuple[int, int, int]
"""(kind, number, place); the place is 0 for what is not a part of something."""


class OpaqueIds:
    """The identifiers under one key of 16 bytes; used by one thread at a time."""

    def __init__(self, key: bytes) -> None:
        # One block at a time, each a different one: what a chained mode hides does not occur.
        cipher = Cipher(AES(key), ECB())  # nosec B305
        self._encrypt = cipher.encryptor().update
        self._decrypt = cipher.decryptor().update
        self.encode = lru_cache(maxsize=_KEPT)(self._encode)

    def _encode(self, kind: int, number: int, place: int = 0) -> str:
        """The identifier: kind 0 to 255, number 64 bits, place 32 bits."""
        value = int.from_bytes(self._encrypt(_LAYOUT.pack(kind, number, place, _CHECK)), "big")
        digits = []
        for _ in range(LENGTH // 2):
            value, pair = divmod(value, len(_PAIRS))
            digits.append(_PAIRS[pair])
        return "".join(reversed(digits))

    def decode(self, text: str) -> Numbered | None:
        """What `encode` was given, or None for a text that it never made under this key."""
        if len(text) != LENGTH:
            return None
        value = 0
        for character in text:
            digit = _VALUES.get(character)
            if digit is None:
                return None
            value = value * len(_DIGITS) + digit
        try:
            block = value.to_bytes(_BLOCK_BYTES, "big")
        except OverflowError:
            return None
        kind, number, place, check = _LAYOUT.unpack(self._decrypt(block))
        return (kind, number, place) if check == _CHECK else None
