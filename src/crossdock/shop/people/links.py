"""Links by which a person chooses a password: those who are invited, and those whose password an owner resets."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.crypto import hash_key
from crossdock.kit.ids import Ids
from crossdock.shop.people.managing import (
    BEYOND,
    MAY_ENTER,
    PERSON_COLUMNS,
    person_from_row,
    set_password_hash,
)
from crossdock.shop.people.model import Person
from crossdock.shop.people.sessions import is_token, new_token

LINK_DAYS: Final = 7
_GONE: Final = "This link was used, is too old, or was replaced by a newer one. Ask for another."


class NewLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link's token, which is shown only now. Its repr hides it."""

    token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"NewLink(expires_at={self.expires_at.isoformat()})"


async def make_password_link(
    tx: Transaction, *, person_id: int, ids: Ids, now: datetime
) -> NewLink:
    """A link for this person, good once and for LINK_DAYS; earlier ones end."""
    await tx.run("delete from password_links where person_id = %s", (person_id,))
    link = NewLink(token=new_token(ids), expires_at=now + timedelta(days=LINK_DAYS))
    await tx.run(
        "insert into password_links (token_hash, person_id, expires_at) values (%s, %s, %s)",
        (hash_key(link.token), person_id, link.expires_at),
    )
    return link


async def read_password_link(tx: Transaction, *, token: str, now: datetime) -> Person:
    """Whose link it is. Raises NotFound `not_found` for one that opens nothing.

    A shop makes these links, so they open nobody who acts for another shop by now.
    """
    row = await tx.one(_READ, (hash_key(token), now)) if is_token(token) else None
    if row is None:
        raise NotFound("not_found", _GONE)
    return person_from_row(row)


async def use_password_link(
    tx: Transaction, *, token: str, password_hash: str, now: datetime
) -> Person:
    """Set the password that the link's person chose; their sessions end, and the link with them.

    Raises NotFound `not_found` for a link that opens nothing, also where two use it at once.
    """
    person = await read_password_link(tx, token=token, now=now)
    if not await tx.run(_USE, (now, hash_key(token))):
        raise NotFound("not_found", _GONE)
    await set_password_hash(tx, person_id=person.id, password_hash=password_hash)
    return person


_READ: Final = f"""
    select {PERSON_COLUMNS} from password_links l join people p on p.id = l.person_id join shops s on s.id = p.shop_id
    where l.token_hash = %s and l.used_at is null and l.expires_at > %s and {MAY_ENTER} and not {BEYOND}
"""
_USE: Final = "update password_links set used_at = %s where token_hash = %s and used_at is null"
