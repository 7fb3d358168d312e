"""A shop's people in pages, and one person's sessions, for those who manage people."""

from datetime import datetime
from typing import Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound, Refused
from crossdock.shop.people.managing import BEYOND, PERSON_COLUMNS, person_from_row
from crossdock.shop.people.model import Person, Principal
from crossdock.shop.people.sessions import Lifetimes

PEOPLE_SHOWN: Final = 50


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A live session; `name` stands for it on a page and opens nothing."""

    name: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


async def browse_people(
    tx: Transaction, *, shop_id: int, kind: Principal, after: str = "", limit: int = PEOPLE_SHOWN
) -> tuple[list[Person], bool]:
    """The shop's people of one kind by e-mail, from `after` on; and whether more follow."""
    values = {"shop": shop_id, "kind": kind, "after": after.lower(), "limit": limit + 1}
    rows = await tx.all(_PAGE, values)
    return [person_from_row(row) for row in rows[:limit]], len(rows) > limit


async def read_person_of(tx: Transaction, *, shop_id: int, person_id: int) -> Person:
    """The person, if it is the shop's. Raises NotFound `not_found`."""
    row = await tx.one(_ONE, (shop_id, person_id))
    if row is None:
        raise NotFound("not_found", "The shop has no such person.")
    return person_from_row(row)


async def has_person_whole(tx: Transaction, *, shop_id: int, person_id: int) -> bool:
    """Whether the shop may change how the person signs in: one of its own, who acts for no other shop.

    A reseller's account is of the shop that invited it first, and signs in for every shop that invites it.
    """
    return bool(await tx.value(f"{_WHOLE} and p.id = %s", (shop_id, person_id)))


async def has_address_whole(tx: Transaction, *, shop_id: int, email: str) -> bool:
    """Whether links to this address open nothing of other shops: nobody's, or one whom the shop has whole."""
    taken = await tx.value("select true from people where lower(email) = lower(%s)", (email,))
    return not taken or bool(
        await tx.value(f"{_WHOLE} and lower(p.email) = lower(%s)", (shop_id, email))
    )


async def take_person_of(tx: Transaction, *, shop_id: int, person_id: int) -> Person:
    """The shop's person, whose way of signing in it may change.

    Raises NotFound `not_found`, Refused `permission_denied` for a reseller and for whom another shop's
    reseller relationship has.
    """
    person = await read_person_of(tx, shop_id=shop_id, person_id=person_id)
    if not await has_person_whole(tx, shop_id=shop_id, person_id=person_id):
        raise Refused(
            "permission_denied",
            f"{person.email} signs in as a reseller, which may be for other shops too. Whoever runs the"
            " server changes how they sign in.",
        )
    return person


async def list_sessions(
    tx: Transaction, *, person_id: int, lives: Lifetimes, now: datetime
) -> list[SessionView]:
    """The person's live sessions, the last used one first."""
    rows = await tx.all(_SESSIONS, {"person": person_id, "now": now, "idle": lives.idle})
    return [
        SessionView(**dict(zip(SessionView.__struct_fields__, row, strict=True))) for row in rows
    ]


async def end_session(tx: Transaction, *, person_id: int, name: str) -> bool:
    """End one of the person's sessions, by its name; whether there was one."""
    return bool(await tx.run(_END, (person_id, name)))


async def end_sessions(tx: Transaction, *, person_id: int) -> int:
    """End all sessions of the person; how many there were."""
    return await tx.run("delete from sessions where principal_id = %s", (person_id,))


_FROM: Final = f"select {PERSON_COLUMNS} from people p join shops s on s.id = p.shop_id"
_PAGE: Final = f"""{_FROM}
    where p.shop_id = %(shop)s and p.kind = %(kind)s and lower(p.email) > %(after)s
    order by lower(p.email) limit %(limit)s
"""
_ONE: Final = f"{_FROM} where p.shop_id = %s and p.id = %s"
_WHOLE: Final = f"""
    select true from people p where p.shop_id = %s and p.kind <> 'reseller' and not {BEYOND}
"""
_NAME: Final = "encode(sha256(token_hash), 'hex')"
_SESSIONS: Final = f"""
    select {_NAME}, created_at, seen_at, expires_at from sessions
    where principal_id = %(person)s and is_complete and expires_at > %(now)s and seen_at > %(now)s - %(idle)s
    order by seen_at desc limit 100
"""
_END: Final = f"delete from sessions where principal_id = %s and {_NAME} = %s"
