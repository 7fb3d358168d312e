"""Rotating, revoking and disabling one key at the same moment: the later one waits and then knows."""

import asyncio
from datetime import timedelta

import pytest

from crossdock.errors import Conflict, CrossdockError, NotFound
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import (
    BearerTokens,
    Callers,
    NewCredential,
    add_credential,
    disable_credential,
    purge_expired,
    revoke_old_secrets,
    revoke_secrets,
    rotate_secret,
)
from crossdock.shop.partners.purging import NONCES_KEPT
from tests.conftest import NOON
from tests.support.factories import box, make_partner, make_shop
from tests.support.locks import waiting_for_a_lock

pytestmark = pytest.mark.races

CHANNEL = "toy_tokens"


@pytest.fixture
async def holder(database) -> NewCredential:
    async with database.begin() as tx:
        partner = await make_partner(tx, shop=await make_shop(tx), channel=CHANNEL)
        return await add_credential(
            tx, partner_id=partner.id, ids=RandomIds(), box=box(), proof="bearer", prefix="toy_"
        )


async def rotate(tx, holder):
    return await rotate_secret(
        tx, key=holder.key, ids=RandomIds(), box=box(), now=NOON, overlap_s=3600
    )


async def beside(database, operation, holder, **options):
    """The operation in a transaction of its own."""
    async with database.begin() as tx:
        return await operation(tx, key=holder.key, **options)


async def live(database, holder) -> list[bool]:
    """Of each secret, the oldest first, whether it is not revoked."""
    async with database.statement() as tx:
        rows = await tx.all(
            "select k.revoked_at is null from credential_secrets k"
            " join credentials c on c.id = k.credential_id where c.public_key = %s order by k.id",
            (holder.key,),
        )
    return [row[0] for row in rows]


async def test_of_two_rotations_the_second_waits_and_is_refused(database, holder):
    async with database.begin() as tx:
        await rotate(tx, holder)
        second = asyncio.create_task(
            beside(
                database, rotate_secret, holder, ids=RandomIds(), box=box(), now=NOON, overlap_s=0
            )
        )
        await waiting_for_a_lock(database, behind=tx)

    with pytest.raises(Conflict, match="Two secrets are valid"):
        await second
    assert await live(database, holder) == [True, True]


@pytest.mark.parametrize(
    ("operation", "ended", "left"),
    [(revoke_old_secrets, 1, [False, True]), (revoke_secrets, 2, [False, False])],
)
async def test_a_revocation_waits_for_a_rotation_and_sees_what_it_made(
    database, holder, operation, ended, left
):
    async with database.begin() as tx:
        await rotate(tx, holder)
        revoking = asyncio.create_task(beside(database, operation, holder, now=NOON))
        await waiting_for_a_lock(database, behind=tx)

    assert await revoking == ended
    assert await live(database, holder) == left


async def test_a_rotation_that_waits_for_a_disabling_makes_nothing(database, holder):
    async with database.begin() as tx:
        await disable_credential(tx, key=holder.key, now=NOON)
        rotating = asyncio.create_task(
            beside(
                database, rotate_secret, holder, ids=RandomIds(), box=box(), now=NOON, overlap_s=0
            )
        )
        await waiting_for_a_lock(database, behind=tx)

    with pytest.raises(NotFound):
        await rotating
    assert await live(database, holder) == [True]


async def test_a_call_beside_a_revocation_is_let_in_until_it_is_committed(database, holder, clock):
    """No call waits for it, and none is let in afterwards by a process that knew the token."""
    tokens = BearerTokens(Callers(database, channel=CHANNEL, box=box(), clock=clock), prefix="toy_")

    async def told() -> str:
        try:
            await tokens.verify(token=holder.secret, rate_limit_per_minute=0)
        except CrossdockError as error:
            return error.code
        return ""

    assert await told() == ""
    async with database.begin() as tx:
        await revoke_secrets(tx, key=holder.key, now=clock.now())
        assert await asyncio.wait_for(told(), 10) == ""

    assert await told() == "credential_unknown"


async def test_limited_calls_of_many_processes_are_counted_together(database, holder, clock):
    verifiers = [
        BearerTokens(Callers(database, channel=CHANNEL, box=box(), clock=clock)) for _ in range(3)
    ]
    async with database.begin() as tx:
        await tx.run("update partners set settings = '{}' where id = %s", (holder.partner_id,))

    async def told(tokens: BearerTokens) -> str:
        try:
            await tokens.verify(token=holder.secret, rate_limit_per_minute=20)
        except CrossdockError as error:
            return error.code
        return ""

    answers = await asyncio.gather(*(told(verifiers[n % 3]) for n in range(60)))
    clock.move(timedelta(minutes=1))
    later = await told(verifiers[0])

    assert answers.count("") == 20
    assert answers.count("rate_limited") == 40
    assert later == ""


async def test_a_nonce_that_somebody_spends_again_is_not_purged_and_not_waited_for(
    database, holder
):
    async with database.begin() as tx:
        credential = "select id from credentials where public_key = %s"
        credential_id = await tx.value(credential, (holder.key,))
        await tx.run(
            "insert into nonces (credential_id, nonce, expires_at) values (%(id)s, 'spent again', %(over)s),"
            " (%(id)s, 'over', %(over)s)",
            {"id": credential_id, "over": NOON - NONCES_KEPT - timedelta(seconds=1)},
        )

    async with database.begin() as tx:
        await tx.run(
            "update nonces set expires_at = %s where credential_id = %s and nonce = 'spent again'",
            (NOON + timedelta(seconds=900), credential_id),
        )
        async with database.begin() as purging:  # ends before the other does
            await purge_expired(purging, now=NOON)

    async with database.statement() as tx:
        left = await tx.all("select nonce from nonces where credential_id = %s", (credential_id,))
    assert left == [("spent again",)]
