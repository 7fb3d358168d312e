"""People who act for another shop's reseller relationship: their own shop does not change how they sign in."""

import re

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import SystemClock
from crossdock.shop.people import Person, add_person
from crossdock.shop.resellers.acting import add_member
from tests.support.factories import ShopFixture, make_shop
from tests.support.people import password_hash
from tests.support.reselling import CHANNEL, Reselling

PEOPLE = "/console/people"
WAYS = {
    "password": {"by_mail": "yes"},
    "second-step": {},
    "access": {"on": "no"},
    "sessions": {},
}


@pytest.fixture
async def shop(server_database: Database) -> ShopFixture:
    async with server_database.begin() as tx:
        return await make_shop(tx)


@pytest.fixture
def join(server_database: Database):
    """Have somebody act for a relationship of another shop."""

    async def run(person_id: int) -> None:
        selling = await Reselling.open(server_database, SystemClock(), channel=CHANNEL)
        reseller, _partner = await selling.reseller()
        async with server_database.begin() as tx:
            await add_member(
                tx, shop_id=selling.shop.id, reseller_id=reseller.id, person_id=person_id,
                now=SystemClock().now(),
            )  # fmt: skip

    return run


async def reseller_of(tx: Transaction, shop: ShopFixture) -> Person:
    return await add_person(
        tx, shop_id=shop.id, email=f"sam-{shop.slug}@sales.example", is_reseller=True,
        password_hash=password_hash(), now=SystemClock().now(),
    )  # fmt: skip


async def state_of(db: Database, person_id: int) -> tuple[object, ...] | None:
    """What opens the account: hash, second factor, whether it may, its sessions and links, and mails."""
    async with db.statement() as tx:
        return await tx.one(
            "select p.password_hash, p.totp_sealed, p.active,"
            " (select count(*) from sessions s where s.principal_id = p.id),"
            " (select count(*) from password_links l where l.person_id = p.id),"
            " (select count(*) from mails m where m.recipient = p.email)"
            " from people p where p.id = %s",
            (person_id,),
        )


async def refuse_all(opened, db: Database, person_id: int) -> None:
    before, here = await state_of(db, person_id), f"{PEOPLE}/{person_id}"
    for action, fields in WAYS.items():
        reply = await opened.submit(PEOPLE, fields, to=f"{here}/{action}")
        assert reply.status_code == 403, action
        assert "Whoever runs the server" in reply.text
    assert (await opened.get(f"{here}/password")).status_code == 403
    page = await opened.get(here)
    assert page.status_code == 200
    assert f'href="{here}/password"' not in page.text
    assert f'action="{here}/access"' not in page.text
    assert f'action="{here}/sessions"' not in page.text
    assert await state_of(db, person_id) == before


async def test_a_reseller_is_not_changed_by_the_shop_that_invited_it(
    person, browser, shop, server_database
):
    owner = await browser(await person(role="owner", shop_id=shop.id))
    async with server_database.begin() as tx:
        sam = await reseller_of(tx, shop)

    await refuse_all(owner, server_database, sam.id)


async def test_staff_who_act_for_another_shop_are_not_changed_but_in_role(
    person, browser, shop, server_database, join
):
    owner = await browser(await person(role="owner", shop_id=shop.id))
    bo = await person(role="manager", shop_id=shop.id, with_totp=True)
    await join(bo.id)

    await refuse_all(owner, server_database, bo.id)
    here = f"{PEOPLE}/{bo.id}"
    role = await owner.submit(here, {"role": "viewer"}, to=f"{here}/role")

    assert role.status_code == 303


async def test_a_link_made_before_opens_nothing_and_is_hidden_in_the_mailbox(
    person, browser, shop, server_database, join
):
    owner, guest = await browser(await person(role="owner", shop_id=shop.id)), await browser()
    bo = await person(role="viewer", shop_id=shop.id)
    here = f"{PEOPLE}/{bo.id}/password"
    shown = (await owner.submit(here, {"by_mail": "yes"})).text
    (link,) = re.findall(r"(/console/welcome/token/[A-Za-z0-9]+)", shown)
    async with server_database.statement() as tx:
        mail = await tx.value("select id from mails where shop_id = %s", (shop.id,))
    assert link in (await owner.get(f"/console/mail/{mail}")).text
    assert (await guest.get(link)).status_code == 200

    await join(bo.id)

    assert (await guest.get(link)).status_code == 404
    assert link not in (await owner.get(f"/console/mail/{mail}")).text
