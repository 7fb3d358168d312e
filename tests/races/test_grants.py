"""A code or a token that two use at the same moment: one gets tokens, and the other ends them."""

import asyncio

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import (
    AccessTokens,
    Callers,
    Granting,
    Passwords,
    Prefixes,
    Tokens,
    add_app,
    add_credential,
    exchange_code,
    give_code,
    refresh_tokens,
)
from crossdock.shop.partners.access import LIVE_MAX
from crossdock.shop.partners.apps import App
from tests.support.factories import box, make_partner, make_shop
from tests.support.locks import waiting_for_a_lock
from tests.support.people import make_person

pytestmark = pytest.mark.races

CHANNEL = "toy_tokens"
BACK = "https://app.example/back"
PREFIXES = Prefixes(client="c_", secret="s_", code="o_", access="a_", refresh="r_")
GRANTING = Granting(prefixes=PREFIXES, ids=RandomIds(), refresh_days=30)


@pytest.fixture
async def given(database: Database, clock: FrozenClock) -> tuple[App, str]:
    """An app, and the code of a consent."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        person = await make_person(tx, shop_id=shop.id, role="owner")
        made = await add_app(
            tx, shop_id=shop.id, channel=CHANNEL, name="Ledger", return_addresses=[BACK],
            scopes=["read"], known_scopes=["read"], prefixes=PREFIXES, ids=RandomIds(),
            now=clock.now(),
        )  # fmt: skip
        code = await give_code(
            tx, granting=GRANTING, app=made.app, person_id=person.id, return_address=BACK,
            scopes=["read"], challenge="", now=clock.now(),
        )  # fmt: skip
    return made.app, code


async def _exchange(tx: Transaction, clock: FrozenClock, app: App, code: str) -> Tokens | str:
    return await exchange_code(
        tx, granting=GRANTING, app=app, code=code, return_address=BACK, verifier="",
        now=clock.now(),
    )  # fmt: skip


async def _refresh(tx: Transaction, clock: FrozenClock, app: App, token: str) -> Tokens | str:
    return await refresh_tokens(
        tx, granting=GRANTING, app=app, token=token, scopes=None, now=clock.now()
    )


async def _live_secrets(database: Database, app: App) -> int:
    """How many access tokens of the app are good."""
    async with database.statement() as tx:
        return int(
            await tx.value(
                "select count(*) from credential_secrets k join credentials c on c.id = k.credential_id"
                " where c.partner_id = %s and c.disabled_at is null",
                (app.partner_id,),
            )
        )


async def test_of_two_that_exchange_a_code_the_second_ends_what_the_first_got(
    database: Database, clock: FrozenClock, given: tuple[App, str]
) -> None:
    app, code = given

    async def exchange() -> Tokens | str:
        async with database.begin() as tx:
            return await _exchange(tx, clock, app, code)

    async with database.begin() as tx:
        assert isinstance(await _exchange(tx, clock, app, code), Tokens)
        second = asyncio.create_task(exchange())
        await waiting_for_a_lock(database, behind=tx)
    assert await second == "unknown"

    assert await _live_secrets(database, app) == 0


async def test_of_two_that_refresh_with_a_token_the_second_ends_its_grant(
    database: Database, clock: FrozenClock, given: tuple[App, str]
) -> None:
    app, code = given
    async with database.begin() as tx:
        tokens = await _exchange(tx, clock, app, code)
    assert isinstance(tokens, Tokens)
    spent = tokens.refresh

    async def refresh() -> Tokens | str:
        async with database.begin() as tx:
            return await _refresh(tx, clock, app, spent)

    async with database.begin() as tx:
        assert isinstance(await _refresh(tx, clock, app, spent), Tokens)
        second = asyncio.create_task(refresh())
        await waiting_for_a_lock(database, behind=tx)
    assert await second == "unknown"

    assert await _live_secrets(database, app) == 0


async def test_a_token_is_given_without_waiting_for_who_ends_the_oldest(
    database: Database, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        partner = await make_partner(tx, shop=await make_shop(tx), channel=CHANNEL)
        user = await add_credential(
            tx, partner_id=partner.id, ids=RandomIds(), box=box(), proof="password"
        )
    callers = Callers(database, channel=CHANNEL, box=box(), clock=clock)
    passwords = Passwords(callers, free_failures=2, longest_wait_s=60)
    tokens = AccessTokens(callers, passwords=passwords, ids=RandomIds(), ttl_s=60)
    name = RandomIds().random_token(8).encode()
    credential = "(select id from credentials where public_key = %s)"
    async with database.begin() as tx:
        await tx.run(
            "insert into access_tokens (token_hash, credential_id, issued_at, expires_at)"
            f" select %s || int4send(n), {credential}, %s + n * interval '1 second', %s + interval '1 day'"
            " from generate_series(1, %s) n",
            (name, user.key, clock.now(), clock.now(), LIVE_MAX),
        )

    async with database.begin() as tx:
        await tx.run(
            "select 1 from access_tokens where token_hash = %s || int4send(1) for update", (name,)
        )
        await asyncio.wait_for(
            tokens.issue(name=user.key, password=user.secret, rate_limit_per_minute=0), timeout=5
        )
    async with database.statement() as tx:
        count = f"select count(*) from access_tokens where credential_id = {credential}"
        assert await tx.value(count, (user.key,)) == LIVE_MAX + 1
