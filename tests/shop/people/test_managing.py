"""Adding and changing people: what is refused, and what ends with a change."""

import re
from pathlib import Path

import psycopg
import pytest

from crossdock.errors import Conflict, Invalid, NotFound, Refused
from crossdock.shop.people import (
    RIGHTS,
    ROLES,
    STAFF_ROLES,
    add_person,
    disable_person,
    enable_person,
    find_person,
    list_people,
    rights_of,
    set_password_hash,
    set_role,
)
from tests.support.factories import make_partner, make_shop
from tests.support.people import PASSWORD, make_person

PEOPLE_PAGE = Path("docs/operating/people.md")


WAREHOUSE = {
    *("orders.read", "labels.print", "orders.fulfil", "stock.adjust"),
    *("alerts.read", "alerts.close", "tickets.read", "products.read", "deliveries.read"),
    "customers.read",
}
MATRIX = {
    "owner": WAREHOUSE
    | {
        "orders.manage",
        "products.manage",
        "mail.read",
        "deliveries.manage",
        "tickets.answer",
        "imports.manage",
        "partners.manage",
        *("events.read", "ledger.read", "payouts.manage", "search.manage", "serials.reveal"),
        "customers.manage",
        "shop.manage",
        "people.manage",
    },
    "manager": WAREHOUSE
    | {
        "orders.manage",
        "products.manage",
        "mail.read",
        "deliveries.manage",
        "tickets.answer",
        "imports.manage",
        "partners.manage",
        *("events.read", "ledger.read", "payouts.manage", "search.manage", "serials.reveal"),
        "customers.manage",
    },
    "warehouse": WAREHOUSE,
    "viewer": {
        *("orders.read", "products.read", "deliveries.read", "alerts.read", "tickets.read"),
        "events.read",
        "customers.read",
    },
    "partner": {"own_partner.read"},
    "reseller": {"own_reseller.read"},
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("right", RIGHTS)
def test_a_role_has_its_rights_and_no_other(role, right):
    assert (right in rights_of(role)) is (right in MATRIX[role])


def test_a_partners_people_share_no_right_with_the_staff():
    of_staff = frozenset().union(*(rights_of(role) for role in STAFF_ROLES))

    assert set(STAFF_ROLES) == set(ROLES) - {"partner", "reseller"}
    for role in ("partner", "reseller"):
        assert not of_staff & rights_of(role)


def test_the_page_for_operators_shows_the_same_rights():
    rows = re.findall(
        r"^\| `([a-z_.]+)`: [^|]+((?:\| *(?:yes)? *)+)\|$", PEOPLE_PAGE.read_text(), re.MULTILINE
    )

    shown = {right: ["yes" in cell for cell in cells[1:].split("|")] for right, cells in rows}
    assert shown == {
        right: [right in rights_of(role) for role in STAFF_ROLES]
        for right in RIGHTS
        if any(right in rights_of(role) for role in STAFF_ROLES)
    }


async def test_an_e_mail_belongs_to_one_person_whatever_its_letters(tx):
    first = await make_person(tx)

    with pytest.raises(Conflict, match="a person with the e-mail") as caught:
        await make_person(tx, email=f" {first.email.upper()} ")

    assert caught.value.code == "exists"
    assert (await find_person(tx, email=f" {first.email.title()}")).id == first.id


@pytest.mark.parametrize("email", ["", "ada", "@x.example", "a b@x.example", "a@b@c", "a\x00@x"])
async def test_what_is_no_e_mail_is_refused(tx, clock, email):
    shop = await make_shop(tx)

    with pytest.raises(Invalid, match="not an e-mail"):
        await add_person(
            tx, shop_id=shop.id, email=email, role="viewer", password_hash="x", now=clock.now()
        )
    with pytest.raises(NotFound):
        await find_person(tx, email=email)


async def test_an_unknown_role_is_refused_with_the_known_ones(tx):
    noor = await make_person(tx)

    with pytest.raises(Invalid, match="owner, manager, warehouse, viewer"):
        await set_role(tx, person_id=noor.id, role="root")


async def test_the_last_owner_can_be_neither_disabled_nor_demoted(tx):
    shop = await make_shop(tx)
    owner = await make_person(tx, shop_id=shop.id, role="owner")
    await make_person(tx, shop_id=shop.id, role="manager")

    with pytest.raises(Refused, match="last owner"):
        await disable_person(tx, person_id=owner.id)
    with pytest.raises(Refused, match="last owner"):
        await set_role(tx, person_id=owner.id, role="viewer")
    second = await make_person(tx, shop_id=shop.id, role="owner")
    await disable_person(tx, person_id=owner.id)
    with pytest.raises(Refused, match="last owner"):
        await set_role(tx, person_id=second.id, role="manager")
    await enable_person(tx, person_id=owner.id)
    await set_role(tx, person_id=second.id, role="manager")


async def test_nobody_is_not_found_whatever_is_to_change(tx):
    nobody = 2**60
    for change in (
        disable_person(tx, person_id=nobody),
        enable_person(tx, person_id=nobody),
        set_role(tx, person_id=nobody, role="owner"),
        set_password_hash(tx, person_id=nobody, password_hash="x"),
    ):
        with pytest.raises(NotFound, match="no such person"):
            await change


async def test_a_list_shows_one_shop_and_no_hashes(tx):
    shop = await make_shop(tx)
    mine = await make_person(tx, shop_id=shop.id, email=f"b-{shop.slug}@x.example")
    also = await make_person(tx, shop_id=shop.id, email=f"a-{shop.slug}@x.example")
    await make_person(tx)

    listed = await list_people(tx, shop_id=shop.id)

    assert [person.id for person in listed] == [also.id, mine.id]
    assert "argon2" not in repr(listed)


async def test_changing_the_password_ends_the_other_sessions_alone(people, person, sign_in, source):
    noor = await person()
    here, elsewhere = await sign_in(noor), await sign_in(noor)
    visit = await people.visit(token=here)

    with pytest.raises(Invalid, match="present password"):
        await people.account.change_password(
            visit, password="not this one", new_password="seven grey herons wait", source=source
        )
    with pytest.raises(Invalid, match="commonest"):
        await people.account.change_password(
            visit, password=PASSWORD, new_password="password1234", source=source
        )
    assert await people.visit(token=elsewhere)
    await people.account.change_password(
        visit, password=PASSWORD, new_password="seven grey herons wait", source=source
    )

    assert await people.visit(token=here)
    assert await people.visit(token=elsewhere) is None
    assert await people.sign_in(email=noor.email, password=PASSWORD, source=source) is None
    assert await people.sign_in(email=noor.email, password="seven grey herons wait", source=source)


async def test_a_partners_person_has_the_partners_role_and_no_other(tx, clock):
    partner = await make_partner(tx, shop=await make_shop(tx))
    robin = await make_person(tx, role="partner", shop_id=partner.shop_id, partner_id=partner.id)

    assert (robin.person.principal, robin.person.role) == ("partner", "partner")
    assert robin.person.rights == ("own_partner.read",)
    with pytest.raises(Refused, match="only staff have roles"):
        await set_role(tx, person_id=robin.id, role="owner")
    with pytest.raises(Invalid, match="one of owner"):
        await set_role(tx, person_id=(await make_person(tx)).id, role="partner")


async def test_a_partner_of_another_shop_is_answered_like_an_unknown_one(tx, clock):
    foreign = await make_partner(tx, shop=await make_shop(tx))
    shop = await make_shop(tx)

    told = []
    for partner_id in (foreign.id, 987_654_321):
        with pytest.raises(NotFound) as refused:
            await add_person(
                tx, shop_id=shop.id, partner_id=partner_id, email="robin@x.example",
                password_hash="x", now=clock.now(),
            )  # fmt: skip
        told.append(refused.value.message.replace(str(partner_id), "N"))

    assert told[0] == told[1]
    assert await list_people(tx, shop_id=shop.id) == []


@pytest.mark.parametrize(
    "columns",
    [
        {"kind": "staff", "role": "partner"},
        {"kind": "staff", "partner_id": True},
        {"kind": "partner", "role": "owner", "partner_id": True},
        {"kind": "partner", "role": "partner"},
    ],
)
async def test_the_database_keeps_staff_and_partners_people_apart(tx, columns):
    partner = await make_partner(tx, shop=await make_shop(tx))
    row = {"role": "viewer", "partner_id": False} | columns

    with pytest.raises(psycopg.errors.CheckViolation):
        await tx.run(
            "insert into people (shop_id, kind, partner_id, email, role, password_hash)"
            " values (%s, %s, %s, 'robin@x.example', %s, 'x')",
            (
                partner.shop_id,
                row["kind"],
                partner.id if row["partner_id"] else None,
                row["role"],
            ),
        )
