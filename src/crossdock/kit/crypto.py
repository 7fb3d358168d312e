"""Sealing secrets at rest, hashing keys, comparing in constant time, and the master key."""

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crossdock.errors import Invalid

MASTER_KEY_FILE = "master.key"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_FORMAT = 1


class SealBroken(Exception):
    """Sealed bytes that no known key opens: changed, cut, of another place, or of a lost key."""


class SecretBox:
    """AES-256-GCM over small secrets.

    Sealed bytes are: format (1), key id (1), nonce (12), ciphertext, tag (16). The key id is
    made from the key itself, so a rotation needs no numbering: give the new key first and the
    old ones as `older`; what they sealed stays readable until it is sealed again. `place`
    (for example 'credential:17') is authenticated and not stored: bytes moved to another row
    do not open there.
    """

    def __init__(self, master_key: bytes, *, older: Sequence[bytes] = ()) -> None:
        if any(len(key) != _KEY_BYTES for key in (master_key, *older)):
            raise ValueError("a master key is 32 bytes")
        self._key_id = _key_id(master_key)
        self._deriving = hashlib.sha256(b"crossdock derived keys\0" + master_key).digest()
        self._current = AESGCM(master_key)
        self._known = [(_key_id(key), AESGCM(key)) for key in (master_key, *older)]

    def seal(self, secret: bytes, *, place: str) -> bytes:
        """Encrypt `secret` for the place it is kept at."""
        header = bytes((_FORMAT, self._key_id))
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return header + nonce + self._current.encrypt(nonce, secret, header + place.encode())

    def open(self, sealed: bytes, *, place: str) -> bytes:
        """Decrypt what `seal` made for the same place. Raises SealBroken."""
        header, nonce, rest = sealed[:2], sealed[2:14], sealed[14:]
        if len(rest) < _TAG_BYTES or header[0] != _FORMAT:
            raise SealBroken("not sealed by this program")
        for key_id, cipher in self._known:
            if key_id == header[1]:
                with contextlib.suppress(InvalidTag):
                    return cipher.decrypt(nonce, rest, header + place.encode())
        raise SealBroken("no known master key opens this")

    def keyed_hash(self, text: str, *, purpose: str) -> bytes:
        """32 bytes that only holders of the newest master key can make from the text; for one purpose."""
        message = f"{purpose}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._deriving, message, "sha256")

    def is_current(self, sealed: bytes) -> bool:
        """Whether the newest key sealed it; if not, open it and seal it again."""
        return sealed[:2] == bytes((_FORMAT, self._key_id))


def _key_id(key: bytes) -> int:
    return hashlib.sha256(b"crossdock master key id\0" + key).digest()[0]


def hash_key(key: str) -> bytes:
    """SHA-256 of a long random key, which needs no salt or stretching; never for passwords."""
    return hashlib.sha256(key.encode()).digest()


def constant_time_equal(left: str | bytes, right: str | bytes) -> bool:
    """Equality that takes as long for a near miss as for a far one."""
    return hmac.compare_digest(_as_bytes(left), _as_bytes(right))


def _as_bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value


def load_master_key(setting_text: str, data_dir: Path) -> bytes:
    """The 32 bytes of the setting (base64), else of `data_dir`/master.key, made on first use.

    Two processes that start at once both get the key of the one that wrote first.
    Raises Invalid `invalid_input` when the text or the file is not 32 bytes in base64.
    """
    if setting_text:
        return _decode(setting_text, where="master_key")
    path = data_dir / MASTER_KEY_FILE
    if not path.exists():
        _create(path)
    return _decode(path.read_text(encoding="ascii", errors="replace"), where=str(path))


def _create(path: Path) -> None:
    """Write the key under a name of our own, then link it: the link is the atomic first-wins step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(_KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _decode(text: str, *, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise Invalid(
            "invalid_input", f"{where} must be 32 bytes in base64 (openssl rand -base64 32)"
        )
    return key
