"""Generate and store secrets: sealed if the server needs the value again, else hashed."""

import msgspec

from crossdock.kit.crypto import SecretBox, hash_key
from crossdock.kit.ids import Ids
from crossdock.kit.passwords import Hasher
from crossdock.shop.partners.model import Proof

TOKEN_LENGTH = 32  # letters and digits: 190 bits
HINT_LENGTH = 4
_USER_NAME_LENGTH = 12


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A secret as it is stored; exactly one of the first three fields is set."""

    sealed: bytes | None = None
    token_hash: bytes | None = None
    password_hash: str | None = None
    hint: str = ""

    def __repr__(self) -> str:
        return "Kept()"


def new_key(ids: Ids, *, proof: Proof) -> str:
    """A public key, or the name that goes with a password."""
    if proof == "password":
        return f"user_{ids.random_token(_USER_NAME_LENGTH).lower()}"
    return ids.partner_key()


def new_secret(ids: Ids, *, proof: Proof, prefix: str) -> str:
    """A signing secret, a token that begins with `prefix`, or a password."""
    if proof == "signature":
        return ids.partner_secret()
    return (prefix if proof == "bearer" else "") + ids.random_token(TOKEN_LENGTH)


async def keep(secret: str, *, proof: Proof, key: str, prefix: str, box: SecretBox) -> Kept:
    """Seal or hash a secret for storage. Hashing a password is slow, so call it before locking rows."""
    if proof == "signature":
        return Kept(sealed=box.seal(secret.encode(), place=secret_place(key)))
    if proof == "bearer":
        return Kept(token_hash=hash_key(secret), hint=secret[: len(prefix) + HINT_LENGTH])
    return Kept(password_hash=await Hasher().hash(secret))


def secret_place(public_key: str) -> str:
    """The place that a sealed secret is bound to, so that it cannot be copied to another credential."""
    return f"credential:{public_key}"
