"""Proving a caller: one statement spends many nonces, and tells each request its own outcome."""

import asyncio
import hashlib
import hmac
import random
from datetime import timedelta

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import CrossdockError
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import (
    Callers,
    Signatures,
    Terms,
    disable_credential,
    is_nonce_spent,
    read_credential,
    rotate_secret,
    set_terms,
)
from crossdock.shop.partners.callers import Lookup
from tests.conftest import NOON
from tests.support.factories import PartnerFixture, box, make_partner, make_shop

CHANNEL = "shoppex_partner"


@pytest.fixture
async def partners(database: Database) -> list[PartnerFixture]:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        return [await make_partner(tx, shop=shop) for _ in range(2)]


async def credential_of(tx: Transaction, partner: PartnerFixture):
    found = await read_credential(tx, channel=CHANNEL, public_key=partner.key, box=box())
    assert found is not None
    return found


async def spend(
    tx: Transaction, *asked: tuple[PartnerFixture, str], limit: int = 0, at=NOON, behind: int = 0
) -> list[str]:
    """The outcomes of these (partner, nonce) in one statement; `behind` ages what was read."""
    known = [await credential_of(tx, partner) for partner, _ in asked]
    rows = await tx.all(
        "select place, outcome from spend_nonces(%s, %s, %s, %s, %s, %s)",
        (
            [c.id for c in known],
            [c.partner.revision - behind for c in known],
            [nonce for _, nonce in asked],
            [at + timedelta(seconds=900)] * len(asked),
            [limit] * len(asked),
            at,
        ),
    )
    assert [place for place, _ in rows] == list(range(1, len(asked) + 1))
    return [outcome for _, outcome in rows]


async def test_one_statement_answers_each_request_in_order(database, partners):
    a, b = partners
    async with database.begin() as tx:
        asked = [(a, "1"), (b, "1"), (a, "1"), (a, "2"), (b, "1")]
        assert await spend(tx, *asked) == ["spent", "spent", "reused", "spent", "reused"]
        assert await spend(tx, (a, "2"), (a, "3")) == ["reused", "spent"]


async def test_what_was_read_before_a_change_is_stale_and_spends_nothing(database, partners):
    a, b = partners
    async with database.begin() as tx:
        assert await spend(tx, (a, "1"), behind=1) == ["stale"]
        assert await spend(tx, (a, "1")) == ["spent"]
        stale = await credential_of(tx, b)
        await disable_credential(tx, key=b.key, now=NOON)
        assert (
            await tx.value(
                "select outcome from spend_nonces(%s, %s, %s, %s, %s, %s)",
                ([stale.id], [stale.partner.revision], ["1"], [NOON], [0], NOON),
            )
            == "stale"
        )


async def test_the_limit_counts_spent_nonces_only_and_only_of_its_own_credential(
    database, partners
):
    a, b = partners
    async with database.begin() as tx:
        asked = [(a, "1"), (b, "1"), (a, "1"), (a, "2"), (a, "3")]
        assert await spend(tx, *asked, limit=2) == ["spent", "spent", "reused", "spent", "limited"]
        assert await spend(tx, (a, "4"), (b, "2"), limit=2) == ["limited", "spent"]
        later = NOON + timedelta(seconds=60)
        assert await spend(tx, (a, "5"), limit=2, at=later) == ["spent"]


async def test_a_limited_request_has_used_its_nonce(database, partners):
    a, _ = partners
    async with database.begin() as tx:
        assert await spend(tx, (a, "1"), (a, "2"), limit=1) == ["spent", "limited"]
        assert await spend(tx, (a, "2"), limit=0) == ["reused"]


async def test_the_first_of_equal_nonces_wins_however_many_there_are(database, partners):
    """Enough of them for a sort that keeps no order among equals."""
    a, b = partners
    asked = [(p, nonce) for _ in range(20) for p in (b, a) for nonce in ("2", "1", "3")]
    first = {pair: asked.index(pair) for pair in asked}
    async with database.begin() as tx:
        told = await spend(tx, *asked)
    assert [n for n, outcome in enumerate(told) if outcome == "spent"] == sorted(first.values())
    assert told.count("reused") == len(asked) - 6


async def test_of_equal_nonces_the_first_one_s_time_counts(database, partners):
    a, _ = partners
    async with database.begin() as tx:
        known = await credential_of(tx, a)
        times = [NOON + timedelta(seconds=900 + n) for n in range(40)]
        await tx.all(
            "select outcome from spend_nonces(%s, %s, %s, %s, %s, %s)",
            ([known.id] * 40, [known.partner.revision] * 40, ["n"] * 40, times, [0] * 40, NOON),
        )
        kept = "select expires_at from nonces where credential_id = %s and nonce = 'n'"
        assert await tx.value(kept, (known.id,)) == times[0]


async def test_a_nonce_is_told_as_spent_of_its_own_credential_until_its_time_is_over(
    database, partners
):
    a, b = partners
    async with database.begin() as tx:
        mine, other = [(await credential_of(tx, partner)).id for partner in (a, b)]
        await spend(tx, (a, "1"), (b, "2"))

        async def told(credential_id: int, nonce: str, seconds: int = 0) -> bool:
            now = NOON + timedelta(seconds=seconds)
            return await is_nonce_spent(tx, credential_id=credential_id, nonce=nonce, now=now)

        assert await told(mine, "1")
        assert await told(other, "2")
        assert not await told(mine, "2")
        assert not await told(other, "1")
        assert not await told(mine, "3")
        assert await told(mine, "1", 900)
        assert not await told(mine, "1", 901)
        assert not await told(mine, "2", 901)


async def test_a_nonce_is_free_again_after_its_time_and_not_before(database, partners):
    a, _ = partners
    async with database.begin() as tx:
        assert await spend(tx, (a, "1")) == ["spent"]
        assert await spend(tx, (a, "1"), at=NOON + timedelta(seconds=900)) == ["reused"]
        assert await spend(tx, (a, "1"), at=NOON + timedelta(seconds=901)) == ["spent"]


def signed(secret: str, message: bytes = b"m"):
    def sign(key: bytes) -> str:
        return hmac.new(key, message, hashlib.sha256).hexdigest()

    return {"sign": sign, "signature": sign(secret.encode())}


def verifier_of(database: Database, clock: FrozenClock) -> Signatures:
    return Signatures(Callers(database, channel=CHANNEL, box=box(), clock=clock))


async def verify(verifier: Signatures, key: str, secret: str, nonce: str, *, limit: int = 0) -> str:
    """'' or the code of the refusal."""
    try:
        found = await verifier.verify(
            public_key=key,
            nonce=nonce,
            nonce_ttl_s=900,
            rate_limit_per_minute=limit,
            **signed(secret),
        )
    except CrossdockError as error:
        return error.code
    assert found.public_key == key
    return ""


async def test_a_hundred_nonces_over_two_processes_are_spent_once_each(database, partners, clock):
    """Batches of both meet in every order; none waits for ever, none is told twice."""
    verifiers = [verifier_of(database, clock) for _ in range(2)]
    asked = [
        (v, p, str(n)) for v in verifiers for p in partners for n in range(50) for _ in range(2)
    ]
    random.Random(7).shuffle(asked)
    outcomes = await asyncio.gather(
        *(
            verify(verifier, partner.key, partner.secret, nonce)
            for verifier, partner, nonce in asked
        )
    )
    spent = [(p.id, n) for (_, p, n), told in zip(asked, outcomes, strict=True) if told == ""]
    assert len(spent) == len(set(spent)) == 100
    assert outcomes.count("nonce_reused") == 300


async def test_a_changed_partner_is_believed_at_once_by_a_process_that_knew_it(
    database, partners, clock
):
    verifier = verifier_of(database, clock)
    a, _ = partners
    assert await verify(verifier, a.key, a.secret, "1") == ""
    async with database.begin() as tx:
        await set_terms(tx, partner_id=a.id, terms=Terms(active=False))
    assert await verify(verifier, a.key, a.secret, "2") == "credential_unknown"
    async with database.begin() as tx:
        await set_terms(tx, partner_id=a.id, terms=Terms(active=True, permissions=()))
    found = await verifier.verify(
        public_key=a.key, nonce="3", nonce_ttl_s=900, rate_limit_per_minute=0, **signed(a.secret)
    )
    assert found.partner.permissions == frozenset()


async def test_a_new_secret_is_known_at_its_first_use(database, partners, clock):
    verifier = verifier_of(database, clock)
    a, _ = partners
    assert await verify(verifier, a.key, a.secret, "1") == ""
    async with database.begin() as tx:
        fresh = await rotate_secret(
            tx, key=a.key, ids=RandomIds(), box=box(), now=clock.now(), overlap_s=60
        )
    assert await verify(verifier, a.key, fresh.secret, "2") == ""
    assert await verify(verifier, a.key, a.secret, "3") == ""
    clock.move(timedelta(seconds=60))
    assert await verify(verifier, a.key, a.secret, "4") == "credential_signature"
    assert await verify(verifier, a.key, fresh.secret, "5") == ""


async def test_a_replayed_request_is_no_use_of_the_secret(database, partners, clock):
    a, _ = partners
    assert await verify(verifier_of(database, clock), a.key, a.secret, "1") == ""
    clock.move(timedelta(minutes=5))
    assert await verify(verifier_of(database, clock), a.key, a.secret, "1") == "nonce_reused"
    async with database.statement() as tx:
        last = await tx.value(
            "select s.last_used_at from credential_secrets s join credentials c on c.id = s.credential_id"
            " where c.public_key = %s",
            (a.key,),
        )
    assert last == NOON


async def test_a_key_of_another_channel_is_unknown(database, clock):
    async with database.begin() as tx:
        partner = await make_partner(tx, shop=await make_shop(tx), channel="another")
    verifier = verifier_of(database, clock)
    assert await verify(verifier, partner.key, partner.secret, "1") == "credential_unknown"


async def test_secrets_are_not_printed(database, partners):
    async with database.statement() as tx:
        credential = await credential_of(tx, partners[0])
    assert partners[0].secret not in repr(credential)
    assert partners[0].secret not in f"{credential.secrets}"


async def verify_early(verifier, **call):
    await verifier.verify(
        **call, nonce_ttl_s=900, rate_limit_per_minute=0, spend=verifier.spend_early
    )


async def test_a_nonce_spent_early_is_spent_for_every_worker_at_once(database, partners, clock):
    partner = partners[0]
    early, other = verifier_of(database, clock), verifier_of(database, clock)
    call = {"public_key": partner.key, "nonce": "early", **signed(partner.secret)}

    await verify_early(early, **call)

    assert await verify(other, partner.key, partner.secret, "early") == "nonce_reused"
    with pytest.raises(CrossdockError, match="nonce_reused"):
        await verify_early(early, **call)


async def test_settling_brings_nonces_spent_early_to_the_disk(database, partners, clock):
    partner = partners[0]
    verifier = verifier_of(database, clock)
    call = {"public_key": partner.key, "nonce": "settled", **signed(partner.secret)}
    await verify_early(verifier, **call)
    async with database.statement() as tx:
        durable = await tx.value("select current_setting('synchronous_commit')") == "on"
        written = await tx.value("select pg_current_wal_insert_lsn()")

    await verifier.settle()

    async with database.statement() as tx:
        flushed = await tx.value("select pg_current_wal_flush_lsn() >= %s::pg_lsn", (written,))
    assert flushed or not durable


async def test_settling_is_a_write_so_that_its_commit_waits_for_the_disk(tx):
    numbered = "select pg_current_xact_id_if_assigned() is not null"
    assert await tx.value(numbered) is False

    await tx.run("select settle_nonces()")

    assert await tx.value(numbered) is True


async def confirm(tx: Transaction, *asked: tuple[PartnerFixture, int]) -> list[str]:
    """The outcomes of calls, each of a partner with its limit, in one statement."""
    known = [await credential_of(tx, partner) for partner, _ in asked]
    rows = await tx.all(
        "select place, outcome from confirm_calls(%s, %s, %s, %s)",
        (
            [c.id for c in known],
            [c.partner.revision for c in known],
            [limit for _, limit in asked],
            NOON,
        ),
    )
    assert [place for place, _ in rows] == list(range(1, len(asked) + 1))
    return [outcome for _, outcome in rows]


async def test_calls_without_a_limit_are_not_counted_and_others_up_to_theirs(database, partners):
    a, b = partners
    async with database.begin() as tx:
        ids = [(await credential_of(tx, partner)).id for partner in partners]
        counted = "select credential_id, calls from rate_windows where credential_id = any(%s)"

        assert await confirm(tx, (a, 0), (a, 0)) == ["live", "live"]
        assert await tx.all(counted, (ids,)) == []

        told = await confirm(tx, (a, 1), (b, 2), (a, 1), (b, 2), (b, 2))
        assert told == ["live", "live", "limited", "live", "limited"]
        assert sorted(await tx.all(counted, (ids,))) == [(ids[0], 2), (ids[1], 3)]
        assert await confirm(tx, (a, 1), (a, 0)) == ["limited", "live"]


async def test_what_is_off_is_stale_even_as_it_was_read_last(database, partners):
    a, b = partners
    async with database.begin() as tx:
        known = [(await credential_of(tx, partner)).id for partner in partners]
        await set_terms(tx, partner_id=a.id, terms=Terms(active=False))
        await disable_credential(tx, key=b.key, now=NOON)
        revisions = [
            await tx.value("select revision from partners where id = %s", (partner.id,))
            for partner in partners
        ]
        calls = "select outcome from confirm_calls(%s, %s, %s, %s)"
        spends = "select outcome from spend_nonces(%s, %s, %s, %s, %s, %s)"

        confirmed = await tx.all(calls, (known, revisions, [5, 5], NOON))
        spent = await tx.all(spends, (known, revisions, ["1", "1"], [NOON] * 2, [5, 5], NOON))

        assert confirmed == spent == [("stale",), ("stale",)]
        for table in ("rate_windows", "nonces"):
            written = f"select count(*) from {table} where credential_id = any(%s)"
            assert await tx.value(written, (known,)) == 0


async def test_the_caller_that_called_longest_ago_is_forgotten_first(
    database, partners, clock, monkeypatch
):
    monkeypatch.setattr("crossdock.shop.partners.callers._CACHED_MAX", 2)
    async with database.begin() as tx:
        third = await make_partner(tx, shop=await make_shop(tx))
    callers = Callers(database, channel=CHANNEL, box=box(), clock=clock)
    lookups = [Lookup("signature", partner.key) for partner in (*partners, third)]
    first, second, last = lookups

    for lookup in (first, second, first, last):
        await callers.known(lookup, cached=True)

    assert list(callers._cache) == [first, last]
