"""Signing in: who gets a session, what it is worth, and when it ends."""

import asyncio
import statistics
import time
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from structlog.testing import capture_logs

from crossdock.errors import Refused, Unavailable
from crossdock.kit.crypto import hash_key
from crossdock.shop.people import (
    disable_person,
    lifetimes_of,
    purge_people,
    set_password_hash,
    set_role,
)
from tests.support.people import PASSWORD, code_at


async def test_the_right_pair_makes_a_session_whose_token_the_database_does_not_know(
    people, person, source, database
):
    noor = await person()

    made = await people.sign_in(email=noor.email.upper(), password=PASSWORD, source=source)

    assert made is not None
    assert made.is_complete
    assert len(made.token) == 43
    async with database.statement() as tx:
        (row,) = await tx.all(
            "select token_hash, to_jsonb(s)::text from sessions s where principal_id = %s",
            (noor.id,),
        )
    assert row[0] == hash_key(made.token)
    assert made.token not in row[1]
    assert made.token not in repr(made)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (None, "quiet harbour, ten boats"),
        (None, ""),
        (None, "x" * 100_000),
        ("nobody@shop.example", PASSWORD),
        ("", PASSWORD),
        ("not an address", PASSWORD),
        ("nul\x00@shop.example", PASSWORD),
        ("%@shop.example", PASSWORD),
    ],
)
async def test_any_wrong_pair_makes_none(people, person, source, database, email, password):
    noor = await person()

    given = noor.email if email is None else email
    assert await people.sign_in(email=given, password=password, source=source) is None
    async with database.statement() as tx:
        assert (
            await tx.value("select count(*) from sessions where principal_id = %s", (noor.id,)) == 0
        )


async def test_a_disabled_person_is_answered_like_a_wrong_password(
    people, person, source, database
):
    noor = await person()
    async with database.begin() as tx:
        await disable_person(tx, person_id=noor.id)

    assert await people.sign_in(email=noor.email, password=PASSWORD, source=source) is None


@pytest.mark.slow
async def test_an_unknown_e_mail_takes_as_long_as_a_wrong_password(people, person, database):
    known = [await person() for _ in range(7)]
    await people.sign_in(email="warm@shop.example", password="up", source="warm")

    async def took(email: str, number: int) -> float:
        started = time.perf_counter()
        await people.sign_in(email=email, password="no such boats here", source=f"t{number}")
        return time.perf_counter() - started

    pairs = [
        (await took(who.email, n), await took(f"nobody-{who.id}@shop.example", n + 100))
        for n, who in enumerate(known)
    ]

    ratio = statistics.median(unknown / right for right, unknown in pairs)
    assert 0.5 < ratio < 2, pairs


async def test_an_outdated_hash_is_made_anew_at_the_next_sign_in(people, person, source, database):
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    noor = await person(hashed=weak)

    assert await people.sign_in(email=noor.email, password=PASSWORD, source=source)

    async with database.statement() as tx:
        kept = await tx.value("select password_hash from people where id = %s", (noor.id,))
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await people.sign_in(email=noor.email, password=PASSWORD, source=source)


async def test_a_password_that_is_reset_while_it_is_checked_opens_nothing(
    people, person, source, database, monkeypatch
):
    noor = await person()
    hasher = people._means.hasher
    verify = hasher.verify

    async def slowly(password, *, known):
        answer = await verify(password, known=known)
        async with database.begin() as tx:
            await set_password_hash(tx, person_id=noor.id, password_hash="another")
        return answer

    monkeypatch.setattr(hasher, "verify", slowly)

    assert await people.sign_in(email=noor.email, password=PASSWORD, source=source) is None
    async with database.statement() as tx:
        assert (
            await tx.value("select count(*) from sessions where principal_id = %s", (noor.id,)) == 0
        )
        kept = await tx.value("select password_hash from people where id = %s", (noor.id,))
    assert kept == "another"


async def test_a_session_ends_though_a_page_left_open_asks(people, person, clock, sign_in):
    token = await sign_in(await person())

    for _ in range(3):
        clock.move(timedelta(minutes=19))
        assert await people.admit(token=token, is_used=False)
    clock.move(timedelta(minutes=3))

    assert await people.admit(token=token, is_used=False) is None


async def test_a_session_ends_after_an_idle_hour(people, person, clock, sign_in):
    token = await sign_in(await person())

    for _ in range(3):
        clock.move(timedelta(minutes=59))
        assert await people.visit(token=token)
    clock.move(timedelta(minutes=60))

    assert await people.visit(token=token) is None


async def test_a_session_ends_after_twelve_hours_however_busy(people, person, clock, sign_in):
    token = await sign_in(await person())

    for _ in range(23):
        clock.move(timedelta(minutes=30))
        assert await people.visit(token=token)
    clock.move(timedelta(minutes=30))

    assert await people.visit(token=token) is None


async def test_signing_out_ends_the_session_on_the_server(people, person, sign_in):
    noor = await person()
    token, elsewhere = await sign_in(noor), await sign_in(noor)

    await people.sign_out(token=token)

    assert await people.visit(token=token) is None
    assert await people.visit(token=elsewhere)


async def test_disabling_ends_every_session_at_once(people, person, sign_in, database):
    noor = await person()
    first, second = await sign_in(noor), await sign_in(noor)

    async with database.begin() as tx:
        await disable_person(tx, person_id=noor.id)

    assert await people.visit(token=first) is None
    assert await people.visit(token=second) is None


async def test_a_new_sign_in_ends_the_session_the_browser_held(people, person, source, sign_in):
    noor = await person()
    old = await sign_in(noor)

    made = await people.sign_in(email=noor.email, password=PASSWORD, source=source, replaces=old)

    assert made is not None
    assert made.token != old
    assert await people.visit(token=old) is None


@pytest.mark.parametrize(
    "token", ["", "short", "A" * 43, "A" * 44, "' or 1=1 --", "é" * 43, "\x00" * 43]
)
async def test_no_other_text_opens_a_session(people, token):
    assert await people.visit(token=token) is None
    assert await people.admit(token=token) is None


async def test_a_role_opens_what_it_permits_and_nothing_else(people, person, sign_in, database):
    noor = await person(role="viewer")
    token = await sign_in(noor)

    visit = await people.admit(token=token, right="orders.read")
    with pytest.raises(Refused, match="viewer") as caught:
        await people.admit(token=token, right="labels.print")
    async with database.begin() as tx:
        await set_role(tx, person_id=noor.id, role="warehouse")
    later = await people.admit(token=token, right="labels.print")

    assert visit.person.email == noor.email
    assert caught.value.code == "permission_denied"
    assert later.person.role == "warehouse"


async def test_a_form_of_another_session_is_refused(people, person, sign_in):
    mine = await people.visit(token=await sign_in(await person()))
    theirs = await people.visit(token=await sign_in(await person()))

    people.check_form(mine, form_token=mine.form_token)
    for given in (theirs.form_token, "", mine.form_token[:-1], "é" * 43):
        with pytest.raises(Refused, match="too old"):
            people.check_form(mine, form_token=given)


async def test_with_a_second_step_the_password_alone_opens_nothing(people, person, source, clock):
    noor = await person(with_totp=True)

    made = await people.sign_in(email=noor.email, password=PASSWORD, source=source)
    token = made.token

    assert not made.is_complete
    assert await people.admit(token=token) is None
    clock.move(timedelta(minutes=10))
    assert await people.visit(token=token) is None


async def test_the_code_completes_the_session_under_a_new_token(people, person, source, clock):
    noor = await person(with_totp=True)
    made = await people.sign_in(email=noor.email, password=PASSWORD, source=source)
    old = made.token
    visit = await people.visit(token=old)

    code = code_at(clock.now().timestamp())
    done = await people.enter_code(visit, code=f" {code[:3]} {code[3:]}", source=source)

    assert done is not None
    assert done.token != made.token
    assert await people.visit(token=old) is None
    now = await people.visit(token=done.token)
    assert now.is_complete
    assert now.form_token != visit.form_token


async def test_purging_forgets_what_ended_and_keeps_what_lives(
    people, person, sign_in, clock, settings, database
):
    noor = await person()
    old = await sign_in(noor)
    await people.sign_in(email="purged@shop.example", password="x", source="purged")
    clock.move(timedelta(minutes=59))
    young = await sign_in(noor)
    clock.move(timedelta(minutes=2))

    async with database.begin() as tx:
        await purge_people(tx, lives=lifetimes_of(settings.people), now=clock.now())
        left = await tx.all("select token_hash from sessions where principal_id = %s", (noor.id,))
    assert left == [(hash_key(young),)]
    assert await people.visit(token=old) is None
    assert await people.visit(token=young)

    async with database.begin() as tx:
        await purge_people(
            tx, lives=lifetimes_of(settings.people), now=clock.now() + timedelta(days=1, hours=1)
        )
        assert await tx.value("select count(*) from sign_in_attempts where last_at < %s",
                              (clock.now(),)) == 0  # fmt: skip


async def test_a_parallel_storm_of_guesses_gets_five_free_ones(people, person, source):
    noor = await person()

    async def guess(number: int) -> object:
        try:
            return await people.sign_in(
                email=noor.email, password=f"storm of boats {number}", source=source
            )
        except Unavailable as held:
            return held.code

    answers = await asyncio.gather(*(guess(n) for n in range(12)))

    assert answers.count(None) == 5
    assert answers.count("rate_limited") == 7


async def test_a_sign_in_that_is_held_back_is_noted_as_that_and_no_other_failure_is(
    people, person, source, database
):
    noor = await person()

    async def guess() -> None:
        await people.sign_in(email=noor.email, password="no such boats here", source=source)

    for _ in range(5):
        await guess()
    with capture_logs() as held, pytest.raises(Unavailable, match="Too many attempts"):
        await guess()
    await database.close()
    with capture_logs() as other, pytest.raises(Unavailable, match="database_unavailable"):
        await guess()

    assert [(log["event"], log["source"]) for log in held] == [("sign-in held back", source)]
    assert other == []
