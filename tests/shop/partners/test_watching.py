"""Calls of a watched partner are kept, the last ones; those of others cost nothing more than before."""

import hashlib
import hmac
from datetime import timedelta

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Invalid, NotFound, Refused
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import (
    ACCEPTED,
    CALLS_KEPT,
    BearerTokens,
    Callers,
    Calls,
    KeptCall,
    Signatures,
    add_credential,
    disable_credential,
    hear,
    list_calls,
    list_partners,
    purge_expired,
    revoke_secrets,
    watch_partner,
)
from tests.support.factories import box, make_partner, make_shop

CHANNEL = "toy_tokens"


@pytest.fixture
async def partner(database: Database):
    async with database.begin() as tx:
        return await make_partner(tx, shop=await make_shop(tx), channel=CHANNEL)


@pytest.fixture
def signatures(database, clock) -> Signatures:
    return Signatures(Callers(database, channel=CHANNEL, box=box(), clock=clock))


@pytest.fixture
def watch(database, clock):
    async def set_to(partner_id: int, hours: int = 1) -> None:
        async with database.begin() as tx:
            await watch_partner(tx, partner_id=partner_id, hours=hours, now=clock.now())

    return set_to


def made_with(secret: str, nonce: str, *, message: bytes = b"m"):
    def sign(key: bytes) -> str:
        return hmac.new(key, b"m", hashlib.sha256).hexdigest()

    return {
        "sign": sign,
        "signature": hmac.new(secret.encode(), message, hashlib.sha256).hexdigest(),
        "nonce": nonce,
        "nonce_ttl_s": 900,
        "rate_limit_per_minute": 60,
    }


async def test_a_call_is_heard_from_the_moment_its_partner_is_watched_until_that_is_over(
    partner, signatures, watch, clock
):
    async def heard(nonce: str):
        listening = hear()
        await signatures.verify(public_key=partner.key, **made_with(partner.secret, nonce))
        return listening.partner, listening.verdict

    nobody, one = (None, ""), ((partner.shop_id, partner.id), ACCEPTED)
    assert await heard("1") == nobody
    await watch(partner.id)
    assert await heard("2") == one
    clock.move(timedelta(hours=1))
    assert await heard("3") == nobody
    await watch(partner.id, 4)
    assert await heard("4") == one
    await watch(partner.id, 0)
    assert await heard("5") == nobody


async def test_a_refused_call_is_heard_with_the_mistake_that_explains_it(
    partner, signatures, watch
):
    def mistakes():
        def sign(key: bytes) -> str:
            return hmac.new(key, b"m\n", hashlib.sha256).hexdigest()

        return [("It ends with a newline.", sign)]

    await watch(partner.id)
    told = []
    for secret, message in ((partner.secret, b"m\n"), ("sk_another", b"m")):
        listening = hear()
        with pytest.raises(Refused):
            await signatures.verify(
                public_key=partner.key,
                mistakes=mistakes,
                **made_with(secret, "1", message=message),
            )
        told.append((listening.partner, listening.verdict, listening.mistake))

    assert told == [
        ((partner.shop_id, partner.id), "credential_signature", "It ends with a newline."),
        ((partner.shop_id, partner.id), "credential_signature", ""),
    ]


async def test_a_token_that_ended_is_told_apart_from_one_that_never_was(
    database, partner, watch, clock
):
    async with database.begin() as tx:
        given = await add_credential(
            tx, partner_id=partner.id, ids=RandomIds(), box=box(), proof="bearer"
        )
    await watch(partner.id)
    tokens = BearerTokens(Callers(database, channel=CHANNEL, box=box(), clock=clock))

    async def heard(token: str):
        listening = hear()
        with pytest.raises(Refused):
            await tokens.verify(token=token, rate_limit_per_minute=60)
        return listening.partner, listening.verdict

    assert await heard("a-token-that-nobody-has") == (None, "")
    for end, verdict in ((disable_credential, "key_off"), (revoke_secrets, "key_off")):
        async with database.begin() as tx:
            await end(tx, key=given.key, channel=CHANNEL, now=clock.now())
        assert await heard(given.secret) == ((partner.shop_id, partner.id), verdict)
    async with database.begin() as tx:
        await tx.run(
            "update credentials set disabled_at = null where public_key = %s", (given.key,)
        )
    assert await heard(given.secret) == ((partner.shop_id, partner.id), "secret_revoked")


async def test_refused_calls_ask_once_a_second_whether_anybody_is_watched(
    database_url, partner, clock
):
    seen: list[str] = []

    async def note(query: str) -> None:
        seen.append(" ".join(query.split()[:3]))

    pool = Database(database_url, min_size=1, max_size=2, hook=note)
    await pool.open()
    callers = Callers(pool, channel="nobody_is_watched_here", box=box(), clock=clock)
    tokens = BearerTokens(callers)

    async def refused() -> int:
        seen.clear()
        hear()
        with pytest.raises(Refused):
            await tokens.verify(token="a-token-that-nobody-has", rate_limit_per_minute=60)
        return sum(each == "select exists (select" for each in seen)

    assert [await refused(), await refused()] == [1, 0]
    clock.move(timedelta(seconds=1))
    assert await refused() == 1
    await pool.close()


def call(number: int, clock) -> KeptCall:
    return KeptCall(
        called_at=clock.now(), request_id=f"request-{number}", method="GET", path="/", status=200,
        request_head={}, request_body="", answer_head={"a": "b"}, answer_body="{}", took_ms=1,
        verdict=ACCEPTED, mistake="",
    )  # fmt: skip


async def test_the_last_calls_are_kept_for_a_week(database, partner, watch, signatures, clock):
    await watch(partner.id)
    heard = hear()
    await signatures.verify(public_key=partner.key, **made_with(partner.secret, "1"))
    kept = Calls(database)
    for number in range(CALLS_KEPT + 3):
        await kept.keep(heard, call(number, clock))

    async def listed():
        async with database.statement() as tx:
            return await list_calls(tx, shop_id=partner.shop_id, partner_id=partner.id)

    found = await listed()
    assert [each.request_id for each in found] == [
        f"request-{number}" for number in range(CALLS_KEPT + 2, 2, -1)
    ]
    assert found[0].answer_head == {"a": "b"}
    clock.move(timedelta(days=7, seconds=1))
    async with database.begin() as tx:
        await purge_expired(tx, now=clock.now())
    assert await listed() == []


async def test_nobody_is_watched_for_more_than_a_day(database, partner, clock):
    for partner_id, hours, error in (
        (partner.id, 25, Invalid),
        (partner.id, -1, Invalid),
        (0, 1, NotFound),
    ):
        with pytest.raises(error):
            async with database.begin() as tx:
                await watch_partner(tx, partner_id=partner_id, hours=hours, now=clock.now())
    async with database.statement() as tx:
        (found,) = await list_partners(tx, partner_id=partner.id)
    assert found.watched_until is None
