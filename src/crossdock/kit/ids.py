"""The one source of random identifiers: keys, secrets, tokens. Tests replace it with a seeded one."""

import random
import secrets
import string
import uuid
from abc import ABC, abstractmethod
from typing import Protocol

LETTERS_AND_DIGITS = string.ascii_letters + string.digits
_KINDS = len(LETTERS_AND_DIGITS)
_FAIR = 256 - 256 % _KINDS  # larger bytes are dropped, so that every character is equally likely
_SPARE = 4


class Ids(Protocol):
    """Anything that makes identifiers nobody can guess."""

    def random_token(self, length: int) -> str:
        """`length` letters and digits, about 5.95 bits each."""

    def uuid(self) -> str:
        """A version 4 UUID (122 random bits), as text."""

    def partner_key(self) -> str:
        """A partner's public key: 'pk_' and 32 letters and digits."""

    def partner_secret(self) -> str:
        """A partner's signing secret: 'sk_' and 48 letters and digits (285 bits)."""

    def order_key(self) -> str:
        """The key in an order page's address: 'wc_order_' and 13 letters and digits (77 bits)."""


class _Names(ABC):
    """The formats of the identifiers; subclasses choose the characters."""

    @abstractmethod
    def random_token(self, length: int) -> str: ...

    @abstractmethod
    def uuid(self) -> str: ...

    def partner_key(self) -> str:
        return f"pk_{self.random_token(32)}"

    def partner_secret(self) -> str:
        return f"sk_{self.random_token(48)}"

    def order_key(self) -> str:
        return f"wc_order_{self.random_token(13)}"


class RandomIds(_Names):
    """Identifiers from the operating system's cryptographic generator."""

    def random_token(self, length: int) -> str:
        found = ""
        while len(found) < length:
            drawn = secrets.token_bytes(length + _SPARE)
            found += "".join([LETTERS_AND_DIGITS[n % _KINDS] for n in drawn if n < _FAIR])
        return found[:length]

    def uuid(self) -> str:
        return str(uuid.uuid4())


class SeededIds(_Names):
    """The same identifiers in the same order for the same seed; for tests and demo data only."""

    def __init__(self, seed: int | str) -> None:
        # Never for a real credential.
        self._random = random.Random(seed)  # nosec B311

    def random_token(self, length: int) -> str:
        return "".join(self._random.choices(LETTERS_AND_DIGITS, k=length))

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
