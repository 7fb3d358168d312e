"""After a change of the master key, sealing second-step secrets again..."""

import pytest

from crossdock.kit.crypto import SealBroken, SecretBox
from crossdock.shop.people import reseal_totp
from crossdock.shop.people.factors import set_totp, spend_totp, totp_place
from tests.support.factories import MASTER_KEY
from tests.support.people import TOTP_SECRET, code_at, make_person

NEW, LOST = b"n" * 32, b"l" * 32


async def _sealed(tx, who) -> bytes:
    return bytes(await tx.value("select totp_sealed from people where id = %s", (who.id,)))


async def test_makes_them_good_without_the_old_key(tx, clock):
    noor, without = await make_person(tx, with_totp=True), await make_person(tx)

    made = await reseal_totp(tx, box=SecretBox(NEW, older=[MASTER_KEY]))

    assert made.sealed >= 1
    with pytest.raises(SealBroken):
        SecretBox(MASTER_KEY).open(await _sealed(tx, noor), place=totp_place(noor.id))
    assert await spend_totp(
        tx, person_id=noor.id, code=code_at(clock.now().timestamp()), box=SecretBox(NEW), now=clock.now()
    )  # fmt: skip
    assert await tx.value("select totp_sealed from people where id = %s", (without.id,)) is None


async def test_a_second_time_finds_nothing_to_do(tx):
    noor = await make_person(tx, with_totp=True)
    box = SecretBox(NEW, older=[MASTER_KEY])
    await reseal_totp(tx, box=box)
    before = await _sealed(tx, noor)

    assert (await reseal_totp(tx, box=box)).sealed == 0
    assert await _sealed(tx, noor) == before


async def test_spends_no_code_and_frees_none(tx, clock):
    noor = await make_person(tx, with_totp=True)
    code, now = code_at(clock.now().timestamp()), clock.now()
    box = SecretBox(NEW, older=[MASTER_KEY])
    assert await spend_totp(tx, person_id=noor.id, code=code, box=box, now=now)

    await reseal_totp(tx, box=box)

    assert not await spend_totp(tx, person_id=noor.id, code=code, box=box, now=now)


async def test_leaves_what_no_known_key_opens_and_names_the_person(tx):
    noor, other = await make_person(tx, with_totp=True), await make_person(tx, with_totp=True)
    await set_totp(tx, person_id=other.id, secret=TOTP_SECRET, step=0, box=SecretBox(LOST))
    before = await _sealed(tx, other)

    made = await reseal_totp(tx, box=SecretBox(NEW, older=[MASTER_KEY]))

    assert other.id in made.unreadable
    assert noor.id not in made.unreadable
    assert await _sealed(tx, other) == before
    assert (
        SecretBox(NEW).open(await _sealed(tx, noor), place=totp_place(noor.id)).decode()
        == TOTP_SECRET
    )
