"""Add, find and change people."""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, NotFound, Refused
from crossdock.kit.email import is_email
from crossdock.kit.languages import LANGUAGES
from crossdock.kit.passwords import Hasher
from crossdock.shop.people.model import Person
from crossdock.shop.people.roles import PARTNER_ROLE, RESELLER_ROLE, STAFF_ROLES, Role

_NAME_LENGTH_MAX = 100

PERSON_COLUMNS = (
    "p.id, p.shop_id, s.slug, p.email, p.name, p.role, p.active, p.totp_sealed is not null,"
    " (select count(*) from recovery_codes r where r.person_id = p.id and r.used_at is null),"
    " p.created_at, p.last_seen_at, p.partner_id, p.language"
)
# People of a disabled partner cannot sign in.
MAY_ENTER = (
    "p.active and (p.partner_id is null"
    " or exists (select from partners a where a.id = p.partner_id and a.active))"
)
# Who acts for a reseller relationship of a shop that is not their own.
BEYOND = (
    "exists (select from reseller_people m where m.person_id = p.id and m.shop_id <> p.shop_id)"
)
_SELECT = f"select {PERSON_COLUMNS} from people p join shops s on s.id = p.shop_id"
_LAST_OWNER = """
select count(*) = 0 from (
    select 1 from people where shop_id = %s and role = 'owner' and active and id <> %s
    for no key update) as others
"""


async def add_person(
    tx: Transaction,
    *,
    shop_id: int,
    email: str,
    password_hash: str,
    now: datetime,
    role: str = "",
    partner_id: int | None = None,
    is_reseller: bool = False,
    name: str = "",
) -> Person:
    """Add a person who may sign in: staff with a role, a partner's person if `partner_id` is set, or a reseller.

    Raises Invalid `invalid_input`, Conflict `exists` for an e-mail in use, NotFound `not_found` for
    a partner that is not the shop's.
    """
    if len(name.strip()) > _NAME_LENGTH_MAX or not name.isprintable():
        raise _invalid("name", f"A name has at most {_NAME_LENGTH_MAX} printable characters.")
    if is_reseller:
        kind, given = "reseller", RESELLER_ROLE
    elif partner_id is None:
        kind, given = "staff", check_role(role)
    else:
        kind, given = "partner", PARTNER_ROLE
        await _check_partner(tx, shop_id=shop_id, partner_id=partner_id)
    person_id = await tx.value(
        "insert into people (shop_id, kind, partner_id, email, name, role, password_hash, created_at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing returning id",
        (shop_id, kind, partner_id, check_email(email), name.strip(), given, password_hash, now),
    )
    if person_id is None:
        raise Conflict("exists", f"There is a person with the e-mail {email.strip()} already.")
    return await read_person(tx, person_id=person_id)


async def read_person(tx: Transaction, *, person_id: int) -> Person:
    """The person with that id. Raises NotFound `not_found`."""
    row = await tx.one(f"{_SELECT} where p.id = %s", (person_id,))
    if row is None:
        raise NotFound("not_found", "There is no such person.")
    return person_from_row(row)


async def find_person(tx: Transaction, *, email: str) -> Person:
    """The person with that e-mail, in any case. Raises NotFound `not_found`."""
    wanted = normal_email(email)
    row = await tx.one(f"{_SELECT} where lower(p.email) = %s", (wanted,)) if wanted else None
    if row is None:
        raise NotFound("not_found", f"There is no person with the e-mail {email.strip()}.")
    return person_from_row(row)


async def list_people(tx: Transaction, *, shop_id: int | None = None) -> list[Person]:
    """The people of a shop, or of all shops, by shop and e-mail."""
    query = f"{_SELECT} where %(shop)s::bigint is null or p.shop_id = %(shop)s order by 3, lower(p.email)"
    return [person_from_row(row) for row in await tx.all(query, {"shop": shop_id})]


async def set_role(tx: Transaction, *, person_id: int, role: str) -> None:
    """Change the role, effective with the next request. The last owner of a shop stays owner.

    Raises Refused `permission_denied` for the last owner and for people of partners and resellers.
    """
    person = await read_person(tx, person_id=person_id)
    if person.principal != "staff":
        raise Refused(
            "permission_denied",
            f"{person.email} belongs to a {person.principal}; only staff have roles.",
        )
    if check_role(role) != "owner":
        await _keep_an_owner(tx, person_id=person_id)
    _found(await tx.run("update people set role = %s where id = %s", (role, person_id)))


async def set_password_hash(
    tx: Transaction, *, person_id: int, password_hash: str, spare: bytes = b""
) -> None:
    """Change the password; the person's links end, and sessions but the one with the token hash `spare`."""
    changed = await tx.run(
        "update people set password_hash = %s where id = %s", (password_hash, person_id)
    )
    _found(changed)
    await tx.run(
        "delete from sessions where principal_id = %s and token_hash <> %s", (person_id, spare)
    )
    await _end_links(tx, person_id=person_id)


async def set_language(tx: Transaction, *, person_id: int, language: str) -> None:
    """Set the language of a person's pages, '' for that of the browser. Raises Invalid `invalid_input`."""
    if language and language not in LANGUAGES:
        raise _invalid("language", f"A language is one of {', '.join(LANGUAGES)}.")
    _found(await tx.run("update people set language = %s where id = %s", (language, person_id)))


async def has_password(tx: Transaction, *, person_id: int, password: str, hasher: Hasher) -> bool:
    """Whether this is the person's password."""
    known = await tx.value("select password_hash from people where id = %s", (person_id,))
    return await hasher.verify(password, known=known)


async def disable_person(tx: Transaction, *, person_id: int) -> None:
    """Refuse sign-in and end the person's sessions and links. The last owner of a shop cannot be disabled."""
    await _keep_an_owner(tx, person_id=person_id)
    _found(await tx.run("update people set active = false where id = %s", (person_id,)))
    await tx.run("delete from sessions where principal_id = %s", (person_id,))
    await _end_links(tx, person_id=person_id)


async def enable_person(tx: Transaction, *, person_id: int) -> None:
    """Let a disabled person sign in again."""
    _found(await tx.run("update people set active = true where id = %s", (person_id,)))


def person_from_row(row: tuple[object, ...]) -> Person:
    """The person in a row of PERSON_COLUMNS."""
    return msgspec.convert(dict(zip(Person.__struct_fields__, row, strict=True)), Person)


def check_role(role: str) -> Role:
    """Check a staff role. Raises Invalid `invalid_input` for any other text."""
    for known in STAFF_ROLES:
        if role == known:
            return known
    raise _invalid("role", f"A role is one of {', '.join(STAFF_ROLES)}.")


def check_email(email: str) -> str:
    """The address without surrounding spaces. Raises Invalid `invalid_input`."""
    if not normal_email(email):
        raise _invalid("email", "That is not an e-mail address.")
    return email.strip()


def normal_email(email: str) -> str:
    """The normal form of an address for comparing and counting; '' if it is not an address."""
    text = email.strip()
    return text.lower() if is_email(text) else ""


async def _check_partner(tx: Transaction, *, shop_id: int, partner_id: int) -> None:
    found = await tx.value(
        "select true from partners where shop_id = %s and id = %s", (shop_id, partner_id)
    )
    if not found:
        raise NotFound("not_found", f"There is no partner {partner_id}.")


async def _keep_an_owner(tx: Transaction, *, person_id: int) -> None:
    person = await read_person(tx, person_id=person_id)
    if person.role != "owner" or not person.active:
        return
    if await tx.value(_LAST_OWNER, (person.shop_id, person_id)):
        raise Refused(
            "permission_denied", f"{person.email} is the last owner of the shop {person.shop}."
        )


async def _end_links(tx: Transaction, *, person_id: int) -> None:
    await tx.run("delete from password_links where person_id = %s", (person_id,))


def _found(changed: int) -> None:
    if not changed:
        raise NotFound("not_found", "There is no such person.")


def _invalid(field: str, message: str) -> Invalid:
    return Invalid("invalid_input", message, {"field": field})
