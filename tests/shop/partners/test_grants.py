"""What an app is granted..."""

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.crypto import hash_key
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import (
    Granting,
    Prefixes,
    Tokens,
    add_app,
    exchange_code,
    give_code,
    read_app,
    refresh_tokens,
    revoke_app,
    revoke_token,
)
from crossdock.shop.partners.apps import App
from crossdock.shop.partners.grants import ACCESS_S, CODE_S, LIVE_MAX
from tests.conftest import NOON
from tests.support.factories import ShopFixture, make_shop
from tests.support.people import make_person

BACK = "https://app.example/back"
PREFIXES = Prefixes(client="c_", secret="s_", code="o_", access="a_", refresh="r_")
REFRESH_DAYS = 30
GRANTING = Granting(prefixes=PREFIXES, ids=RandomIds(), refresh_days=REFRESH_DAYS)
VERIFIER = "a-verifier-of-the-app-that-nobody-guesses-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode()
SECOND = timedelta(seconds=1)


class Consents:
    """An app, and a person who lets it in."""

    def __init__(self, tx: Transaction, app: App, person_id: int) -> None:
        self.tx, self.app, self.person_id = tx, app, person_id

    async def code(self, *, challenge: str = "", scopes: tuple[str, ...] = ("read",)) -> str:
        return await give_code(
            self.tx, granting=GRANTING, app=self.app, person_id=self.person_id,
            return_address=BACK, scopes=scopes, challenge=challenge, now=NOON,
        )  # fmt: skip

    async def exchange(self, code: str, **values: Any) -> Tokens | str:
        wanted: dict[str, Any] = {
            "app": self.app,
            "return_address": BACK,
            "verifier": "",
            "now": NOON,
        }
        return await exchange_code(self.tx, granting=GRANTING, code=code, **wanted | values)

    async def tokens(self, **values: Any) -> Tokens:
        found = await self.exchange(await self.code(**values))
        assert isinstance(found, Tokens)
        return found

    async def refresh(self, token: str, **values: Any) -> Tokens | str:
        wanted: dict[str, Any] = {"app": self.app, "scopes": None, "now": NOON}
        return await refresh_tokens(self.tx, granting=GRANTING, token=token, **wanted | values)

    async def refreshed(self, token: str, **values: Any) -> Tokens:
        found = await self.refresh(token, **values)
        assert isinstance(found, Tokens)
        return found

    async def until(self, token: str) -> Any:
        """When an access token ends; None where it is none any more."""
        return await self.tx.value(
            "select k.expires_at from credential_secrets k join credentials c on c.id = k.credential_id"
            " where k.token_hash = %s and c.disabled_at is null and c.partner_id = %s",
            (hash_key(token), self.app.partner_id),
        )

    async def revision(self) -> int:
        """Of its partner, by which other processes notice that a token ended."""
        query = "select revision from partners where id = %s"
        return int(await self.tx.value(query, (self.app.partner_id,)))


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


async def consents_of(tx: Transaction, shop: ShopFixture) -> Consents:
    person = await make_person(tx, shop_id=shop.id, role="owner")
    made = await add_app(
        tx, shop_id=shop.id, channel="toy_tokens", name="Ledger", return_addresses=[BACK],
        scopes=["read", "write"], known_scopes=["read", "write"], prefixes=PREFIXES,
        ids=RandomIds(), now=NOON,
    )  # fmt: skip
    return Consents(tx, made.app, person.id)


@pytest.fixture
async def consents(tx: Transaction, shop: ShopFixture) -> Consents:
    return await consents_of(tx, shop)


@pytest.fixture
async def others(tx: Transaction, shop: ShopFixture) -> Consents:
    """Those of another app of the shop."""
    return await consents_of(tx, shop)


async def test_is_tokens_for_a_code_good_for_an_hour(consents):
    found = await consents.tokens(scopes=("read", "write"))

    assert (found.access[:2], found.refresh[:2], found.expires_s) == ("a_", "r_", ACCESS_S)
    assert set(found.scopes) == {"read", "write"}
    assert await consents.until(found.access) == NOON + timedelta(seconds=ACCESS_S)
    assert found.access not in repr(found)
    assert found.refresh not in repr(found)
    assert (await read_app(consents.tx, client_id=consents.app.client_id)).grants == 1
    hint = "select hint from credential_secrets where token_hash = %s"
    shown = await consents.tx.value(hint, (hash_key(found.access),))
    assert found.access.startswith(shown)
    assert 2 < len(shown) < len(found.access)


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "o_unknown"},
        {"return_address": f"{BACK}/other"},
        {"verifier": VERIFIER},
        {"now": NOON + CODE_S * SECOND},
    ],
)
async def test_is_nothing_for_a_wrong_code_and_spends_none(consents, wrong):
    code = await consents.code()

    assert await consents.exchange(**{"code": code} | wrong) == "unknown"

    right = await consents.exchange(code, now=NOON + CODE_S * SECOND - SECOND)
    assert isinstance(right, Tokens)


async def test_is_nothing_for_a_code_of_another_app(consents, others):
    code = await consents.code()
    assert await others.exchange(code) == "unknown"
    assert isinstance(await consents.exchange(code), Tokens)


async def test_asks_for_the_verifier_of_a_challenge(consents):
    code = await consents.code(challenge=CHALLENGE.rstrip("="))
    for wrong in ("", "another", CHALLENGE.rstrip("=")):
        assert await consents.exchange(code, verifier=wrong) == "unknown"
    assert isinstance(await consents.exchange(code, verifier=VERIFIER), Tokens)


async def test_ends_when_its_code_comes_again(consents):
    kept = await consents.tokens()
    code = await consents.code()
    found = await consents.exchange(code)
    assert isinstance(found, Tokens)
    before = await consents.revision()

    assert await consents.exchange(code) == "unknown"

    assert await consents.until(found.access) is None
    assert await consents.refresh(found.refresh) == "unknown"
    assert await consents.revision() > before
    assert await consents.until(kept.access)


async def test_is_renewed_once_by_each_refresh_token(consents):
    kept, first = await consents.tokens(), await consents.tokens()

    second = await consents.refreshed(first.refresh)

    assert second.scopes == ("read",)
    assert await consents.until(first.access)
    assert await consents.until(second.access)
    third = await consents.refreshed(second.refresh, scopes=["read"])
    assert await consents.refresh(first.refresh) == "unknown"  # spent, so the grant ends
    for ended in (first, second, third):
        assert await consents.until(ended.access) is None
    assert await consents.refresh(third.refresh) == "unknown"
    assert await consents.until(kept.access)


async def test_is_renewed_for_the_scopes_of_the_grant_alone(consents):
    first = await consents.tokens(scopes=("write", "read"))
    for wrong in ([], ["read"], ["read", "write", "rule"]):
        assert await consents.refresh(first.refresh, scopes=wrong) == "scope"
    assert isinstance(await consents.refresh(first.refresh, scopes=["read", "write"]), Tokens)


async def test_is_not_renewed_by_what_is_too_old_unknown_or_another_app_s(consents, others):
    first = await consents.tokens()
    end = NOON + timedelta(days=REFRESH_DAYS)

    assert await consents.refresh(first.refresh, now=end) == "unknown"
    assert await consents.refresh(first.access) == "unknown"
    assert await others.refresh(first.refresh) == "unknown"
    assert isinstance(await consents.refresh(first.refresh, now=end - SECOND), Tokens)


async def test_is_so_many_access_tokens_at_once(consents):
    other = await consents.tokens()
    found = [await consents.tokens()]
    for number in range(1, LIVE_MAX):
        moment = NOON + number * SECOND
        found.append(await consents.refreshed(found[-1].refresh, now=moment))
    assert all([await consents.until(each.access) for each in found])
    before = await consents.revision()

    last = await consents.refreshed(found[-1].refresh, now=NOON + LIVE_MAX * SECOND)

    live = [bool(await consents.until(each.access)) for each in (*found, last, other)]
    assert live == [False, *[True] * (LIVE_MAX + 1)]
    assert await consents.revision() > before


async def test_loses_what_has_ended_with_the_next_token(consents):
    first = await consents.tokens()
    end = NOON + timedelta(seconds=ACCESS_S)
    second = await consents.refreshed(first.refresh, now=end - SECOND)
    assert await consents.until(first.access) == end
    before = await consents.revision()
    await consents.refreshed(second.refresh, now=end)
    assert await consents.until(first.access) is None
    assert await consents.until(second.access)
    assert await consents.revision() > before


async def test_ends_by_either_of_its_tokens(consents, others):
    kept, by_access, by_refresh = [await consents.tokens() for _ in range(3)]

    async def revoke(of: Consents, token: str) -> bool:
        return await revoke_token(of.tx, app=of.app, token=token, now=NOON)

    assert not await revoke(others, by_access.access)
    assert not await revoke(others, by_refresh.refresh)
    assert not await revoke(consents, "a_unknown")
    assert await consents.until(by_access.access)
    before = await consents.revision()
    assert await revoke(consents, by_access.access)
    assert await revoke(consents, by_refresh.refresh)
    assert await revoke(consents, by_refresh.refresh)  # once more

    ended = [await consents.until(each.access) for each in (by_access, by_refresh)]
    assert ended == [None, None]
    assert await consents.refresh(by_access.refresh) == "unknown"
    assert await consents.until(kept.access)
    assert await consents.revision() > before
    assert (await read_app(consents.tx, client_id=consents.app.client_id)).grants == 1


async def test_ends_with_its_app(consents, others):
    found, theirs = await consents.tokens(), await others.tokens()
    before = await consents.revision()

    await revoke_app(consents.tx, client_id=consents.app.client_id, now=NOON)

    assert await consents.until(found.access) is None
    assert await consents.refresh(found.refresh) == "unknown"
    assert await consents.revision() > before
    assert await others.until(theirs.access)
    assert (await read_app(consents.tx, client_id=consents.app.client_id)).grants == 0
