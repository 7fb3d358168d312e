"""A partner who is admitted to a channel..."""

from decimal import Decimal
from typing import Any

import pytest

from crossdock.errors import Conflict, Invalid
from crossdock.kit.ids import SeededIds
from crossdock.kit.outbound import Outbound
from crossdock.shop.partners import (
    Admitting,
    ChannelFacts,
    admit_partner,
    change_terms,
    list_partners,
    read_credential,
)
from crossdock.shop.shops import read_shop
from tests.support.factories import box, make_shop

FACTS: dict[str, Any] = {
    "name": "toy",
    "permissions": ("read", "order", "refund"),
    "settings": {},
    "proof": "bearer",
    "token_prefix": "toy_",
}


def unasked():
    """The box, where no secret has to be sealed."""
    raise AssertionError("the box was asked for")


@pytest.fixture
async def shop(tx):
    return await make_shop(tx)


@pytest.fixture
def admitting(tx, shop):
    async def made(**facts):
        return Admitting(
            shop=await read_shop(tx, slug=shop.slug),
            facts=ChannelFacts(**FACTS | facts),
            ids=SeededIds(7),
            box=box,
            outbound=Outbound(),
        )

    return made


async def admit(tx, admitting, *, name="Acme", is_test=False, **words):
    return await admit_partner(tx, admitting=admitting, name=name, words=words, is_test=is_test)


async def view_of(tx, partner_id):
    [view] = await list_partners(tx, partner_id=partner_id)
    return view


async def test_has_the_permissions_that_need_not_be_asked_for(tx, shop, admitting):
    channel = await admitting(on_request=("refund",))

    view = await view_of(tx, (await admit(tx, channel, name=" Acme ")).partner_id)

    assert (view.shop, view.channel, view.name) == (shop.slug, "toy", "Acme")
    assert view.permissions == ("read", "order")
    named = await admit(tx, channel, name="Ben", permissions="refund")
    assert (await view_of(tx, named.partner_id)).permissions == ("refund",)


async def test_of_a_channel_without_permissions_has_none(tx, admitting):
    channel = await admitting(permissions=())

    admitted = await admit(tx, channel)

    assert (await view_of(tx, admitted.partner_id)).permissions == ()


@pytest.mark.parametrize("is_test", [True, False])
async def test_has_a_credential_of_each_proof(tx, admitting, is_test):
    channel = await admitting(further_proofs=("signature", "password"))

    admitted = await admit(tx, channel, is_test=is_test)

    view = await view_of(tx, admitted.partner_id)
    assert [(c.proof, c.is_test, c.disabled) for c in view.credentials] == [
        ("bearer", is_test, False),
        ("signature", is_test, False),
        ("password", is_test, False),
    ]
    assert [c.key for c in view.credentials] == [c.key for c in admitted.created]
    token, secret, password = (c.secret for c in admitted.created)
    assert token.startswith("toy_")
    assert not secret.startswith("toy_")
    assert not password.startswith("toy_")
    assert [c.key.partition("_")[0] for c in admitted.created] == ["pk", "pk", "user"]


async def test_has_a_number_for_a_key_where_keys_are_numbers_but_a_name_for_a_password(
    tx, admitting
):
    channel = await admitting(
        proof="signature", keys_are_numbers=True, further_proofs=("password",)
    )

    number, name = (c.key for c in (await admit(tx, channel)).created)

    assert number.isdigit()
    assert not name.isdigit()
    found = await read_credential(tx, channel="toy", public_key=number, box=box())
    assert found
    assert found.partner.channel == "toy"


@pytest.mark.parametrize(
    ("needs_customer", "customer", "can_order"),
    [
        (True, None, False),
        (True, "none", False),
        (True, "own", True),
        (False, None, True),
        (False, "none", True),
    ],
)
async def test_can_order_with_a_customer_or_where_none_is_needed(
    tx, shop, admitting, needs_customer, customer, can_order
):
    channel = await admitting(needs_customer=needs_customer)
    own = str(shop.customer_id) if customer == "own" else customer

    admitted = await admit(tx, channel, **({"customer": own} if own else {}))

    assert admitted.can_order is can_order
    expected = shop.customer_id if customer == "own" else None
    assert (await view_of(tx, admitted.partner_id)).customer_id == expected


async def test_needs_a_name_that_can_be_seen_and_is_free(tx, admitting):
    channel = await admitting()
    await admit(tx, channel)

    for blank in ("", "  ", "\u200b"):
        with pytest.raises(Invalid) as refused:
            await admit(tx, channel, name=blank)
        assert refused.value.data == {"field": "name"}
    with pytest.raises(Conflict):
        await admit(tx, channel, name=" Acme")
    assert await tx.value("select count(*) from partners where channel = 'toy'") == 1


async def test_does_not_show_its_secrets_where_it_is_printed(tx, admitting):
    admitted = await admit(tx, await admitting())

    assert repr(admitted) == f"Admitted(partner_id={admitted.partner_id}, can_order=False)"


async def change(tx, admitting, partner_id, **words):
    await change_terms(tx, admitting=admitting, partner_id=partner_id, words=words)


async def test_has_its_terms_changed_without_the_box(tx, admitting):
    channel = await admitting()
    partner_id = (await admit(tx, channel)).partner_id
    without_box = Admitting(
        shop=channel.shop, facts=channel.facts, ids=channel.ids, box=unasked, outbound=Outbound()
    )

    await change(tx, without_box, partner_id, backorder="yes", min_amount="2.50")

    view = await view_of(tx, partner_id)
    assert (view.backorder, view.min_amount_minor, view.max_amount_minor) == (True, 250, None)


@pytest.mark.parametrize(
    ("before", "after", "is_taken"),
    [
        ({"min_amount": "5"}, {"max_amount": "5"}, True),
        ({"min_amount": "5"}, {"max_amount": "4.99"}, False),
        ({"max_amount": "5"}, {"min_amount": "5.01"}, False),
        ({"max_amount": "5"}, {"min_amount": "5"}, True),
        ({"min_amount": "5"}, {"backorder": "yes"}, True),
        ({"max_amount": "5"}, {"backorder": "yes"}, True),
        ({}, {"min_amount": "5"}, True),
    ],
)
async def test_has_a_least_amount_not_above_its_largest(tx, admitting, before, after, is_taken):
    channel = await admitting()
    partner_id = (await admit(tx, channel, **before)).partner_id

    if is_taken:
        await change(tx, channel, partner_id, **after)
        amounts = before | after
        view = await view_of(tx, partner_id)
        assert (view.min_amount_minor, view.max_amount_minor) == tuple(
            amounts.get(name) and int(Decimal(amounts[name]) * 100)
            for name in ("min_amount", "max_amount")
        )
        return
    with pytest.raises(Invalid) as refused:
        await change(tx, channel, partner_id, **after)
    assert refused.value.data == {"field": "max_amount"}
