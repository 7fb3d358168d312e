"""Who signs in to the demo's console.

The password is made from the installation's master key, so that it can be shown again although only
its hash is kept; every installation has its own.
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
    """What opens the console; never printed by accident: see __repr__."""

    email: str
    password: str

    def __repr__(self) -> str:
        return f"ConsoleAccess(email={self.email!r})"


async def ensure_console_person(
    tx: Transaction, *, shop_id: int, box: SecretBox, now: datetime
) -> int:
    """Add the demo's owner, or put the password back; how many people were touched.

    The second step, and a role that was given since, stay as they are.
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
    """E-mail and password as the demo was loaded, or None where it has no such person."""
    if await _find(tx) is None:
        return None
    former = await _former_password(tx, box=box)
    return ConsoleAccess(email=EMAIL, password=former or _passwords(box)[0])


async def has_former_password(tx: Transaction, *, box: SecretBox) -> bool:
    """Whether the demo's owner signs in with what an older master key made."""
    return bool(await _former_password(tx, box=box))


async def renew_password(tx: Transaction, *, box: SecretBox) -> bool:
    """Set what the newest master key makes in the place of what an older one made; whether it was due."""
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
    """The password in force where an older master key made it, else ''."""
    person, hasher = await _find(tx), Hasher()
    if person is None:
        return ""
    for password in _passwords(box)[1:]:
        if await has_password(tx, person_id=person.id, password=password, hasher=hasher):
            return password
    return ""


def _passwords(box: SecretBox) -> list[str]:
    """100 bits in four groups for every known master key, the newest first."""
    return [_grouped(made) for made in box.keyed_hashes(EMAIL, purpose="demo console password")]


def _grouped(made: bytes) -> str:
    text = base64.b32encode(made).decode().lower()
    return "-".join(text[n : n + _GROUP] for n in range(0, _LETTERS, _GROUP))
