"""Partners are listed for operators..."""

from datetime import timedelta

import pytest

from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import (
    Terms,
    add_credential,
    add_partner,
    disable_credential,
    list_keys,
    list_partners,
    read_partner,
    read_partners_with,
    revoke_secrets,
    rotate_secret,
    set_terms,
    touch_partner,
    touch_partners,
)
from crossdock.shop.partners.calling import PartnerSight, list_called, partner_label
from tests.conftest import NOON
from tests.support.factories import box, make_shop

CHANNEL = "toy_tokens"
HOUR = timedelta(hours=1)


async def add(tx, shop, name, *, channel=CHANNEL, **terms):
    return await add_partner(
        tx, shop_id=shop.id, channel=channel, name=name, terms=Terms(**terms), box=box()
    )


async def key_of(tx, partner_id, **options):
    made = await add_credential(
        tx, partner_id=partner_id, ids=RandomIds(), box=box(), proof="bearer", prefix="toy_",
        **options,
    )  # fmt: skip
    return made.key


async def ids(tx, **wanted):
    return [view.id for view in await list_partners(tx, **wanted)]


async def test_by_shop_channel_and_number(tx):
    one, two = await make_shop(tx), await make_shop(tx)
    a = await add(tx, one, "z")
    b = await add(tx, one, "b", channel="another")
    c = await add(tx, two, "c")
    await touch_partner(tx, partner_id=a)

    assert await ids(tx, shop=one.slug) == [a, b]
    assert await ids(tx, shop=one.slug, channel=CHANNEL) == [a]
    assert await ids(tx, shop=two.slug) == [c]
    assert await ids(tx, partner_id=b) == [b]
    assert await ids(tx, shop=two.slug, partner_id=b) == []
    assert await ids(tx, channel="another", partner_id=a) == []
    everywhere = await ids(tx, channel=CHANNEL)
    assert everywhere == sorted(everywhere)
    assert {a, c} <= set(everywhere)
    assert b not in everywhere


async def test_with_all_that_was_agreed_and_the_names_of_secrets_alone(tx):
    shop = await make_shop(tx)
    partner_id = await add(
        tx, shop, "a", permissions=("read",), backorder=True, min_amount_minor=1,
        max_amount_minor=2, visible_merchants=(shop.merchant_id,), customer_id=shop.customer_id,
        settings={"colour": "red"}, secrets={"two": "s-2", "one": "s-1"},
    )  # fmt: skip

    [view] = await list_partners(tx, partner_id=partner_id)

    assert (view.shop, view.channel, view.name, view.active) == (shop.slug, CHANNEL, "a", True)
    assert (view.permissions, view.backorder, view.settings) == (("read",), True, {"colour": "red"})
    assert (view.min_amount_minor, view.max_amount_minor) == (1, 2)
    assert (view.visible_merchants, view.customer_id) == ((shop.merchant_id,), shop.customer_id)
    assert (view.price_list_id, view.watched_until, view.credentials) == (None, None, ())
    assert view.secrets == ("one", "two")


async def test_with_the_keys_and_secrets_in_the_order_they_were_made(tx):
    partner_id = await add(tx, await make_shop(tx), "a")
    first, second = await key_of(tx, partner_id), await key_of(tx, partner_id, is_test=True)
    lent = await key_of(tx, partner_id)
    await tx.run("update credentials set lent_until = %s where public_key = %s", (NOON, lent))
    await rotate_secret(tx, key=first, ids=RandomIds(), box=box(), now=NOON, overlap_s=3600)
    await disable_credential(tx, key=second, now=NOON)

    [view] = await list_partners(tx, partner_id=partner_id)

    assert [(c.key, c.is_test, c.disabled) for c in view.credentials] == [
        (first, False, False),
        (second, True, True),
    ]
    assert [secret.expires_at for secret in view.credentials[0].secrets] == [NOON + HOUR, None]
    numbers = [secret.id for secret in view.credentials[0].secrets]
    assert numbers == sorted(numbers)
    assert [secret.hint[:4] for secret in view.credentials[0].secrets] == ["toy_", "toy_"]
    assert not first.isdigit()


async def test_with_when_each_key_was_last_used_and_whether_it_still_works(tx):
    partner_id = await add(tx, await make_shop(tx), "a")
    unused, used, revoked = [await key_of(tx, partner_id) for _ in range(3)]
    await rotate_secret(tx, key=used, ids=RandomIds(), box=box(), now=NOON, overlap_s=3600)
    await tx.run(
        "update credential_secrets k set last_used_at = case when k.expires_at is null then %s else %s end"
        " from credentials c where c.id = k.credential_id and c.public_key = %s",
        (NOON, NOON + HOUR, used),
    )
    await revoke_secrets(tx, key=revoked, now=NOON)

    [view] = await list_partners(tx, partner_id=partner_id)

    found = {c.key: (c.last_used_at, c.is_live) for c in view.credentials}
    assert found == {unused: (None, True), used: (NOON + HOUR, True), revoked: (None, False)}
    await disable_credential(tx, key=used, now=NOON)
    [view] = await list_partners(tx, partner_id=partner_id)
    assert [c.is_live for c in view.credentials] == [True, False, False]


async def test_not_as_live_once_the_only_secret_is_to_end(tx):
    partner_id = await add(tx, await make_shop(tx), "a")
    await key_of(tx, partner_id)
    await tx.run("update credential_secrets set expires_at = %s where true", (NOON,))

    [view] = await list_partners(tx, partner_id=partner_id)

    assert [c.is_live for c in view.credentials] == [False]


async def test_key_by_key_the_newest_first_and_disabled_ones_last(tx):
    shop = await make_shop(tx)
    partner_id, other = await add(tx, shop, "a"), await add(tx, shop, "b")
    await key_of(tx, other)
    a, b, c = [await key_of(tx, partner_id) for _ in range(3)]
    await disable_credential(tx, key=b, now=NOON)
    await tx.run("update credential_secrets set created_at = %s where true", (NOON,))
    await rotate_secret(tx, key=a, ids=RandomIds(), box=box(), now=NOON, overlap_s=3600)
    await tx.run(
        "update credential_secrets set last_used_at = %s where created_at = %s", (NOON, NOON)
    )

    found = await list_keys(tx, partner_id=partner_id, limit=10)

    assert [(key.key, key.disabled_at) for key in found] == [(c, None), (a, None), (b, NOON)]
    hints = await tx.all(
        "select k.hint from credential_secrets k join credentials c on c.id = k.credential_id"
        " where c.public_key = %s order by k.id",
        (a,),
    )
    assert len({hint for (hint,) in hints}) == 2
    assert (found[1].hint, found[1].created_at) == (hints[1][0], NOON)
    assert found[1].last_used_at == NOON
    assert [key.key for key in await list_keys(tx, partner_id=partner_id, limit=2)] == [c, a]


async def test_by_what_they_set_for_their_channel(tx):
    shop, elsewhere = await make_shop(tx), await make_shop(tx)
    a = await add(tx, shop, "z", settings={"colour": "red"})
    await add(tx, shop, "b", settings={"shape": "round"})
    await add(tx, shop, "c", settings={"colour": "red"}, active=False)
    await add(tx, shop, "d", settings={"colour": "red"}, channel="another")
    await add(tx, elsewhere, "e", settings={"colour": "red"})
    f = await add(tx, shop, "f", settings={"size": "big"})
    await touch_partner(tx, partner_id=a)

    found = await read_partners_with(
        tx, shop_id=shop.id, channel=CHANNEL, settings=("size", "colour")
    )

    assert [(partner.id, partner.channel) for partner in found] == [(a, CHANNEL), (f, CHANNEL)]
    assert [partner.time_zone for partner in found] == ["Europe/Brussels"] * 2
    assert [partner.watched_until for partner in found] == [None, None]


async def test_as_the_shop_calls_them(tx):
    shop, elsewhere = await make_shop(tx), await make_shop(tx)
    a = await add(tx, shop, "z", settings={"hook": "x"}, visible_merchants=(7,))
    b = await add(tx, shop, "b", active=False)
    c = await add(tx, shop, "c", settings={"hook": "y"})
    await add(tx, shop, "d", settings={"hook": "x"}, channel="another")
    await add(tx, elsewhere, "e", settings={"hook": "x"})
    await touch_partner(tx, partner_id=a)

    async def called(**wanted):
        found = await list_called(tx, shop_id=shop.id, channel=CHANNEL, **wanted)
        return [each.id for each in found]

    assert await called() == [a, b, c]
    assert await called(setting="hook") == [a, c]
    assert await called(setting="a") == []
    assert await called(partner_ids=[c, b, 0]) == [b, c]
    assert await called(setting="hook", partner_ids=[b, c]) == [c]
    assert await called(partner_ids=[]) == []
    first, second, _ = await list_called(tx, shop_id=shop.id, channel=CHANNEL)
    assert first == PartnerSight(a, True, [7])
    assert second == PartnerSight(b, False, None)
    assert [sight.sees(number) for sight in (first, second) for number in (7, 8)] == [
        True,
        False,
        True,
        True,
    ]


async def test_one_by_one_even_when_switched_off(tx):
    partner_id = await add(tx, await make_shop(tx, time_zone="America/New_York"), "a", active=False)

    partner = await read_partner(tx, partner_id=partner_id)

    assert partner
    assert (partner.id, partner.name, str(partner.zone)) == (partner_id, "a", "America/New_York")
    assert await read_partner(tx, partner_id=0) is None


@pytest.mark.parametrize("merchants", [None, (), (1, 2)])
async def test_with_the_merchants_they_see(tx, merchants):
    partner_id = await add(tx, await make_shop(tx), "a", visible_merchants=merchants)

    partner = await read_partner(tx, partner_id=partner_id)

    assert partner
    assert partner.visible_merchants == merchants
    assert partner.merchant_ids == (None if merchants is None else list(merchants))


async def test_under_a_label_that_says_name_and_number(tx):
    shop, elsewhere = await make_shop(tx), await make_shop(tx)
    partner_id = await add(tx, shop, "Acme")

    async def label(shop_id, number):
        return await partner_label(tx, shop_id=shop_id, partner_id=number)

    assert await label(shop.id, partner_id) == f"Acme (partner {partner_id})"
    assert await label(shop.id, 0) == "partner 0"
    assert await label(elsewhere.id, partner_id) == f"partner {partner_id}"


async def test_as_changed_when_their_shop_is(tx):
    shop, elsewhere = await make_shop(tx), await make_shop(tx)
    numbers = [await add(tx, shop, "a"), await add(tx, shop, "b"), await add(tx, elsewhere, "c")]

    async def revisions():
        found = [await read_partner(tx, partner_id=number) for number in numbers]
        return [partner and partner.revision for partner in found]

    before = await revisions()
    await touch_partners(tx, shop_id=shop.id)
    after = await revisions()

    assert [b > a for a, b in zip(before, after, strict=True)] == [True, True, False]
    await set_terms(tx, partner_id=numbers[2], terms=Terms(backorder=True))
    assert (await revisions())[:2] == after[:2]
