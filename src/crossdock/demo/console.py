"""The account for the demo's console.

The password is derived from the installation's master key, so that it can be shown again although
only its hash is stored.
"""

import base64
from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.crypto import SecretBox
from crossdock.kit.passwords import Hasher
from crossdock.shop.people import (
    Person,
    add_person,
    find_person,
    has_password,
    set_password_hash,
)

EMAIL = "owner@demo-shop.example"
NAME = "Sam Visser"
_GROUP = 5
_LETTERS = 20


class ConsoleAccess(msgspec.Struct, frozen=True, kw_only=True):
    """E-mail and password of the demo's owner. The repr hides the password."""

    email: str
    password: str

    def __repr__(self) -> str:
        return f"ConsoleAccess(email={self.email!r})"


async def ensure_console_person(
    tx: Transaction, *, shop_id: int, box: SecretBox, now: datetime
) -> int:
    """Add the demo's owner or reset the password; returns how many people were changed.

    The second step and a changed role are kept.
    """
    password, hasher = _passwords(box)[0], Hasher()
    person = await _find(tx)
    if person is None:
        hashed = await hasher.hash(password)
        await add_person(
            tx,
            shop_id=shop_id,
            email=EMAIL,
            name=NAME,
            role="owner",
            password_hash=hashed,
            now=now,
        )
        return 1
    if await has_password(tx, person_id=person.id, password=password, hasher=hasher):
        return 0
    hashed = await hasher.hash(password)
    await set_password_hash(tx, person_id=person.id, password_hash=hashed)
    return 1


async def read_console_access(tx: Transaction, *, box: SecretBox) -> ConsoleAccess | None:
    """E-mail and password of the demo's owner, or None if there is no such person."""
    if await _find(tx) is None:
        return None
    former = await _former_password(tx, box=box)
    return ConsoleAccess(email=EMAIL, password=former or _passwords(box)[0])


async def has_former_password(tx: Transaction, *, box: SecretBox) -> bool:
    """Whether the owner's password is one that an older master key gives."""
    return bool(await _former_password(tx, box=box))


async def renew_password(tx: Transaction, *, box: SecretBox) -> bool:
    """Replace a password from an older master key by the newest one's; returns whether it did."""
    person = await _find(tx)
    if person is None or not await _former_password(tx, box=box):
        return False
    hashed = await Hasher().hash(_passwords(box)[0])
    await set_password_hash(tx, person_id=person.id, password_hash=hashed)
    return True


async def _find(tx: Transaction) -> Person | None:
    try:
        return await find_person(tx, email=EMAIL)
    except NotFound:
        return None


async def _former_password(tx: Transaction, *, box: SecretBox) -> str:
    """The current password if an older master key gives it, else ''."""
    person, hasher = await _find(tx), Hasher()
    if person is None:
        return ""
    for password in _passwords(box)[1:]:
        if await has_password(tx, person_id=person.id, password=password, hasher=hasher):
            return password
    return ""


def _passwords(box: SecretBox) -> list[str]:
    """A password of 100 bits in four groups for each known master key, the newest first."""
    return [_grouped(made) for made in box.keyed_hashes(EMAIL, purpose="demo console password")]


def _grouped(made: bytes) -> str:
    text = base64.b32encode(made).decode().lower()
    return "-".join(text[n : n + _GROUP] for n in range(0, _LETTERS, _GROUP))
