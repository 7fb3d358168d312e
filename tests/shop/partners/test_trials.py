"""A key that is lent for one call..."""

from datetime import timedelta

import pytest

from crossdock.errors import Invalid
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import Prefixes, add_app, add_credential, list_partners
from crossdock.shop.partners.facts import ChannelFacts
from crossdock.shop.partners.trials import LENT_FOR, lend_credential, take_back
from tests.conftest import NOON
from tests.support.factories import box, make_partner, make_shop

CHANNEL = "toy_tokens"
BEARER = ChannelFacts(
    name=CHANNEL, permissions=(), settings={}, proof="bearer", token_prefix="toy_"
)
NUMBERS = ChannelFacts(
    name=CHANNEL, permissions=(), settings={}, keys_are_numbers=True, token_prefix="toy_"
)


@pytest.fixture
async def partner_id(tx):
    return (await make_partner(tx, shop=await make_shop(tx), channel=CHANNEL)).id


async def lend(tx, partner_id, facts=BEARER):
    return await lend_credential(
        tx, partner_id=partner_id, facts=facts, ids=RandomIds(), box=box(), now=NOON
    )


async def kept(tx, key):
    """Until when the key is lent, and its secret is good, and whether it is a test's."""
    return await tx.one(
        "select c.lent_until, k.expires_at, c.is_test from credentials c"
        " join credential_secrets k on k.credential_id = c.id"
        " where c.channel = %s and c.public_key = %s",
        (CHANNEL, key),
    )


async def test_ends_by_itself_with_its_secret_and_no_other(tx, partner_id):
    own = await add_credential(
        tx, partner_id=partner_id, ids=RandomIds(), box=box(), proof="bearer", prefix="toy_"
    )

    lent = await lend(tx, partner_id)

    assert await kept(tx, lent.key) == (NOON + LENT_FOR, NOON + LENT_FOR, True)
    assert await kept(tx, own.key) == (None, None, False)
    assert timedelta() < LENT_FOR < timedelta(minutes=10)
    assert lent.secret.startswith("toy_")
    [view] = await list_partners(tx, partner_id=partner_id)
    assert lent.key not in [credential.key for credential in view.credentials]


async def test_looks_as_the_channel_s_keys_do(tx, partner_id):
    lent = await lend(tx, partner_id, NUMBERS)

    assert lent.key.isdigit()
    assert not lent.secret.startswith("toy_")
    assert lent.proof == "signature"


async def test_is_taken_back_and_no_other(tx, partner_id):
    own = await add_credential(
        tx, partner_id=partner_id, ids=RandomIds(), box=box(), proof="bearer", prefix="toy_"
    )
    lent, other = await lend(tx, partner_id), await lend(tx, partner_id)

    await take_back(tx, channel="another", key=lent.key)
    await take_back(tx, channel=CHANNEL, key=own.key)
    assert await kept(tx, lent.key)
    await take_back(tx, channel=CHANNEL, key=lent.key)

    assert await kept(tx, lent.key) is None
    assert await kept(tx, own.key)
    assert await kept(tx, other.key)


async def test_is_not_lent_for_an_app(tx):
    shop = await make_shop(tx)
    made = await add_app(
        tx, shop_id=shop.id, channel=CHANNEL, name="Ledger", return_addresses=["https://a.example"],
        scopes=["read"], known_scopes=["read"], ids=RandomIds(), now=NOON,
        prefixes=Prefixes(client="c_", secret="s_", code="o_", access="a_", refresh="r_"),
    )  # fmt: skip

    with pytest.raises(Invalid, match="consents"):
        await lend(tx, made.app.partner_id)

    held = "select count(*) from credentials where partner_id = %s"
    assert await tx.value(held, (made.app.partner_id,)) == 0
