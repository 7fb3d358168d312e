"""Password hashing with Argon2id (RFC 9106, second recommended option)."""

import asyncio
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

LENGTH_MAX = 256
HASHES_AT_ONCE = 2  # each takes 64 MiB while it runs


class Hasher:
    """Hashes and verifies off the event loop, a few at a time."""

    def __init__(self) -> None:
        self._argon = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._turn = asyncio.Semaphore(HASHES_AT_ONCE)
        self._dummy = ""

    async def hash(self, password: str) -> str:
        """The encoded hash with its parameters and salt."""
        async with self._turn:
            return await asyncio.to_thread(self._argon.hash, _octets(password))

    async def verify(self, password: str, *, known: str | None) -> bool:
        """Whether the password matches the hash; False, after the same work, when there is no hash."""
        self._dummy = self._dummy or await self.hash("the same work for nobody")
        async with self._turn:
            right = await asyncio.to_thread(self._verify, known or self._dummy, _octets(password))
        return right and known is not None

    def is_outdated(self, known: str) -> bool:
        """Whether the hash was made with other parameters than the current ones."""
        return self._argon.check_needs_rehash(known)

    def _verify(self, known: str, password: bytes) -> bool:
        try:
            return self._argon.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False


def normal_password(password: str) -> str:
    """Unicode NFC, as RFC 8265 requires, of no more text than a valid password can have."""
    return unicodedata.normalize("NFC", password[: 4 * LENGTH_MAX])


def _octets(password: str) -> bytes:
    # JSON can contain a lone surrogate: that is a wrong password, not an encoding error.
    return normal_password(password).encode("utf-8", "surrogatepass")
