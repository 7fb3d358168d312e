"""Sealing secrets at rest, hashing keys, comparing in constant time."""

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
    """AES-256-GCM over small secrets.

    Sealed bytes are: format (1), key id (1), nonce (12), ciphertext, tag (16). The key id is
    made from the key itself, so a change needs no numbering: give the new key first and the
    old ones as `older`; what they sealed stays readable until it is sealed again. `place`
    (for example 'credential:17') is authenticated and not stored: bytes moved to another row
    do not open there. `renew` is asked before the box seals or hashes, and where nothing opens:
    it gives other keys, the newest first, when they changed while this process ran.
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
        """How many keys besides the newest open what they sealed."""
        self._follow()
        return len(self._keys) - 1

    def seal(self, secret: bytes, *, place: str) -> bytes:
        """Encrypt `secret` for the place it is kept at."""
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
        """Whether the newest key opens it; if not, open it and seal it again."""
        self._follow()
        return _opened(sealed, place=place, keys=self._keys[:1]) is not None

    def keyed_hash(self, text: str, *, purpose: str) -> bytes:
        """32 bytes that only holders of the newest master key can make from the text; for one purpose."""
        return self.keyed_hashes(text, purpose=purpose)[0]

    def keyed_hashes(self, text: str, *, purpose: str) -> list[bytes]:
        """The keyed hash under every known master key, the newest first."""
        self._follow()
        message = f"{purpose}\0{text}".encode("utf-8", "surrogatepass")
        return [hmac.digest(key.deriving, message, "sha256") for key in self._keys]


class _Key:
    """A master key and what is made from it; keys that share an id are tried one after the other."""

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
    """Equality that takes as long for a near miss as for a far one."""
    return hmac.compare_digest(_as_bytes(left), _as_bytes(right))


def _as_bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
