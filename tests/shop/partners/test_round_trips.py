"""A call of a known caller asks the database once, whatever proves it."""

import hashlib
import hmac
from datetime import timedelta

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.shop.partners import BearerTokens, Callers, Passwords, Signatures
from tests.support.factories import box, make_partner, make_shop

CHANNEL = "toy_tokens"


@pytest.fixture
async def watched(database_url):
    """A database that notes the first words of each statement."""
    seen: list[str] = []

    async def note(query: str) -> None:
        seen.append(" ".join(query.split()[:5]))

    pool = Database(database_url, min_size=1, max_size=2, hook=note)
    await pool.open()
    yield pool, seen
    await pool.close()


def signed(secret: str, nonce: str):
    def sign(key: bytes) -> str:
        return hmac.new(key, b"m", hashlib.sha256).hexdigest()

    return {
        "sign": sign,
        "signature": sign(secret.encode()),
        "nonce": nonce,
        "nonce_ttl_s": 900,
        "rate_limit_per_minute": 60,
    }


async def test_a_known_token_or_password_costs_one_statement(watched, holder, user, clock):
    pool, seen = watched
    callers = Callers(pool, channel=CHANNEL, box=box(), clock=clock)
    tokens = BearerTokens(callers, prefix="toy_")
    passwords = Passwords(callers, free_failures=5, longest_wait_s=60)

    async def by_token() -> None:
        await tokens.verify(token=holder.secret, rate_limit_per_minute=60)

    async def by_password() -> None:
        await passwords.verify(name=user.key, password=user.secret, rate_limit_per_minute=60)

    for call in (by_token, by_password):
        await call()
        seen.clear()
        await call()
        assert seen == ["select place, outcome from confirm_calls(%s,"]
        clock.move(timedelta(minutes=2))
        seen.clear()
        await call()
        assert len(seen) == 2
        assert seen[1] == "update credential_secrets set last_used_at ="


async def test_a_known_signer_costs_one_statement_with_its_nonce(watched, database, clock):
    pool, seen = watched
    async with database.begin() as tx:
        partner = await make_partner(tx, shop=await make_shop(tx), channel=CHANNEL)
    signatures = Signatures(Callers(pool, channel=CHANNEL, box=box(), clock=clock))
    await signatures.verify(public_key=partner.key, **signed(partner.secret, "1"))
    seen.clear()

    await signatures.verify(public_key=partner.key, **signed(partner.secret, "2"))
    await signatures.verify(
        public_key=partner.key, **signed(partner.secret, "3"), spends=lambda partner: False
    )

    assert seen == [
        "select place, outcome from spend_nonces(%s,",
        "select place, outcome from confirm_calls(%s,",
    ]


async def test_a_text_that_cannot_be_a_token_asks_nothing(watched, clock):
    pool, seen = watched
    tokens = BearerTokens(Callers(pool, channel=CHANNEL, box=box(), clock=clock), prefix="toy_")

    with pytest.raises(Exception, match="credential_unknown"):
        await tokens.verify(token="shr_" + "A" * 32, rate_limit_per_minute=0)

    assert seen == []
