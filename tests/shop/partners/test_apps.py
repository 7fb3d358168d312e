"""An app of others..."""

from datetime import timedelta
from typing import Any

import pytest

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import (
    NewSecret,
    Prefixes,
    add_app,
    list_apps,
    list_partners,
    prove_app,
    read_app,
    revoke_app,
    rotate_app_secret,
    set_terms,
)
from crossdock.shop.partners.apps import NAME_LENGTH_MAX, URI_LENGTH_MAX, URIS_MAX
from crossdock.shop.partners.managing import Terms
from tests.conftest import NOON
from tests.support.factories import ShopFixture, make_shop

CHANNEL = "toy_tokens"
BACK = "https://app.example/back"
PREFIXES = Prefixes(client="c_", secret="s_", code="o_", access="a_", refresh="r_")
SECOND = timedelta(seconds=1)


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


async def add(tx: Transaction, shop: ShopFixture, **values: Any) -> NewSecret:
    wanted: dict[str, Any] = {
        "name": "Ledger",
        "return_addresses": [BACK],
        "scopes": ["read"],
        "known_scopes": ["read", "write"],
    }
    return await add_app(
        tx, shop_id=shop.id, channel=CHANNEL, prefixes=PREFIXES, ids=RandomIds(), now=NOON,
        **wanted | values,
    )  # fmt: skip


async def proves(tx: Transaction, made: NewSecret, **values: Any) -> bool:
    wanted: dict[str, Any] = {"channel": CHANNEL, "secret": made.secret, "now": NOON}
    app = await prove_app(tx, client_id=made.app.client_id, **wanted | values)
    assert app is None or app.id == made.app.id
    return app is not None


async def rotate(tx: Transaction, made: NewSecret, overlap_s: int = 60, **of: Any) -> NewSecret:
    return await rotate_app_secret(
        tx, client_id=made.app.client_id, prefixes=PREFIXES, ids=RandomIds(), now=NOON,
        overlap_s=overlap_s, **of,
    )  # fmt: skip


async def test_is_kept_with_a_partner_of_its_scopes(tx, shop):
    made = await add(
        tx, shop, name="  Ledger ", scopes=["write", "read", "write"], return_addresses=[BACK, BACK]
    )

    app = made.app
    assert (app.name, app.scopes, app.return_addresses) == ("Ledger", ("read", "write"), (BACK,))
    assert (app.created_at, app.revoked_at, app.grants) == (NOON, None, 0)
    assert (app.client_id[:2], made.secret[:2]) == ("c_", "s_")
    assert made.secret not in repr(made)
    kept = await tx.value("select to_jsonb(a)::text from apps a where id = %s", (app.id,))
    assert made.secret not in kept
    [partner] = await list_partners(tx, partner_id=app.partner_id)
    assert (partner.channel, partner.permissions) == (CHANNEL, ("read", "write"))


async def test_is_listed_in_its_shop_the_oldest_first(tx, shop):
    first, second = await add(tx, shop), await add(tx, shop)
    other = await make_shop(tx)
    await add(tx, other)

    assert [app.id for app in await list_apps(tx, shop_id=shop.id)] == [first.app.id, second.app.id]
    assert await read_app(tx, client_id=first.app.client_id) == first.app
    assert await read_app(tx, client_id=first.app.client_id, shop_id=shop.id) == first.app
    for wrong in ({"shop_id": other.id}, {"client_id": "c_unknown"}):
        with pytest.raises(NotFound, match="not_found"):
            await read_app(tx, **{"client_id": first.app.client_id} | wrong)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " \u3164 "}, "name"),
        ({"name": "x" * (NAME_LENGTH_MAX + 1)}, "name"),
        ({"return_addresses": []}, "return_address"),
        ({"return_addresses": [f"{BACK}{n}" for n in range(URIS_MAX + 1)]}, "return_address"),
        ({"return_addresses": [BACK, "http://app.example"]}, "return_address"),
        ({"scopes": []}, "scope"),
        ({"scopes": ["read", "rule"]}, "scope"),
    ],
)
async def test_without_what_it_needs_is_refused(tx, shop, values, field):
    with pytest.raises(Invalid) as refused:
        await add(tx, shop, **values)
    assert refused.value.data == {"field": field}
    assert await list_apps(tx, shop_id=shop.id) == []


async def test_may_have_as_much_as_the_limits_say(tx, shop):
    addresses = [f"{BACK}{n}" for n in range(URIS_MAX - 1)]
    addresses.append(BACK.ljust(URI_LENGTH_MAX, "x"))
    made = await add(tx, shop, name="x" * NAME_LENGTH_MAX, return_addresses=addresses)
    assert len(made.app.return_addresses) == URIS_MAX


@pytest.mark.parametrize(
    ("address", "is_good"),
    [
        ("https://app.example", True), ("http://localhost:8000/back", True),
        ("http://127.0.0.1/", True), ("http://[::1]:1/", True), ("com.example.app:/back", True),
        ("http://app.example/", False), ("https://", False), ("https:///back", False),
        ("app:/back", False), ("javascript:alert(1)", False), (f"{BACK}#part", False),
        ("https://me@app.example/", False), (f"{BACK}?a='b'", False), (f"{BACK}?a=b;c", False),
        ("https://[::1/", False), ("https://app.example/ü", False), ("https://app.example/ x", False),
        (BACK.ljust(URI_LENGTH_MAX + 1, "x"), False), ("", False),
    ],
)  # fmt: skip
async def test_returns_to_safe_addresses_alone(tx, shop, address, is_good):
    if is_good:
        assert (await add(tx, shop, return_addresses=[address])).app.return_addresses == (address,)
        return
    with pytest.raises(Invalid, match="return addresses"):
        await add(tx, shop, return_addresses=[BACK, address])


async def test_proves_itself_by_its_secret_on_its_channel(tx, shop):
    made, other = await add(tx, shop), await add(tx, shop)

    assert await proves(tx, made)
    for wrong in ({"secret": other.secret}, {"secret": ""}, {"channel": "toy_viewers"}):
        assert not await proves(tx, made, **wrong)
    assert (
        await prove_app(tx, channel=CHANNEL, client_id="c_unknown", secret=made.secret, now=NOON)
        is None
    )


async def test_has_its_former_secret_a_while_longer(tx, shop):
    made, other = await add(tx, shop), await add(tx, shop)

    fresh = await rotate(tx, made, shop_id=shop.id)

    assert await proves(tx, fresh)
    assert await proves(tx, made, now=NOON + 60 * SECOND - SECOND)
    assert not await proves(tx, made, now=NOON + 60 * SECOND)
    assert await proves(tx, fresh, now=NOON + 60 * SECOND)
    assert await proves(tx, other)
    assert not await proves(tx, fresh, secret=other.secret)
    assert fresh.secret not in repr(fresh)
    await rotate(tx, made)
    assert not await proves(tx, made)
    assert await proves(tx, fresh)


async def test_ends_with_the_next_call_and_stays_ended(tx, shop):
    made, other = await add(tx, shop), await add(tx, shop)

    ended = await revoke_app(tx, client_id=made.app.client_id, shop_id=shop.id, now=NOON)
    again = await revoke_app(tx, client_id=made.app.client_id, now=NOON + SECOND)

    assert (ended.revoked_at, again.revoked_at) == (NOON, NOON)
    assert not await proves(tx, made)
    [partner] = await list_partners(tx, partner_id=made.app.partner_id)
    assert not partner.active
    assert await proves(tx, other)
    with pytest.raises(NotFound, match="not_found"):
        await rotate(tx, made)
    stranger = await make_shop(tx)
    for call in (
        revoke_app(tx, client_id=other.app.client_id, shop_id=stranger.id, now=NOON),
        rotate(tx, other, shop_id=stranger.id),
    ):
        with pytest.raises(NotFound, match="not_found"):
            await call
    assert await proves(tx, other)


async def test_of_a_partner_that_is_switched_off_proves_nothing(tx, shop):
    made = await add(tx, shop)
    await set_terms(tx, partner_id=made.app.partner_id, terms=Terms(active=False))
    assert not await proves(tx, made)
