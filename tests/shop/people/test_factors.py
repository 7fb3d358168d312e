"""The second step: codes once each, a window of one step, recovery codes once each."""

import asyncio
from datetime import timedelta

import pyotp
import pytest

from crossdock.errors import Invalid, Unavailable
from crossdock.shop.people.factors import spend_recovery_code, spend_totp
from tests.support.factories import box
from tests.support.people import PASSWORD, TOTP_SECRET, code_at


@pytest.fixture
def spend(database, clock):
    """Spend a code of the app."""

    async def run(who, code):
        async with database.begin() as tx:
            return await spend_totp(tx, person_id=who.id, code=code, box=box(), now=clock.now())

    return run


@pytest.mark.parametrize(
    ("offset_s", "is_right"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
async def test_a_code_is_good_one_step_around_its_time(person, spend, clock, offset_s, is_right):
    noor = await person(with_totp=True)

    assert await spend(noor, code_at(clock.now().timestamp() + offset_s)) is is_right


async def test_a_code_is_good_once_and_makes_the_older_ones_bad(person, spend, clock):
    noor = await person(with_totp=True)
    now = clock.now().timestamp()

    assert await spend(noor, code_at(now))
    assert not await spend(noor, code_at(now))
    assert not await spend(noor, code_at(now - 30))
    assert await spend(noor, code_at(now + 30))


async def test_a_code_sent_twenty_times_at_once_is_good_once(person, spend, clock):
    noor = await person(with_totp=True)
    code = code_at(clock.now().timestamp())

    answers = await asyncio.gather(*(spend(noor, code) for _ in range(20)))

    assert answers.count(True) == 1


async def test_the_secret_is_sealed_for_its_person(person, database):
    noor, other = await person(with_totp=True), await person(with_totp=True)

    async with database.begin() as tx:
        sealed = await tx.value("select totp_sealed from people where id = %s", (noor.id,))
    assert TOTP_SECRET.encode() not in sealed
    with pytest.raises(Exception, match="no known master key"):
        box().open(sealed, place=f"totp:{other.id}")


async def test_a_recovery_code_is_good_once_and_for_its_person_alone(person, database, clock):
    noor, other = await person(with_totp=True), await person(with_totp=True)
    code = noor.recovery_codes[3].replace("-", "")

    async def spend(who):
        async with database.begin() as tx:
            return await spend_recovery_code(tx, person_id=who.id, code=code, now=clock.now())

    assert len(set(noor.recovery_codes)) == 10
    assert not await spend(other)
    assert await spend(noor)
    assert not await spend(noor)


async def test_a_recovery_code_signs_in_as_typed(people, person, source):
    noor = await person(with_totp=True)
    made = await people.sign_in(email=noor.email, password=PASSWORD, source=source)
    visit = await people.visit(token=made.token)

    done = await people.enter_code(visit, code=f" {noor.recovery_codes[0].upper()} ", source=source)

    again = await people.visit(token=done.token)
    assert again.person.recovery_codes_left == 9


async def test_guessing_codes_is_slowed_and_a_fresh_password_does_not_help(people, person, source):
    noor = await person(with_totp=True)
    for number in range(5):
        made = await people.sign_in(email=noor.email, password=PASSWORD, source=source)
        visit = await people.visit(token=made.token)
        assert await people.enter_code(visit, code=f"00000{number}", source=source) is None

    made = await people.sign_in(email=noor.email, password=PASSWORD, source=source)
    visit = await people.visit(token=made.token)
    with pytest.raises(Unavailable, match="Try again in 4 seconds"):
        await people.enter_code(visit, code="000009", source=source)


async def test_turning_it_on_takes_the_password_and_a_code_of_the_offered_secret(
    people, person, sign_in, source, clock
):
    token = await sign_in(await person())
    visit = await people.visit(token=token)
    offer = people.account.offer_totp(visit)
    code = pyotp.TOTP(offer.enrolment.secret).at(int(clock.now().timestamp()))

    async def turn_on(**changed):
        values = {"sealed": offer.sealed, "code": code, "password": PASSWORD, **changed}
        return await people.account.turn_on_totp(visit, source=source, **values)

    with pytest.raises(Invalid, match="present password"):
        await turn_on(password="another password")
    with pytest.raises(Invalid, match="not the code"):
        await turn_on(code="000000")
    with pytest.raises(Invalid, match="too old"):
        await turn_on(sealed=offer.sealed[:-8] + "AAAAAAA=")
    with pytest.raises(Invalid, match="too old"):
        await turn_on(sealed="")
    assert not (await people.visit(token=token)).person.has_totp
    codes = await turn_on()
    assert len(codes) == 10
    assert (await people.visit(token=token)).person.has_totp


async def test_an_offer_is_for_one_person_and_one_hour(people, person, sign_in, clock):
    mine = await people.visit(token=await sign_in(await person()))
    theirs = await people.visit(token=await sign_in(await person()))
    offer = people.account.offer_totp(mine)

    assert people.account.offer_totp(mine, again=offer.sealed) == offer
    assert people.account.offer_totp(theirs, again=offer.sealed).sealed != offer.sealed
    clock.move(timedelta(hours=1))
    assert people.account.offer_totp(mine, again=offer.sealed).sealed != offer.sealed


async def test_turning_it_off_takes_the_password_and_voids_the_recovery_codes(
    people, person, database, source
):
    noor = await person(with_totp=True)
    made = await people.sign_in(email=noor.email, password=PASSWORD, source=source)
    visit = await people.visit(token=made.token)

    with pytest.raises(Invalid, match="present password"):
        await people.account.turn_off_totp(visit, password="another password", source=source)
    await people.account.turn_off_totp(visit, password=PASSWORD, source=source)

    async with database.statement() as tx:
        left = await tx.value(
            "select count(*) from recovery_codes where person_id = %s", (noor.id,)
        )
    assert left == 0
    assert (await people.sign_in(email=noor.email, password=PASSWORD, source=source)).is_complete


async def test_new_recovery_codes_replace_the_old_ones_and_need_a_second_step(
    people, person, sign_in, source
):
    plain = await people.visit(token=await sign_in(await person()))
    noor = await person(with_totp=True)
    made = await people.sign_in(email=noor.email, password=PASSWORD, source=source)
    visit = await people.visit(token=made.token)

    with pytest.raises(Invalid, match="Turn on the second step first"):
        await people.account.new_recovery_codes(plain, password=PASSWORD, source=source)
    with pytest.raises(Invalid, match="present password"):
        await people.account.new_recovery_codes(visit, password="another one", source=source)
    codes = await people.account.new_recovery_codes(visit, password=PASSWORD, source=source)

    assert len(set(codes)) == 10
    assert not set(codes) & set(noor.recovery_codes)
    assert await people.enter_code(visit, code=noor.recovery_codes[0], source=source) is None
    assert await people.enter_code(visit, code=codes[9], source=source)
