"""A token that was given for name and password..."""

from datetime import timedelta

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError
from crossdock.kit.clock import FrozenClock
from crossdock.kit.crypto import hash_key
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import (
    AccessTokens,
    BearerTokens,
    Callers,
    NewCredential,
    Passwords,
    Terms,
    disable_credential,
    purge_expired,
    revoke_secrets,
    rotate_secret,
    set_terms,
)
from crossdock.shop.partners.access import LIVE_MAX
from tests.support.factories import box

DAY_S = 86_400


def _opened(database: Database, clock: FrozenClock, *, channel: str = "toy_tokens") -> AccessTokens:
    callers = Callers(database, channel=channel, box=box(), clock=clock)
    passwords = Passwords(callers, free_failures=2, longest_wait_s=60)
    return AccessTokens(callers, passwords=passwords, ids=RandomIds(), ttl_s=DAY_S)


@pytest.fixture
def tokens(database: Database, clock: FrozenClock) -> AccessTokens:
    return _opened(database, clock)


async def _issued(tokens: AccessTokens, user: NewCredential) -> str:
    given = await tokens.issue(name=user.key, password=user.secret, rate_limit_per_minute=0)
    return given.token


async def _told(tokens: AccessTokens, token: str, *, limit: int = 0) -> str:
    """'' or the code of the refusal."""
    try:
        await tokens.verify(token=token, rate_limit_per_minute=limit)
    except CrossdockError as error:
        return error.code
    return ""


async def test_is_good_for_a_day_and_not_a_second_longer(tokens, user, clock) -> None:
    given = await tokens.issue(name=user.key, password=user.secret, rate_limit_per_minute=0)
    assert given.expires_at == clock.now() + timedelta(days=1)

    clock.move(timedelta(seconds=DAY_S - 1))
    credential = await tokens.verify(token=given.token, rate_limit_per_minute=0)
    assert (credential.public_key, credential.partner.id) == (user.key, user.partner_id)
    clock.move(timedelta(seconds=1))
    assert await _told(tokens, given.token) == "credential_unknown"


async def test_is_unknown_while_its_partner_is_switched_off(tokens, user, database) -> None:
    token = await _issued(tokens, user)
    told = []

    for active in (True, False, True):
        async with database.begin() as tx:
            await set_terms(tx, partner_id=user.partner_id, terms=Terms(active=active))
        told.append(await _told(tokens, token))

    assert told == ["", "credential_unknown", ""]


async def test_is_stored_as_a_hash_alone_and_deleted_when_it_has_ended(
    tokens, user, database, clock
) -> None:
    token = await _issued(tokens, user)
    count = "select count(*) from access_tokens where token_hash = %s"

    async with database.begin() as tx:
        row = await tx.value(
            "select row_to_json(t)::text from access_tokens t where token_hash = %s",
            (hash_key(token),),
        )
        assert token not in row
        await purge_expired(tx, now=clock.now())
        assert await tx.value(count, (hash_key(token),)) == 1
        await tx.run("update access_tokens set expires_at = now() - interval '1 second'")
        await purge_expired(tx, now=clock.now() + timedelta(days=20_000))
        assert await tx.value(count, (hash_key(token),)) == 0


async def test_is_not_given_for_a_wrong_pair_and_wrong_pairs_have_to_wait(tokens, user) -> None:
    codes = []
    for password in ("wrong", "wronger", user.secret):
        try:
            await tokens.issue(name=user.key, password=password, rate_limit_per_minute=0)
        except CrossdockError as error:
            codes.append(error.code)

    assert codes == ["credential_unknown", "credential_unknown", "rate_limited"]


async def test_counts_its_calls(tokens, user) -> None:
    token = await _issued(tokens, user)

    answers = [await _told(tokens, token, limit=3) for _ in range(4)]

    assert answers == ["", "", "", "rate_limited"]


async def test_ends_with_its_password_or_its_credential(tokens, user, database, clock) -> None:
    token = await _issued(tokens, user)
    async with database.begin() as tx:
        await rotate_secret(
            tx, key=user.key, ids=RandomIds(), box=box(), now=clock.now(), overlap_s=60
        )
    assert await _told(tokens, token) == ""  # both passwords are good for a while

    async with database.begin() as tx:
        await disable_credential(tx, key=user.key, now=clock.now())
    assert await _told(tokens, token) == "credential_unknown"


async def test_ends_when_passwords_are_revoked(tokens, user, database, clock) -> None:
    token = await _issued(tokens, user)
    assert await _told(tokens, token) == ""

    async with database.begin() as tx:
        await revoke_secrets(tx, key=user.key, now=clock.now())

    assert await _told(tokens, token) == "credential_unknown"


async def test_is_no_bearer_token_and_a_bearer_token_is_none(
    tokens, user, holder, database, clock
) -> None:
    token = await _issued(tokens, user)
    bearers = BearerTokens(Callers(database, channel="toy_tokens", box=box(), clock=clock))

    with pytest.raises(CrossdockError, match="credential_unknown"):
        await bearers.verify(token=token, rate_limit_per_minute=0)

    for wrong in (holder.secret, "", "x" * 32, "ü" * 32, token[:-1]):
        assert await _told(tokens, wrong) == "credential_unknown"


async def test_is_of_its_own_channel(tokens, user, database, clock) -> None:
    token = await _issued(tokens, user)

    assert await _told(_opened(database, clock, channel="toy_viewers"), token) == (
        "credential_unknown"
    )


async def test_ends_when_too_many_were_given_after_it(tokens, user, database, clock) -> None:
    first = await _issued(tokens, user)
    async with database.begin() as tx:
        credential = "select id from credentials where public_key = %s"
        await tx.run(
            "insert into access_tokens (token_hash, credential_id, issued_at, expires_at)"
            f" select int4send(n), ({credential}), %s, %s from generate_series(1, %s) n",
            (user.key, clock.now() + timedelta(seconds=1), clock.now() + timedelta(days=1),
             LIVE_MAX - 2),
        )  # fmt: skip
    clock.move(timedelta(seconds=2))

    second = await _issued(tokens, user)
    assert (await _told(tokens, first), await _told(tokens, second)) == ("", "")
    await _issued(tokens, user)
    for each in (tokens, _opened(database, clock)):  # also where it is cached
        assert (await _told(each, first), await _told(each, second)) == ("credential_unknown", "")
