"""Encryption of stored secrets, hashing of keys, comparison in constant time."""

import contextlib
import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crossdock.errors import SealBroken

KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_FORMAT = 1

Renew = Callable[[], Sequence[bytes] | None]


class SecretBox:
    """Encrypts small secrets with AES-256-GCM.

    Sealed bytes are: format (1), key id (1), nonce (12), ciphertext, tag (16). The key id is
    derived from the key itself, so a rotation needs no numbering: pass the new key first and the
    old ones as `older`; what they sealed stays readable until it is sealed again. `place`
    (for example 'credential:17') is authenticated and not stored: bytes copied to another row
    do not open there. `renew` is called before sealing or hashing, and when no key opens a
    secret; it returns the keys, the newest first, if they changed while this process ran.
    """

    def __init__(
        self, master_key: bytes, *, older: Sequence[bytes] = (), renew: Renew = lambda: None
    ) -> None:
        self._renew = renew
        self._use((master_key, *older))

    def _use(self, keys: Sequence[bytes]) -> None:
        if any(len(key) != KEY_BYTES for key in keys):
            raise ValueError("a master key is 32 bytes")
        self._keys = [_Key(key) for key in dict.fromkeys(keys)]

    def _follow(self) -> bool:
        keys = self._renew()
        if keys:
            self._use(keys)
        return bool(keys)

    @property
    def older_count(self) -> int:
        """The number of keys besides the newest."""
        self._follow()
        return len(self._keys) - 1

    def seal(self, secret: bytes, *, place: str) -> bytes:
        """Encrypt `secret`, bound to the place where it is stored."""
        self._follow()
        newest = self._keys[0]
        header = bytes((_FORMAT, newest.id))
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return header + nonce + newest.cipher.encrypt(nonce, secret, header + place.encode())

    def open(self, sealed: bytes, *, place: str) -> bytes:
        """Decrypt what `seal` made for the same place. Raises SealBroken."""
        secret = _opened(sealed, place=place, keys=self._keys)
        if secret is None and self._follow():
            secret = _opened(sealed, place=place, keys=self._keys)
        if secret is None:
            raise SealBroken(f"no known master key opens {place}")
        return secret

    def is_current(self, sealed: bytes, *, place: str) -> bool:
        """Whether the newest key sealed it; if not, open it and seal it again."""
        self._follow()
        return _opened(sealed, place=place, keys=self._keys[:1]) is not None

    def keyed_hash(self, text: str, *, purpose: str) -> bytes:
        """HMAC-SHA256 of the text under the newest master key; each purpose has its own hashes."""
        return self.keyed_hashes(text, purpose=purpose)[0]

    def keyed_hashes(self, text: str, *, purpose: str) -> list[bytes]:
        """The keyed hash under every known master key, the newest first."""
        self._follow()
        message = f"{purpose}\0{text}".encode("utf-8", "surrogatepass")
        return [hmac.digest(key.deriving, message, "sha256") for key in self._keys]


class _Key:
    """A master key and the keys derived from it; keys with the same id are tried in turn."""

    def __init__(self, key: bytes) -> None:
        self.id = hashlib.sha256(b"crossdock master key id\0" + key).digest()[0]
        self.deriving = hashlib.sha256(b"crossdock derived keys\0" + key).digest()
        self.cipher = AESGCM(key)


def _opened(sealed: bytes, *, place: str, keys: Sequence[_Key]) -> bytes | None:
    header, nonce, rest = sealed[:2], sealed[2:14], sealed[14:]
    if len(rest) < _TAG_BYTES or header[0] != _FORMAT:
        return None
    for key in keys:
        if key.id == header[1]:
            with contextlib.suppress(InvalidTag):
                return key.cipher.decrypt(nonce, rest, header + place.encode())
    return None


def hash_key(key: str) -> bytes:
    """SHA-256 of a long random key, which needs no salt or stretching; never for passwords."""
    return hashlib.sha256(key.encode()).digest()


def constant_time_equal(left: str | bytes, right: str | bytes) -> bool:
    """Compare texts in a time that does not depend on where they differ."""
    return hmac.compare_digest(_as_bytes(left), _as_bytes(right))


def _as_bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
