"""What those who manage people see of them..."""

from datetime import timedelta

import pytest

from crossdock.errors import NotFound, Refused
from crossdock.kit.crypto import hash_key
from crossdock.kit.ids import RandomIds
from crossdock.shop.people import (
    add_person,
    browse_people,
    end_session,
    end_sessions,
    has_address_whole,
    has_person_whole,
    list_sessions,
    read_person_of,
    take_person_of,
)
from crossdock.shop.people.sessions import Lifetimes, open_session
from tests.conftest import NOON
from tests.support.factories import make_shop
from tests.support.people import make_person
from tests.support.reselling import make_member

LIVES = Lifetimes(idle=timedelta(minutes=30), longest=timedelta(hours=12))


@pytest.fixture
async def shop(tx):
    return await make_shop(tx)


async def make_reseller(tx, shop, email: str):
    return await add_person(
        tx, shop_id=shop.id, email=email, password_hash="x", now=NOON, is_reseller=True
    )


async def opened(tx, who, *, seen_at=NOON, is_complete: bool = True, at=NOON) -> str:
    """The token of a session that was last used at that moment."""
    token = await open_session(
        tx, principal="staff", person_id=who.id, is_complete=is_complete, lives=LIVES,
        ids=RandomIds(), now=at,
    )  # fmt: skip
    seen = "update sessions set seen_at = %s where token_hash = %s"
    await tx.run(seen, (seen_at, hash_key(token)))
    return token


async def test_is_a_page_of_the_shop_s_people_of_one_kind_by_e_mail(tx, shop):
    for email in ("c@x.example", "A@x.example", "b@x.example"):
        await make_person(tx, shop_id=shop.id, email=f"{shop.slug}-{email}")
    await make_reseller(tx, shop, f"{shop.slug}-r@x.example")
    await make_person(tx)

    async def page(kind="staff", **options):
        found, more = await browse_people(tx, shop_id=shop.id, kind=kind, **options)
        return [person.email.removeprefix(f"{shop.slug}-")[0] for person in found], more

    assert await page() == (["A", "b", "c"], False)
    assert await page(limit=3) == (["A", "b", "c"], False)
    assert await page(limit=2) == (["A", "b"], True)
    assert await page(after=f"{shop.slug}-A@X.EXAMPLE") == (["b", "c"], False)
    assert await page("reseller") == (["r"], False)


async def test_is_nobody_of_another_shop(tx, shop):
    noor = await make_person(tx, shop_id=shop.id)
    await make_person(tx, shop_id=shop.id)
    other = await make_shop(tx)

    assert await read_person_of(tx, shop_id=shop.id, person_id=noor.id) == noor.person
    for wrong in ((other.id, noor.id), (shop.id, 10**12)):
        with pytest.raises(NotFound, match="not_found"):
            await read_person_of(tx, shop_id=wrong[0], person_id=wrong[1])


async def test_may_be_changed_where_the_person_is_the_shop_s_alone(tx, shop):
    noor, piet = [await make_person(tx, shop_id=shop.id) for _ in range(2)]
    reseller = await make_reseller(tx, shop, f"{shop.slug}@x.example")
    other = await make_shop(tx)
    await make_member(tx, shop_id=shop.id, person_id=noor.id)
    await make_member(tx, shop_id=other.id, person_id=piet.id)

    found = [
        await has_person_whole(tx, shop_id=shop_id, person_id=person_id)
        for shop_id, person_id in [
            (shop.id, noor.id), (shop.id, piet.id), (shop.id, reseller.id), (other.id, noor.id),
        ]
    ]  # fmt: skip
    assert found == [True, False, False, False]
    assert await take_person_of(tx, shop_id=shop.id, person_id=noor.id) == noor.person
    for person_id in (piet.id, reseller.id):
        with pytest.raises(Refused, match="permission_denied"):
            await take_person_of(tx, shop_id=shop.id, person_id=person_id)
    with pytest.raises(NotFound, match="not_found"):
        await take_person_of(tx, shop_id=other.id, person_id=noor.id)


async def test_has_an_address_whole_that_is_nobody_s_or_of_its_own(tx, shop):
    noor = await make_person(tx, shop_id=shop.id)
    reseller = await make_reseller(tx, shop, f"{shop.slug}@x.example")
    other = await make_shop(tx)

    found = [
        await has_address_whole(tx, shop_id=shop_id, email=email)
        for shop_id, email in [
            (shop.id, f"nobody-{shop.slug}@x.example"), (shop.id, noor.email.upper()),
            (shop.id, reseller.email), (other.id, noor.email),
        ]
    ]  # fmt: skip
    assert found == [True, True, False, False]


async def test_are_their_live_sessions_the_last_used_one_first(tx, shop):
    noor, piet = [await make_person(tx, shop_id=shop.id) for _ in range(2)]
    now = NOON + timedelta(minutes=30)
    await opened(tx, noor, seen_at=NOON + timedelta(seconds=1))
    await opened(tx, noor, seen_at=NOON + timedelta(seconds=2))
    await opened(tx, noor, seen_at=NOON)  # idle for too long
    await opened(tx, noor, seen_at=now, at=now - LIVES.longest)  # as old as one may be
    await opened(tx, noor, seen_at=now, at=now, is_complete=False)
    await opened(tx, piet, seen_at=now)

    found = await list_sessions(tx, person_id=noor.id, lives=LIVES, now=now)

    assert [each.seen_at - NOON for each in found] == [timedelta(seconds=2), timedelta(seconds=1)]
    assert {(each.created_at, each.expires_at) for each in found} == {(NOON, NOON + LIVES.longest)}


async def test_end_by_their_names_or_all_at_once(tx, shop):
    noor, piet = [await make_person(tx, shop_id=shop.id) for _ in range(2)]
    for who in (noor, noor, noor, piet):
        await opened(tx, who)

    async def names(who):
        return {s.name for s in await list_sessions(tx, person_id=who.id, lives=LIVES, now=NOON)}

    first, *_ = await names(noor)
    assert await end_session(tx, person_id=piet.id, name=first) is False
    assert await end_session(tx, person_id=noor.id, name=first) is True
    assert await end_session(tx, person_id=noor.id, name=first) is False
    assert (len(await names(noor)), first in await names(noor)) == (2, False)
    assert await end_sessions(tx, person_id=noor.id) == 2
    assert (await names(noor), len(await names(piet))) == (set(), 1)
