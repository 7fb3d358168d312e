"""Partners are added, changed, rotated and disabled; their secrets are kept sealed."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from crossdock.errors import Conflict, NotFound, SealBroken
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import (
    Terms,
    add_credential,
    add_partner,
    disable_credential,
    list_partners,
    read_credential,
    revoke_old_secrets,
    revoke_secrets,
    rotate_secret,
    set_terms,
)
from crossdock.shop.partners.purging import NONCES_KEPT, purge_expired
from tests.conftest import NOON
from tests.support.factories import box, make_partner, make_shop

CHANNEL = "shoppex_partner"
HOUR = timedelta(hours=1)


async def view_of(tx, partner_id: int):
    [view] = await list_partners(tx, partner_id=partner_id)
    return view


async def test_a_name_is_one_partners_within_its_shops_channel(tx):
    one, two = await make_shop(tx), await make_shop(tx)
    await add_partner(tx, shop_id=one.id, channel=CHANNEL, name="Acme", terms=Terms())
    with pytest.raises(Conflict) as refused:
        await add_partner(tx, shop_id=one.id, channel=CHANNEL, name="Acme", terms=Terms())
    assert refused.value.code == "exists"
    await add_partner(tx, shop_id=two.id, channel=CHANNEL, name="Acme", terms=Terms())
    await add_partner(tx, shop_id=one.id, channel="another", name="Acme", terms=Terms())


async def test_only_the_given_terms_change(tx):
    shop = await make_shop(tx)
    partner = await make_partner(tx, shop=shop, min_amount_minor=100, settings={"a": 1, "b": 2})
    before = await view_of(tx, partner.id)
    await set_terms(
        tx, partner_id=partner.id, terms=Terms(backorder=True, settings={"b": None, "c": 3})
    )
    after = await view_of(tx, partner.id)
    assert after == msgspec.structs.replace(before, backorder=True, settings={"a": 1, "c": 3})
    await set_terms(
        tx, partner_id=partner.id, terms=Terms(min_amount_minor=None, visible_merchants=(7,))
    )
    changed = await view_of(tx, partner.id)
    assert (changed.min_amount_minor, changed.visible_merchants) == (None, (7,))
    await set_terms(tx, partner_id=partner.id, terms=Terms(visible_merchants=None))
    assert (await view_of(tx, partner.id)).visible_merchants is None


def test_terms_are_printed_by_their_names_alone():
    terms = Terms(backorder=True, max_amount_minor=None, secrets={"token": "s3cret"})

    assert repr(terms) == "Terms(backorder, max_amount_minor, secrets)"
    assert repr(Terms()) == "Terms()"


async def test_terms_of_nobody_are_not_found(tx):
    with pytest.raises(NotFound):
        await set_terms(tx, partner_id=2**60, terms=Terms(backorder=True))


async def test_every_change_raises_the_revision_that_workers_compare(tx):
    shop = await make_shop(tx)
    partner = await make_partner(tx, shop=shop)

    async def revision() -> int:
        return await tx.value("select revision from partners where id = %s", (partner.id,))

    seen = [await revision()]
    await set_terms(tx, partner_id=partner.id, terms=Terms(backorder=True))
    seen.append(await revision())
    await rotate_secret(tx, key=partner.key, ids=RandomIds(), box=box(), now=NOON, overlap_s=9)
    seen.append(await revision())
    await revoke_old_secrets(tx, key=partner.key, now=NOON)
    seen.append(await revision())
    await disable_credential(tx, key=partner.key, now=NOON)
    seen.append(await revision())
    assert seen == sorted(set(seen))


async def test_a_secret_is_sealed_and_bound_to_its_key(tx):
    shop = await make_shop(tx)
    one, two = await make_partner(tx, shop=shop), await make_partner(tx, shop=shop)
    sealed = await tx.all(
        "select c.public_key, k.sealed, k.id from credentials c join credential_secrets k on k.credential_id = c.id"
        " where c.partner_id = any(%s)",
        ([one.id, two.id],),
    )
    for _, blob, _ in sealed:
        assert one.secret.encode() not in blob
        assert two.secret.encode() not in blob
    blobs = {key: blob for key, blob, _ in sealed}
    await tx.run(
        "update credential_secrets set sealed = %s where id = %s",
        (blobs[one.key], next(row[2] for row in sealed if row[0] == two.key)),
    )
    with pytest.raises(SealBroken):
        await read_credential(tx, channel=CHANNEL, public_key=two.key, box=box())
    with pytest.raises(SealBroken):
        await read_credential(tx, channel=CHANNEL, public_key=one.key, box=SecretBox(bytes(32)))


async def test_an_old_pair_of_key_and_secret_can_be_carried_over_once(tx):
    shop = await make_shop(tx)
    partner = await make_partner(tx, shop=shop)
    pair: dict[str, Any] = {"key": f"pk_old_{shop.id}", "secret": "sk_from_the_old_shop"}
    made = await add_credential(tx, partner_id=partner.id, ids=RandomIds(), box=box(), **pair)
    assert (made.key, made.secret) == (pair["key"], pair["secret"])
    found = await read_credential(tx, channel=CHANNEL, public_key=made.key, box=box())
    assert found is not None
    assert found.secrets[0].value == b"sk_from_the_old_shop"
    with pytest.raises(Conflict):
        await add_credential(tx, partner_id=partner.id, ids=RandomIds(), box=box(), **pair)


async def test_at_most_two_secrets_live(tx):
    shop = await make_shop(tx)
    partner = await make_partner(tx, shop=shop)
    rotate: dict[str, Any] = {
        "key": partner.key,
        "ids": RandomIds(),
        "box": box(),
        "overlap_s": 3600,
    }
    await rotate_secret(tx, now=NOON, **rotate)
    with pytest.raises(Conflict):
        await rotate_secret(tx, now=NOON + HOUR - timedelta(seconds=1), **rotate)
    await rotate_secret(tx, now=NOON + HOUR, **rotate)
    assert await revoke_old_secrets(tx, key=partner.key, now=NOON + HOUR) >= 1
    await rotate_secret(tx, now=NOON + HOUR, **rotate)


async def test_rotating_and_disabling_nobody_is_not_found(tx):
    with pytest.raises(NotFound):
        await rotate_secret(tx, key="pk_no", ids=RandomIds(), box=box(), now=NOON, overlap_s=1)
    for operation in (revoke_old_secrets, disable_credential):
        with pytest.raises(NotFound):
            await operation(tx, key="pk_no", now=NOON)


async def test_disabling_twice_is_no_error_and_keeps_the_first_time(tx):
    partner = await make_partner(tx, shop=await make_shop(tx))
    await disable_credential(tx, key=partner.key, now=NOON)
    await disable_credential(tx, key=partner.key, now=NOON + HOUR)
    assert (
        await tx.value("select disabled_at from credentials where public_key = %s", (partner.key,))
        == NOON
    )
    with pytest.raises(NotFound):
        await rotate_secret(tx, key=partner.key, ids=RandomIds(), box=box(), now=NOON, overlap_s=1)


async def test_the_view_of_a_partner_holds_no_secret(tx):
    partner = await make_partner(tx, shop=await make_shop(tx))
    text = msgspec.json.encode(await view_of(tx, partner.id)).decode()
    assert partner.key in text
    assert partner.secret not in text
    assert "sealed" not in text


# ---------------------------------------------------------------- forgetting


async def test_forgetting_takes_what_is_over_and_nothing_else(tx):
    ids = range(-3, 0)  # of no credential
    for credential_id, age in zip(ids, (1, 0, -1), strict=True):
        await tx.run(
            "insert into nonces (credential_id, nonce, expires_at) values (%s, 'n', %s)",
            (credential_id, NOON - NONCES_KEPT - timedelta(seconds=age)),
        )
        await tx.run(
            "insert into rate_windows (credential_id, window_start, calls) values (%s, %s, 1)",
            (credential_id, NOON - timedelta(minutes=5) - timedelta(seconds=age)),
        )
        await tx.run(
            "insert into call_paces (credential_id, busy_until) values (%s, %s)",
            (credential_id, NOON - timedelta(minutes=5) - timedelta(seconds=age)),
        )
    await purge_expired(tx, now=NOON)
    assert await purge_expired(tx, now=NOON) == 0
    for table in ("nonces", "rate_windows", "call_paces"):
        left = await tx.all(f"select credential_id from {table} where credential_id < 0 order by 1")
        assert left == [(-2,), (-1,)]


async def test_forgetting_goes_on_until_nothing_is_over_and_tells_how_much_it_was(tx, monkeypatch):
    await purge_expired(tx, now=NOON)
    monkeypatch.setattr("crossdock.shop.partners.purging.BATCH", 2)
    for number in range(5):
        await tx.run(
            "insert into nonces (credential_id, nonce, expires_at) values (-1, %s, %s)",
            (str(number), NOON - NONCES_KEPT - timedelta(seconds=1)),
        )
    await tx.run(
        "insert into rate_windows (credential_id, window_start, calls) values (-1, %s, 1)",
        (NOON - HOUR,),
    )

    assert await purge_expired(tx, now=NOON) == 6

    assert await tx.value("select count(*) from nonces where credential_id = -1") == 0


async def test_a_rotation_gives_an_end_to_the_live_secret_alone(tx):
    partner = await make_partner(tx, shop=await make_shop(tx))
    other = await make_partner(tx, shop=await make_shop(tx))
    rotate: dict[str, Any] = {"key": partner.key, "ids": RandomIds(), "box": box()}
    await revoke_secrets(tx, key=partner.key, now=NOON)
    await rotate_secret(tx, now=NOON, overlap_s=3600, **rotate)
    await rotate_secret(tx, now=NOON, overlap_s=60, **rotate)

    async def lives(key: str) -> list[tuple[Any, Any]]:
        return await tx.all(
            "select k.expires_at, k.revoked_at from credential_secrets k"
            " join credentials c on c.id = k.credential_id where c.public_key = %s order by k.id",
            (key,),
        )

    assert await lives(partner.key) == [
        (None, NOON),
        (NOON + timedelta(seconds=60), None),
        (None, None),
    ]
    assert await lives(other.key) == [(None, None)]
