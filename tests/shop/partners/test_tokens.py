"""A call with a token..."""

from datetime import timedelta

import pytest
from psycopg.types.json import Jsonb

from crossdock.errors import Refused, Unavailable
from crossdock.kit.crypto import hash_key
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import (
    BearerTokens,
    Callers,
    Meter,
    add_credential,
    disable_credential,
    revoke_secrets,
    rotate_secret,
    set_terms,
)
from crossdock.shop.partners.managing import Terms
from tests.conftest import NOON
from tests.support.factories import ShopFixture, box, make_variant

CHANNEL = "toy_tokens"
SECOND = timedelta(seconds=1)
OVERLAP_S = 90
PACED = {"rate_limit_per_minute": 60, "burst": 3}


@pytest.fixture
def tokens(database, clock):
    return BearerTokens(Callers(database, channel=CHANNEL, box=box(), clock=clock), prefix="toy_")


async def limited(call):
    """What a call is told that is one too many."""
    with pytest.raises(Unavailable) as refused:
        await call
    assert refused.value.code == "rate_limited"
    return refused.value.data


async def shop_of(tx, holder):
    row = await tx.one(
        "select s.id, s.slug, m.id, c.id from partners p join shops s on s.id = p.shop_id"
        " join merchants m on m.shop_id = s.id join customers c on c.shop_id = s.id where p.id = %s",
        (holder.partner_id,),
    )
    return ShopFixture(id=row[0], slug=row[1], merchant_id=row[2], customer_id=row[3])


async def post(tx, shop, variant_id, kind, **changes):
    posting = {"variant_id": variant_id, "pool": "own", "kind": kind, **changes}
    await tx.run("select post_stock(%s, %s, 'test', null, %s)", (shop.id, Jsonb([posting]), NOON))


async def test_is_told_what_is_left_of_its_burst_and_when_all_of_it_is(tokens, holder, clock):
    async def meter():
        return (await tokens.verify_metered(token=holder.secret, **PACED)).meter

    for left, full_after_s in ((2, 1), (1, 2), (0, 3)):
        full_at = NOON + full_after_s * SECOND
        assert await meter() == Meter(per_minute=60, left=left, full_at=full_at)

    full = Meter(per_minute=60, left=0, full_at=NOON + 3 * SECOND)
    assert await limited(meter()) == {"retry_after_s": 1, "meter": full}
    clock.move(SECOND)
    assert await meter() == Meter(per_minute=60, left=0, full_at=NOON + 4 * SECOND)
    clock.move(100 * SECOND)
    assert await meter() == Meter(per_minute=60, left=2, full_at=NOON + 102 * SECOND)


async def test_has_no_meter_without_a_limit_and_reads_no_goods_unless_asked(tokens, holder):
    admitted = await tokens.verify_metered(token=holder.secret, rate_limit_per_minute=0, burst=3)

    assert admitted.credential.public_key == holder.key
    assert (admitted.meter, admitted.goods_version, admitted.moved_version) == (None, None, 0)


async def test_learns_whether_goods_changed_or_only_moved(tokens, holder, database):
    async def versions():
        call = tokens.verify_metered(token=holder.secret, **PACED, reads_goods=True)
        _, meter, goods, moved = await call
        return goods, moved, meter and meter.left

    assert await versions() == (0, 0, 2)
    async with database.begin() as tx:
        shop = await shop_of(tx, holder)
        variant_id = await make_variant(tx, shop=shop, own=10)
        await post(tx, shop, variant_id, "commit", committed=2)
    assert await versions() == (2, 0, 1)
    async with database.begin() as tx:
        await post(tx, shop, variant_id, "ship", on_hand=-2, committed=-2)
    assert await versions() == (2, 1, 0)
    assert (await limited(versions()))["meter"].left == 0


async def test_that_reads_goods_is_told_their_version(tokens, holder, database):
    async def version(**pace):
        credential, found = await tokens.verify_reader(token=holder.secret, **pace)
        assert credential.public_key == holder.key
        return found

    assert await version(rate_limit_per_minute=0) == 0
    async with database.begin() as tx:
        await make_variant(tx, shop=await shop_of(tx, holder), own=10)
    assert await version(rate_limit_per_minute=2) == 1
    assert await version(**PACED | {"burst": 1}) == 1
    assert await limited(version(**PACED | {"burst": 1})) == {"retry_after_s": 1}
    assert await limited(version(rate_limit_per_minute=1)) == {"retry_after_s": 60}


async def test_waits_a_second_where_calls_come_steadily_else_a_minute(tokens, holder, clock):
    async def verify(**pace):
        await tokens.verify(token=holder.secret, **pace)

    for _ in range(3):
        await verify(**PACED)
    assert await limited(verify(**PACED)) == {"retry_after_s": 1}
    clock.move(timedelta(minutes=2))
    await verify(rate_limit_per_minute=1)
    assert await limited(verify(rate_limit_per_minute=1)) == {"retry_after_s": 60}
    clock.move(timedelta(minutes=2))
    await verify(rate_limit_per_minute=60, burst=0)
    assert await limited(verify(rate_limit_per_minute=60, burst=0)) == {"retry_after_s": 1}


async def test_is_familiar_once_it_was_let_in_until_it_is_refused(tokens, holder, database):
    assert not tokens.is_familiar(holder.secret)
    await tokens.verify(token=holder.secret, rate_limit_per_minute=0)
    assert tokens.is_familiar(holder.secret)
    async with database.begin() as tx:
        await disable_credential(tx, key=holder.key, now=NOON)
    with pytest.raises(Refused):
        await tokens.verify(token=holder.secret, rate_limit_per_minute=0)
    assert not tokens.is_familiar(holder.secret)


async def test_is_told_when_its_key_is_disabled_and_not_merely_unknown(
    tokens, holder, database, clock
):
    async def told():
        with pytest.raises(Refused) as refused:
            await tokens.verify(token=holder.secret, rate_limit_per_minute=0)
        assert refused.value.code == "credential_unknown"
        return await tokens.is_disabled(holder.secret)

    assert not await tokens.is_disabled(holder.secret)
    async with database.begin() as tx:
        await disable_credential(tx, key=holder.key, now=NOON)
    assert await told()
    assert not await tokens.is_disabled("toy_" + "x" * 40)
    async with database.begin() as tx:
        await tx.run(
            "update credential_secrets set expires_at = %s where token_hash = %s",
            (NOON + SECOND, hash_key(holder.secret)),
        )
    assert await told()
    clock.move(SECOND)
    assert not await told()


async def test_is_told_when_its_partner_is_switched_off(tokens, holder, database):
    async with database.begin() as tx:
        await set_terms(tx, partner_id=holder.partner_id, terms=Terms(active=False))
    assert await tokens.is_disabled(holder.secret)
    async with database.begin() as tx:
        await revoke_secrets(tx, key=holder.key, now=NOON)
    assert not await tokens.is_disabled(holder.secret)


async def test_of_another_shape_or_channel_is_disabled_nowhere(database, holder, clock):
    async with database.begin() as tx:
        other = await add_credential(
            tx, partner_id=holder.partner_id, ids=RandomIds(), box=box(), proof="bearer",
            prefix="another_",
        )  # fmt: skip
        short = await add_credential(
            tx, partner_id=holder.partner_id, ids=RandomIds(), box=box(), proof="bearer",
            prefix="toy_", secret="toy_short",
        )  # fmt: skip
        await set_terms(tx, partner_id=holder.partner_id, terms=Terms(active=False))

    def at(channel):
        return BearerTokens(
            Callers(database, channel=channel, box=box(), clock=clock), prefix="toy_"
        )

    assert await at(CHANNEL).is_disabled(holder.secret)
    assert not await at("another").is_disabled(holder.secret)
    for secret in (other.secret, short.secret):
        assert not await at(CHANNEL).is_disabled(secret)


async def test_goes_on_with_the_old_token_until_its_overlap_ends(tokens, holder, database, clock):
    async with database.begin() as tx:
        renewed = await rotate_secret(
            tx, key=holder.key, ids=RandomIds(), box=box(), now=NOON, overlap_s=OVERLAP_S
        )

    for secret in (holder.secret, renewed.secret):
        await tokens.verify(token=secret, rate_limit_per_minute=0)
    clock.move(OVERLAP_S * SECOND)
    await tokens.verify(token=renewed.secret, rate_limit_per_minute=0)
    with pytest.raises(Refused):
        await tokens.verify(token=holder.secret, rate_limit_per_minute=0)


async def test_is_compared_with_its_own_key(tokens, holder, add_caller):
    other = await add_caller(CHANNEL, proof="bearer", prefix="toy_")

    await tokens.verify(token=holder.secret, key=holder.key, rate_limit_per_minute=0)
    with pytest.raises(Refused) as refused:
        await tokens.verify(token=holder.secret, key=other.key, rate_limit_per_minute=0)
    assert refused.value.code == "credential_signature"


async def test_marks_its_use_once_a_minute_for_those_that_called_last(
    database, holder, add_caller, clock, monkeypatch
):
    monkeypatch.setattr("crossdock.shop.partners.callers._CACHED_MAX", 1)
    callers = Callers(database, channel=CHANNEL, box=box(), clock=clock)
    tokens = BearerTokens(callers, prefix="toy_")
    other = await add_caller(CHANNEL, proof="bearer", prefix="toy_")

    async def used_at(after_s):
        clock.move(after_s * SECOND)
        await tokens.verify(token=holder.secret, rate_limit_per_minute=0)
        async with database.statement() as tx:
            at = await tx.value(
                "select last_used_at from credential_secrets where token_hash = %s",
                (hash_key(holder.secret),),
            )
        return (at - NOON) // SECOND

    assert [await used_at(s) for s in (0, 59, 1, 59, 2)] == [0, 0, 60, 60, 121]
    await tokens.verify(token=other.secret, rate_limit_per_minute=0)
    assert list(callers._marked.values()) == [clock.now()]
    assert await used_at(1) == 122
