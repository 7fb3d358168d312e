"""A link by which a person chooses a password..."""

from datetime import timedelta

import pytest

from crossdock.errors import NotFound
from crossdock.kit.crypto import hash_key
from crossdock.kit.ids import RandomIds
from crossdock.shop.people import (
    LINK_DAYS,
    disable_person,
    make_password_link,
    read_password_link,
    use_password_link,
)
from tests.conftest import NOON
from tests.support.factories import make_shop
from tests.support.people import make_person
from tests.support.reselling import make_member


async def linked(tx, who, now=NOON) -> str:
    return (await make_password_link(tx, person_id=who.id, ids=RandomIds(), now=now)).token


async def opens(tx, token: str, now=NOON) -> bool:
    try:
        await read_password_link(tx, token=token, now=now)
    except NotFound:
        return False
    return True


async def test_opens_its_person_for_a_week(tx):
    noor, other = await make_person(tx), await make_person(tx)
    await linked(tx, other)

    made = await make_password_link(tx, person_id=noor.id, ids=RandomIds(), now=NOON)

    assert made.expires_at == NOON + timedelta(days=LINK_DAYS)
    assert made.token not in repr(made)
    assert await read_password_link(tx, token=made.token, now=NOON) == noor.person
    assert await opens(tx, made.token, made.expires_at - timedelta(seconds=1))
    assert not await opens(tx, made.token, made.expires_at)


async def test_is_stored_as_a_hash(tx):
    token = await linked(tx, await make_person(tx))
    query = "select to_jsonb(l)::text from password_links l where token_hash = %s"
    assert token not in await tx.value(query, (hash_key(token),))


async def test_ends_those_that_the_person_had_and_no_others(tx):
    noor, other = await make_person(tx), await make_person(tx)
    first, theirs = await linked(tx, noor), await linked(tx, other)

    second = await linked(tx, noor)

    assert [await opens(tx, token) for token in (first, theirs, second)] == [False, True, True]


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "ü" * 43, "x" * 100_000])
async def test_that_nobody_was_given_opens_nothing(tx, token):
    assert not await opens(tx, token)


async def test_sets_a_password_once(tx):
    noor = await make_person(tx)
    token = await linked(tx, noor)

    used = await use_password_link(tx, token=token, password_hash="fresh", now=NOON)

    assert used.id == noor.id
    hashed = "select password_hash from people where id = %s"
    assert await tx.value(hashed, (noor.id,)) == "fresh"
    with pytest.raises(NotFound, match="not_found"):
        await use_password_link(tx, token=token, password_hash="again", now=NOON)
    assert await tx.value(hashed, (noor.id,)) == "fresh"


async def test_that_was_used_opens_nothing(tx):
    noor, other = await make_person(tx), await make_person(tx)
    token, theirs = await linked(tx, noor), await linked(tx, other)
    await tx.run(
        "update password_links set used_at = %s where token_hash = %s", (NOON, hash_key(token))
    )

    assert [await opens(tx, each) for each in (token, theirs)] == [False, True]


async def test_opens_nobody_who_may_not_sign_in(tx):
    noor = await make_person(tx)
    token = await linked(tx, noor)
    await tx.run("update people set active = false where id = %s", (noor.id,))
    assert not await opens(tx, token)

    partners = await make_person(tx, role="partner")
    theirs = await linked(tx, partners)
    assert await opens(tx, theirs)
    await tx.run("update partners set active = false where id = %s", (partners.person.partner_id,))
    assert not await opens(tx, theirs)


async def test_ends_when_its_person_is_disabled(tx):
    noor, other = await make_person(tx), await make_person(tx)
    token, theirs = await linked(tx, noor), await linked(tx, other)

    await disable_person(tx, person_id=noor.id)

    known = "select count(*) from password_links where token_hash = any(%s)"
    assert await tx.value(known, ([hash_key(token), hash_key(theirs)],)) == 1
    assert await opens(tx, theirs)


async def test_of_a_shop_opens_nobody_who_acts_for_another(tx):
    noor, other = await make_person(tx), await make_person(tx)
    token, theirs = await linked(tx, noor), await linked(tx, other)
    await make_member(tx, shop_id=noor.person.shop_id, person_id=noor.id)
    assert await opens(tx, token)

    await make_member(tx, shop_id=(await make_shop(tx)).id, person_id=noor.id)

    assert [await opens(tx, each) for each in (token, theirs)] == [False, True]
