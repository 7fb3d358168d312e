"""A search over everything ..."""

from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.finding import HITS_MAX, find_anything
from crossdock.shop.mailing import Mailing
from crossdock.shop.people import Person
from tests.support.factories import box, make_partner, make_shop, make_variant
from tests.support.people import make_person
from tests.support.ticketing import Helpdesk, line

Found = set[tuple[str, int]]


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Helpdesk:
    return await Helpdesk.open(database, clock)


async def staff(desk: Helpdesk, role: str = "owner", **values: Any) -> Person:
    async with desk.db.begin() as tx:
        return (await make_person(tx, shop_id=desk.shop.id, role=role, **values)).person


async def found(desk: Helpdesk, person: Person, text: str) -> Found:
    async with desk.db.statement() as tx:
        orders, hits = await find_anything(tx, person=person, text=text, now=desk.clock.now())
    return {("order", row.id) for row in orders} | {(hit.kind, hit.id) for hit in hits}


async def product_of(desk: Helpdesk, variant_id: int) -> int:
    async with desk.db.statement() as tx:
        return int(await tx.value("select product_id from variants where id = %s", (variant_id,)))


async def test_finds_orders_and_tickets_by_their_numbers(desk: Helpdesk) -> None:
    order = await desk.order()
    ticket = await desk.ticket(lines=(line(order),), last_name="De Wit", email="Wil@wit.example")
    ada = await staff(desk)

    assert ("order", order) in await found(desk, ada, f" {order} ")
    for text in (str(ticket), "de w", "DE WIT", "wil@WIT.example"):
        assert ("ticket", ticket) in await found(desk, ada, text), text
    assert await found(desk, ada, "e wit") == set()


async def test_finds_products_by_numbers_and_by_how_their_names_begin(desk: Helpdesk) -> None:
    async with desk.db.begin() as tx:
        variant = await make_variant(tx, shop=desk.shop, sku="MUG-7", gtin14="00012345678905")
        await tx.run("update products set name = 'Blue_Mug 100%% wool' where id ="
                     " (select product_id from variants where id = %s)", (variant,))  # fmt: skip
    product, ada = ("product", await product_of(desk, variant)), await staff(desk)

    for text in ("MUG-7", "012345678905", str(variant), "blue", "Blue_Mug 100%", "BLUE_"):
        assert product in await found(desk, ada, text), text
    for text in ("Mug", "Blue%", "BlueX", "b"):
        assert product not in await found(desk, ada, text), text


async def test_finds_merchants_by_number_slug_email_and_how_their_names_begin(
    desk: Helpdesk,
) -> None:
    ada = await staff(desk)
    async with desk.db.begin() as tx:
        merchant = await tx.value(
            "insert into merchants (shop_id, slug, name, email)"
            " values (%s, 'hats-2', 'Harbour Hats', 'Hats@harbour.example') returning id",
            (desk.shop.id,),
        )

    for text in (str(merchant), "HATS-2", "harbour h", "hats@HARBOUR.example"):
        assert ("merchant", merchant) in await found(desk, ada, text), text
    for text in ("hats", "bour", "h"):
        assert ("merchant", merchant) not in await found(desk, ada, text), text


async def test_finds_customers_partners_people_and_mails(desk: Helpdesk) -> None:
    ada = await staff(desk, name="Ada Lovelace", email="ada@shop.example")
    async with desk.db.begin() as tx:
        await tx.run(
            "update customers set email = 'Jo@acme.example', last_name = 'Ångström', company = 'Acme'"
            " where shop_id = %s and id = %s",
            (desk.shop.id, desk.shop.customer_id),
        )
        mail = await Mailing(box=box(), mailer=None, host="shop.example").queue_mail(
            tx, shop_id=desk.shop.id, template="item_delivery", to="jo@acme.example",
            values={"product": "Mug", "serials": ["KEY"]}, key="1", now=desk.clock.now(),
        )  # fmt: skip
        partner = await make_partner(tx, shop=desk.shop)
        name = await tx.value("select name from partners where id = %s", (partner.id,))

    customer = ("customer", desk.shop.customer_id)
    assert await found(desk, ada, "JO@acme.example") >= {customer, ("mail", mail)}
    assert customer in await found(desk, ada, "ångs")
    assert customer in await found(desk, ada, "acm")
    assert ("partner", partner.id) in await found(desk, ada, name[:-1].upper())
    assert ("person", ada.id) in await found(desk, ada, "ada lo")
    assert ("person", ada.id) in await found(desk, ada, "ADA@shop.example")


@pytest.mark.parametrize(
    ("role", "kinds"),
    [
        ("owner", {"order", "ticket", "partner", "mail", "person", "merchant"}),
        ("manager", {"order", "ticket", "partner", "mail", "merchant"}),
        ("warehouse", {"order", "ticket", "merchant"}),
        ("viewer", {"order", "ticket", "merchant"}),
    ],
)
async def test_shows_what_the_role_may_read(desk: Helpdesk, role, kinds) -> None:
    async with desk.db.begin() as tx:
        await tx.run("update partners set name = 'zz@zz.example' where id = %s", (desk.partner.id,))
        await tx.run(
            "update merchants set email = 'zz@zz.example' where shop_id = %s", (desk.shop.id,)
        )
        await tx.run("update orders set billing = billing || '{\"email\": \"zz@zz.example\"}'"
                     " where shop_id = %s", (desk.shop.id,))  # fmt: skip
        await Mailing(box=box(), mailer=None, host="shop.example").queue_mail(
            tx, shop_id=desk.shop.id, template="item_delivery", to="zz@zz.example",
            values={"product": "Mug", "serials": ["KEY"]}, key="1", now=desk.clock.now(),
        )  # fmt: skip
    await desk.order()
    async with desk.db.begin() as tx:
        await tx.run("update orders set billing = billing || '{\"email\": \"zz@zz.example\"}'"
                     " where shop_id = %s", (desk.shop.id,))  # fmt: skip
    await desk.ticket(email="zz@zz.example")
    await staff(desk, name="zz@zz.example")
    asking = await staff(desk, role)

    assert {kind for kind, _id in await found(desk, asking, "zz@zz.example")} == kinds


async def test_shows_nothing_of_another_shop(desk: Helpdesk, database: Database) -> None:
    order = await desk.order()
    ticket = await desk.ticket(last_name="Elsewhere")
    async with database.begin() as tx:
        other = await make_shop(tx)
        stranger = (await make_person(tx, shop_id=other.id, role="owner")).person

    for text in (str(order), str(ticket), "elsewhere", "product", desk.agent.email):
        assert await found(desk, stranger, text) == set(), text


async def test_is_cut_at_its_most_of_each_kind(desk: Helpdesk) -> None:
    made = [await desk.ticket(last_name="Many") for _ in range(HITS_MAX + 3)]
    ada = await staff(desk)

    assert await found(desk, ada, "many") <= {("ticket", each) for each in made}
    assert len(await found(desk, ada, "many")) == HITS_MAX


@pytest.mark.parametrize("text", ["", " ", "\x00", "%", "\\", "'", "x" * 300, "9" * 30])
async def test_finds_nothing_by_odd_texts(desk: Helpdesk, text) -> None:
    await desk.ticket()
    assert await found(desk, await staff(desk), text) == set()
