"""Tokens and passwords over a real socket: who gets in, how often, and for how long."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from crossdock.kit.crypto import hash_key
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import (
    Terms,
    disable_credential,
    enable_credential,
    list_partners,
    revoke_old_secrets,
    revoke_secrets,
    rotate_secret,
    set_terms,
)
from tests.support.factories import box

OVERLAP_S = 60


@pytest.fixture(params=["bearer", "password"])
def proven(request, caller, holder, user):
    """(credential, call with this secret) of either kind."""
    if request.param == "bearer":
        return holder, caller.by_token

    async def call(secret: str):
        return await caller.by_password(user.key, secret)

    return user, call


async def change(database, operation, credential, **options):
    async with database.begin() as tx:
        return await operation(tx, key=credential.key, channel="toy_tokens", **options)


async def rotated(database, credential, clock):
    return await change(
        database, rotate_secret, credential, ids=RandomIds(), box=box(), now=clock.now(),
        overlap_s=OVERLAP_S,
    )  # fmt: skip


async def test_the_right_secret_tells_who_called(proven):
    credential, call = proven

    reply = await call(credential.secret)

    assert reply.status_code == 200
    assert reply.json() == {"partner": credential.partner_id, "key": credential.key}


async def test_the_scheme_of_a_token_is_written_as_one_likes(caller, holder):
    assert (await caller.by_token(holder.secret, scheme="bearer")).status_code == 200


@pytest.mark.parametrize(
    "token",
    [
        "",
        "toy_",
        "toy_short",
        "toy_" + "A" * 32,
        "shr_" + "A" * 32,
        "toy_" + "A" * 300,
        "toy_ä" * 9,
    ],
)
async def test_no_other_text_is_a_token(caller, holder, token):
    reply = await caller.by_token(token)

    assert (reply.status_code, reply.json()["code"]) == (401, "credential_unknown")


async def test_a_token_is_no_token_of_another_channel(caller, holder, add_caller):
    viewer = await add_caller("toy_viewers", proof="bearer", is_number=True)

    foreign = await caller.by_viewer(holder.secret, viewer.key)
    unknown = await caller.by_viewer("toy_" + "A" * 32, viewer.key)

    assert foreign.status_code == unknown.status_code == 401
    assert foreign.content == unknown.content


async def test_a_pair_of_token_and_number_must_fit(caller, add_caller):
    one, two = [await add_caller("toy_viewers", proof="bearer", is_number=True) for _ in range(2)]

    assert (await caller.by_viewer(one.secret, one.key)).status_code == 200
    assert (await caller.by_viewer(one.secret, two.key)).status_code == 403
    assert (await caller.by_viewer(one.secret, "")).status_code == 403
    assert (await caller.by_viewer("A" * 32, one.key)).status_code == 401
    assert (await caller.by_viewer("", one.key)).status_code == 401


async def test_a_foreign_secret_or_name_answers_like_an_unknown_one(caller, user, add_caller):
    """One more row of the tenants' matrix: what is somebody else's does not exist."""
    other = await add_caller("toy_tokens", proof="password")

    foreign = await caller.by_password(user.key, other.secret)
    unknown = await caller.by_password("user_nobody", other.secret)
    empty = await caller.by_password("", "")

    assert foreign.status_code == unknown.status_code == empty.status_code == 401
    assert foreign.content == unknown.content == empty.content


async def test_the_hash_of_a_token_signs_nothing_and_opens_nothing(caller, holder, user):
    kept = hash_key(holder.secret).hex()

    assert (await caller.by_token(f"toy_{kept}")).status_code == 401
    assert (await caller.by_password(holder.key, holder.secret)).status_code == 401
    assert (await caller.by_token(user.secret)).status_code == 401


async def test_both_secrets_are_good_until_the_overlap_is_over(proven, database, clock):
    credential, call = proven
    assert (await call(credential.secret)).status_code == 200

    fresh = await rotated(database, credential, clock)

    assert (await call(fresh.secret)).status_code == 200
    clock.move(timedelta(seconds=OVERLAP_S - 1))
    assert (await call(credential.secret)).status_code == 200
    clock.move(timedelta(seconds=1))
    assert (await call(credential.secret)).status_code == 401
    assert (await call(fresh.secret)).status_code == 200


async def test_what_is_revoked_is_refused_at_the_next_call(proven, database, clock):
    credential, call = proven
    fresh = await rotated(database, credential, clock)
    assert (await call(credential.secret)).status_code == 200

    assert await change(database, revoke_old_secrets, credential, now=clock.now()) == 1

    assert (await call(credential.secret)).status_code == 401
    assert (await call(fresh.secret)).status_code == 200
    assert await change(database, revoke_secrets, credential, now=clock.now()) == 1
    assert (await call(fresh.secret)).status_code == 401
    assert (await call((await rotated(database, credential, clock)).secret)).status_code == 200


async def test_disabling_counts_at_the_next_call_and_can_be_undone(proven, database, clock):
    credential, call = proven
    assert (await call(credential.secret)).status_code == 200

    await change(database, disable_credential, credential, now=clock.now())
    assert (await call(credential.secret)).status_code == 401
    await change(database, enable_credential, credential)
    assert (await call(credential.secret)).status_code == 200
    async with database.begin() as tx:
        await set_terms(tx, partner_id=credential.partner_id, terms=Terms(active=False))

    assert (await call(credential.secret)).status_code == 401


async def test_calls_are_limited_in_a_minute(proven, database, clock):
    credential, call = proven
    async with database.begin() as tx:
        limited = Terms(settings={"rate_limit_per_minute": 2})
        await set_terms(tx, partner_id=credential.partner_id, terms=limited)

    replies = [await call(credential.secret) for _ in range(3)]

    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert replies[2].headers["retry-after"] == "60"
    assert replies[2].json()["code"] == "rate_limited"
    clock.move(timedelta(minutes=1))
    assert (await call(credential.secret)).status_code == 200


async def test_the_last_use_is_kept_of_each_secret(proven, database, clock):
    credential, call = proven
    await call(credential.secret)
    first = clock.now()
    fresh = await rotated(database, credential, clock)
    clock.move(timedelta(minutes=5))
    await call(fresh.secret)

    async with database.statement() as tx:
        (partner,) = await list_partners(tx, partner_id=credential.partner_id)
    (shown,) = partner.credentials
    assert [secret.last_used_at for secret in shown.secrets] == [first, clock.now()]
    assert shown.last_used_at == clock.now()


async def test_neither_kind_of_secret_is_in_the_database_or_in_what_is_printed(
    proven, database, clock
):
    credential, call = proven
    fresh = await rotated(database, credential, clock)
    await call(credential.secret)

    async with database.statement() as tx:
        kept = await tx.value(
            "select string_agg(k::text || c::text || p::text, ' ') from credential_secrets k"
            " join credentials c on c.id = k.credential_id join partners p on p.id = c.partner_id"
            " where c.public_key = %s",
            (credential.key,),
        )
        seen = await list_partners(tx, partner_id=credential.partner_id)
    for secret in (credential.secret, fresh.secret):
        assert secret not in kept
        assert secret not in repr(seen)
        assert secret not in repr(credential) + repr(fresh)


async def test_guesses_wait_and_write_nothing(caller, user, database):
    async def written() -> list[tuple[object, ...]]:
        async with database.statement() as tx:
            return await tx.all(
                "select (select count(*) from rate_windows), (select count(*) from nonces),"
                " (select count(*) from sign_in_attempts), max(last_used_at), max(p.revision)"
                " from credential_secrets k join credentials c on c.id = k.credential_id"
                " join partners p on p.id = c.partner_id where c.public_key = %s",
                (user.key,),
            )

    before = await written()
    replies = [await caller.by_password(user.key, f"guess {n}", source="a") for n in range(8)]

    assert [reply.status_code for reply in replies] == [401] * 5 + [429] * 3
    assert replies[5].headers["retry-after"] == "4"
    assert await written() == before


async def test_a_stranger_who_guesses_does_not_shut_the_partner_out(caller, user, clock):
    assert (await caller.by_password(user.key, user.secret, source="own")).status_code == 200
    for number in range(8):
        await caller.by_password(user.key, f"guess {number}", source="stranger")

    held = await caller.by_password(user.key, user.secret, source="stranger, unseen pair")
    clock.move(timedelta(minutes=6))

    assert held.status_code == 200
    assert (await caller.by_password(user.key, user.secret, source="own")).status_code == 200
    assert (await caller.by_password(user.key, "guess", source="stranger")).status_code == 401


async def test_no_secret_is_told_to_the_log(proven, caller, holder, user):
    """What the code hands to the log is clean before the redaction looks at it."""
    credential, call = proven
    with capture_logs() as told:
        await call(credential.secret)
        await call(f"{credential.secret}x")
        for number in range(8):
            await caller.by_password(user.key, f"a guess {number}", source="s")

    assert told
    for secret in (holder.secret, user.secret, "a guess"):
        assert secret not in repr(told)
