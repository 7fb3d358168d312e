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
from crossdock.shop.people import (
    Hasher,
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
    password, hasher = _password(box), Hasher()
    try:
        person = await find_person(tx, email=EMAIL)
    except NotFound:
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
    try:
        person = await find_person(tx, email=EMAIL)
    except NotFound:
        return None
    return ConsoleAccess(email=person.email, password=_password(box))


def _password(box: SecretBox) -> str:
    """100 bits in four groups."""
    made = base64.b32encode(box.keyed_hash(EMAIL, purpose="demo console password")).decode().lower()
    return "-".join(made[n : n + _GROUP] for n in range(0, _LETTERS, _GROUP))
