"""Identifiers that give nothing away: a permutation of (kind, number, place) under a key.

An identifier is one AES block in base 62, always 22 letters and digits, or a UUID of version 4. Who has
the key reads the number back without asking anybody; who has not can neither guess the next one nor tell
two kinds apart.
"""

import re
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


_HALF_BITS = 61
_HALF = (1 << _HALF_BITS) - 1
_ROUNDS = 4
_UUID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)
# What a round encrypts: half of the number, the round, and bytes that no block of the ids above ends in.
_ROUND = Struct(">QB4s3s")
_TAG = b"uid"
_NUMBER_BITS, _SPARE_BITS = 63, 51


class OpaqueUuids:
    """The same as UUIDs of version 4, whose 122 free bits are permuted; used by one thread at a time.

    A network of four rounds (Luby and Rackoff) with AES as the function of each; 51 of the bits are
    zero before, so that a UUID of anybody else is read as one with a chance of 2 ** -51.
    """

    def __init__(self, key: bytes) -> None:
        # One block at a time: what a chained mode hides does not occur.
        self._encrypt = Cipher(AES(key), ECB()).encryptor().update  # nosec B305
        self.encode = lru_cache(maxsize=_KEPT)(self._encode)

    def _encode(self, kind: int, number: int) -> str:
        """The UUID of a number of 63 bits, of a kind from 0 to 255."""
        value = ((kind << _NUMBER_BITS) | number) << _SPARE_BITS
        left, right = value >> _HALF_BITS, value & _HALF
        for place in range(_ROUNDS):
            left, right = right, left ^ self._mixed(right, place)
        return _as_uuid((left << _HALF_BITS) | right)

    def decode(self, text: str) -> tuple[int, int] | None:
        """(kind, number), or None for a text that `encode` never made under this key."""
        if not _UUID.fullmatch(text):
            return None
        value = _from_uuid(text)
        left, right = value >> _HALF_BITS, value & _HALF
        for place in reversed(range(_ROUNDS)):
            left, right = right ^ self._mixed(left, place), left
        found = (left << _HALF_BITS) | right
        if found & ((1 << _SPARE_BITS) - 1):
            return None
        return found >> (_SPARE_BITS + _NUMBER_BITS), (found >> _SPARE_BITS) & (
            (1 << _NUMBER_BITS) - 1
        )

    def _mixed(self, half: int, place: int) -> int:
        block = self._encrypt(_ROUND.pack(half, place, bytes(4), _TAG))
        return int.from_bytes(block[:8], "big") & _HALF


def _as_uuid(value: int) -> str:
    """122 bits around the version (4 bits) and the variant (2 bits) of a UUID."""
    high, middle, low = value >> 74, (value >> 62) & 0xFFF, value & ((1 << 62) - 1)
    digits = f"{(high << 80) | (4 << 76) | (middle << 64) | (2 << 62) | low:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _from_uuid(text: str) -> int:
    value = int(text.replace("-", ""), 16)
    return ((value >> 80) << 74) | (((value >> 64) & 0xFFF) << 62) | (value & ((1 << 62) - 1))
