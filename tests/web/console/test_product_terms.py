"""What is typed into a product's page of its shipping and its orders is saved; a mistake is told, and saves nothing."""

import msgspec
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.catalogue import (
    CustomField,
    OrderTerms,
    OrderTermsChanges,
    ProductChanges,
    ProductTerms,
    ShippingTerm,
    change_product,
    read_owned,
    read_terms,
    set_terms,
)
from crossdock.web.console.product_order_terms import (
    ORDER_TERMS,
    changed_order_terms,
    order_terms_texts,
)
from crossdock.web.console.product_terms import TERMS, changed_terms, terms_texts
from tests.support.factories import moment
from tests.support.people import hidden_fields
from tests.support.staff import Desk

PRODUCTS = "/console/products"

WHOLE = ProductTerms(
    shipping_minor=150,
    free_shipping=True,
    shipping_days=(3, 10),
    shipping_terms=(
        ShippingTerm(courier="IN19A04", price_minor=250, days=(5, 5)),
        ShippingTerm(courier="US19A08", price_minor=0),
    ),
    ships_to=("IN", "US"),
    target_users="women",
    features=("Soft", "Light, too"),
)
TYPED = {
    "shipping": "1.50", "free": "yes", "days": "3 – 10", "terms": "IN19A04 2.50 5\r\n\r\nUS19A08 0\r\n",
    "countries": "in; US", "users": "women", "features": "Soft\r\nLight, too\r\nSoft",
}  # fmt: skip


@pytest.fixture
async def desk(server_database: Database) -> Desk:
    """A shop of the server."""
    return await Desk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))


@pytest.fixture
def staff(person, browser, desk):
    """A browser of somebody of the shop with this role."""

    async def sign_in(role: str = "manager"):
        return await browser(await person(role=role, shop_id=desk.shop.id))

    return sign_in


async def product_of(desk, variant):
    async with desk.db.statement() as tx:
        return await tx.value("select product_id from variants where id = %s", (variant,))


async def terms_of(desk, product):
    async with desk.db.statement() as tx:
        return await read_terms(tx, shop_id=desk.shop.id, product_id=product)


async def test_are_saved_shown_and_told(desk, staff):
    product = await product_of(desk, await desk.variant())
    here = f"{PRODUCTS}/{product}/edit"
    opened = await staff()

    done = await opened.submit(here, TYPED)

    assert done.headers["location"].startswith(f"{here}?done=saved&undo=")
    assert await terms_of(desk, product) == WHOLE
    page = (await opened.get(here)).text
    assert ">IN19A04 2.50 5-5\nUS19A08 0.00</textarea>" in page
    assert '<option value="women" selected>Women</option>' in page
    async with desk.db.statement() as tx:
        told = await tx.all(
            "select payload -> 'product_ids' from events where shop_id = %s and kind = 'catalogue.changed'",
            (desk.shop.id,),
        )
    assert told == [([product],)]


async def test_lines_are_changed_as_a_browser_sends_them_also_in_what_was_shown(desk, staff):
    product = await product_of(desk, await desk.variant())
    here = f"{PRODUCTS}/{product}/edit"
    async with desk.db.begin() as tx:
        await set_terms(
            tx, shop_id=desk.shop.id, product_id=product, terms=WHOLE, now=desk.clock.now()
        )
    opened = await staff()
    shown = hidden_fields((await opened.get(here)).text)
    fields = shown | {"terms": "IN19A04 2,50 5\nUS19A08 1", "features": "Soft"}

    done = await opened.post(here, {k: v.replace("\n", "\r\n") for k, v in fields.items()})

    assert done.status_code == 303
    terms = await terms_of(desk, product)
    assert [each.price_minor for each in terms.shipping_terms] == [250, 100]
    assert terms.features == ("Soft",)


async def test_what_is_emptied_is_what_a_product_has_without_them(desk, staff):
    product = await product_of(desk, await desk.variant())
    async with desk.db.begin() as tx:
        await set_terms(
            tx, shop_id=desk.shop.id, product_id=product, terms=WHOLE, now=desk.clock.now()
        )
    empty = dict.fromkeys(TERMS, "") | {"free": "no", "users": "unknown"}
    await (await staff()).submit(f"{PRODUCTS}/{product}/edit", empty)
    assert await terms_of(desk, product) == ProductTerms()


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("shipping", "-1", "Shipping cannot cost less than nothing: -1."),
        ("shipping", "much", "much"),
        ("days", "10-3", "Write days as 3-10, not as 10-3."),
        ("days", "3-1001", "Write days as 3-10, not as 3-1001."),
        ("terms", "IN19A04", "Write a courier&#39;s code, a price and days in each line"),
        ("terms", "india 2.50", "not india 2.50."),
        ("terms", "XX19A04 2.50", "is no country code of ISO 3166-1"),
        ("terms", "IN19A04 2.50 soon", "Write days as 3-10, not as soon."),
        ("terms", "IN1 1\nIN1 2", "The courier IN1 is there twice."),
        ("countries", "IN, XX", "is no country code of ISO 3166-1"),
        ("features", "\n".join("abcdef"), "At most five features, of 1,000 characters each."),
        ("features", "x" * 1_001, "At most five features, of 1,000 characters each."),
    ],
)
async def test_a_mistake_is_told_and_nothing_is_saved(desk, staff, field, text, told):
    product = await product_of(desk, await desk.variant())
    async with desk.db.begin() as tx:
        await set_terms(
            tx, shop_id=desk.shop.id, product_id=product, terms=WHOLE, now=desk.clock.now()
        )
    reply = await (await staff()).submit(f"{PRODUCTS}/{product}/edit", {"name": "New", field: text})
    assert reply.status_code == 400
    assert told in reply.text
    assert await terms_of(desk, product) == WHOLE


def test_what_is_shown_is_read_as_it_was():
    texts = terms_texts(WHOLE, currency="USD")
    assert set(texts) == set(TERMS)
    assert changed_terms(texts, ProductTerms(), currency="USD") == WHOLE


ASKED = OrderTerms(
    quantity_min=2,
    quantity_max=5,
    custom_fields=(
        CustomField(name="Character", required=True, regex="^[A-Z]"),
        CustomField(name="Level", type="number", placeholder="1 to 9"),
    ),
)
ASKED_TYPED = {
    "least": " 2 ", "most": "5", "field0-name": "Character", "field0-required": "yes", "field0-regex": "^[A-Z]",
    "field2-name": " Level", "field2-type": "number", "field2-placeholder": "1 to 9", "field1-regex": "a",
}  # fmt: skip


async def order_terms_of(desk, product):
    async with desk.db.statement() as tx:
        owned = await read_owned(tx, shop_id=desk.shop.id, merchant_ids=None, product_id=product)
    return owned.order_terms


async def ask(desk, product, terms):
    """Set what the product asks of an order."""
    changes = ProductChanges(order_terms=OrderTermsChanges(**msgspec.structs.asdict(terms)))
    async with desk.db.begin() as tx:
        await change_product(
            tx,
            shop_id=desk.shop.id,
            merchant_ids=None,
            product_id=product,
            changes=changes,
            now=desk.clock.now(),
        )


async def test_what_an_order_has_is_saved_shown_and_taken_back(desk, staff):
    product = await product_of(desk, await desk.variant())
    here = f"{PRODUCTS}/{product}/edit"
    opened = await staff()

    done = await opened.submit(here, ASKED_TYPED)

    assert await order_terms_of(desk, product) == ASKED
    page = (await opened.get(here)).text
    assert 'name="field1-name" value="Level"' in page
    assert '<option value="number" selected>A number</option>' in page
    assert 'name="field4-name" value=""' in page
    assert 'name="field5-name"' not in page
    shown = (await opened.get(done.headers["location"])).text
    undo = {n: t for n, t in hidden_fields(shown).items() if not n.startswith("shown.")}
    assert undo
    await opened.submit(here, {"field0-name": "", "least": "", "field1-name": "Rank"})
    left = OrderTerms(
        quantity_max=5,
        custom_fields=(CustomField(name="Rank", type="number", placeholder="1 to 9"),),
    )
    assert await order_terms_of(desk, product) == left


async def test_a_field_that_somebody_else_changed_is_told_by_its_row(desk, staff):
    product = await product_of(desk, await desk.variant())
    here = f"{PRODUCTS}/{product}/edit"
    opened = await staff()
    await ask(desk, product, ASKED)
    shown = hidden_fields((await opened.get(here)).text)
    other = (msgspec.structs.replace(ASKED.custom_fields[0], regex="^[0-9]"),)
    await ask(desk, product, msgspec.structs.replace(ASKED, custom_fields=other))

    reply = await opened.post(here, shown | {"field0-regex": "^[a-z]"})

    assert reply.status_code == 409
    assert "Field 1: Pattern: now ^[0-9], you entered ^[a-z]" in reply.text
    assert (await order_terms_of(desk, product)).custom_fields == other


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"least": "0"}, "as a whole number up to 10,000, not as 0."),
        ({"most": "10001"}, "not as 10001."),
        ({"least": "-1"}, "not as -1."),
        ({"least": "²"}, "not as ²."),
        ({"most": "1"}, "The most of one order cannot be below the least."),
        ({"field2-name": "CHARACTER"}, "needs a name of its own"),
        ({"field2-name": "a\tb"}, "must be visible, in one line"),
        ({"field2-name": "\u3164"}, "must be visible, in one line"),
        ({"field0-regex": "("}, "must be a regular expression"),
        ({"field0-regex": "(?=a)"}, "must be a regular expression"),
        ({"field0-placeholder": "x" * 201}, "at most 64 characters"),
        ({"field2-name": "x" * 65}, "at most 64 characters"),
    ],
)
async def test_a_mistake_in_what_an_order_has_is_told_and_nothing_is_saved(
    desk, staff, typed, told
):
    product = await product_of(desk, await desk.variant())
    await ask(desk, product, ASKED)
    reply = await (await staff()).submit(f"{PRODUCTS}/{product}/edit", {"name": "New"} | typed)
    assert reply.status_code == 400
    assert told in reply.text
    assert await order_terms_of(desk, product) == ASKED


def test_what_an_order_has_is_read_as_it_was_shown():
    texts = order_terms_texts(ASKED)
    assert set(texts) == set(ORDER_TERMS)
    read = changed_order_terms(texts, OrderTerms())
    assert OrderTerms(**msgspec.structs.asdict(read)) == ASKED
