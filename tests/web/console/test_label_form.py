"""The manual label form..."""

import re

import pytest

from crossdock.db.unit_of_work import Database
from tests.support.factories import make_partner, make_variant
from tests.web.console.conftest import MakePerson, OpenBrowser

FORM = "/admin/shipper/add"
WHOLE = {
    "trackingReference": "A-17_b",
    "addressFirstname": "Zoë",
    "addressLastname": "<b>Łuk</b>",
    "addressCompany": "",
    "addressEmail": "zoe@example.be",
    "addressPhone": "",
    "addressStreet": "Veldstraat",
    "addressNumber": "3",
    "addressBox": "",
    "addressZip": "9000",
    "addressCity": "Gent",
    "addressCountry": "BE",
    "addressState": "",
    "addressLanguage": "nl",
    "parcelWeight": "",
    "parcelService": "standard",
}


def mistakes(html: str) -> dict[str, str]:
    """What the page says is wrong, by field."""
    return dict(re.findall(r'id="(\w+)-wrong">([^<]+)<', html))


def value(html: str, name: str) -> str:
    """What an input of the form holds."""
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', html)
    assert found
    return found[1]


async def labels(database: Database, shop_id: int) -> int:
    async with database.statement() as tx:
        query = "select count(*) from manual_labels where shop_id = %s"
        return int(await tx.value(query, (shop_id,)))


@pytest.mark.parametrize("path", [FORM, "/shipper/add"])
async def test_asks_a_stranger_to_sign_in_and_come_back(browser: OpenBrowser, path: str) -> None:
    stranger = await browser()

    asked = await stranger.get(f"{path}?ext=manual&addressCity=Gent")

    assert asked.status_code == 303
    wanted = f"{path}%3Fext%3Dmanual%26addressCity%3DGent".replace("/", "%2F")
    assert asked.headers["location"] == f"/console/sign-in?next={wanted}"


async def test_is_not_for_a_viewer(person: MakePerson, browser: OpenBrowser) -> None:
    viewer = await browser(await person(role="viewer"))

    refused = await viewer.get(FORM)

    assert refused.status_code == 403
    assert "viewer" in refused.text


async def test_takes_what_is_valid_from_the_link_and_never_fails(
    person: MakePerson, browser: OpenBrowser
) -> None:
    packer = await browser(await person(role="warehouse"))

    page = await packer.get(
        f"{FORM}?ext=manual&trackingReference=no%20spaces&addressCity=%3Cscript%3E&addressCountry=xx"
        f"&addressLanguage=zz&addressZip={'9' * 500}&addressStreet=Kerkstraat"
    )

    assert page.status_code == 200
    assert value(page.text, "trackingReference") == ""
    assert value(page.text, "addressCity") == "&lt;script&gt;"
    assert value(page.text, "addressZip") == ""
    assert value(page.text, "addressStreet") == "Kerkstraat"
    assert '<option value="nl" selected>' in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("trackingReference", "a b", "At most 64 letters"),
        ("trackingReference", "é", "At most 64 letters"),
        ("trackingReference", "abc\n", "cannot be printed"),
        ("addressEmail", "zoe@example.be\n", "cannot be printed"),
        ("addressCountry", "BE\n", "cannot be printed"),
        ("addressLanguage", "nl\n", "cannot be printed"),
        ("addressEmail", "", "missing"),
        ("addressCity", "\u200b", "missing"),
        ("addressEmail", "nobody", "not an e-mail"),
        ("addressStreet", " ", "missing"),
        ("addressNumber", "", "missing"),
        ("addressZip", "", "missing"),
        ("addressCity", "", "missing"),
        ("addressCity", "x" * 101, "At most 100"),
        ("addressStreet", "a\x07b", "cannot be printed"),
    ],
)
async def test_names_the_field_that_is_wrong_and_makes_no_label(
    person: MakePerson,
    browser: OpenBrowser,
    server_database: Database,
    field: str,
    text: str,
    told: str,
) -> None:
    who = await person(role="warehouse")
    packer = await browser(who)

    answer = await packer.submit(FORM, WHOLE | {field: text})

    assert answer.status_code == 422
    assert told in mistakes(answer.text)[field]
    assert await labels(server_database, who.person.shop_id) == 0


@pytest.mark.parametrize(
    ("country", "chosen", "told"),
    [
        (None, "BE", ""), ("", "BE", ""), ("fr", "FR", ""), ("%20NL", "NL", ""),
        ("UK", None, "write GB for United Kingdom"), ("EL", None, "write GR for Greece"),
        ("xx", None, "its two letters"), ("%C3%9F", None, "its two letters"),  # ß, not South Sudan
        ("GBR", None, "write GB for United Kingdom"), ("x" * 500, None, "its two letters"),
    ],
)  # fmt: skip
async def test_never_takes_a_country_of_a_link_for_another(
    person: MakePerson,
    browser: OpenBrowser,
    country: str | None,
    chosen: str | None,
    told: str,
) -> None:
    packer = await browser(await person(role="warehouse"))

    page = (await packer.get(FORM + ("" if country is None else f"?addressCountry={country}"))).text

    select = re.search(r'<select id="addressCountry".*?</select>', page, re.DOTALL)
    assert select
    options = re.findall(r'<option value="(\w*)"( selected)?>', select[0])
    assert [code for code, is_chosen in options if is_chosen] == [chosen or ""]
    assert (options[0][0] == "") is (chosen is None)
    assert len([code for code, _ in options if code]) == 249
    note = re.search(r'<p class="note" role="status">(.*?)</p>', page)
    assert told in (note[1] if note else "")
    assert (note is None) is (told == "")


@pytest.mark.parametrize(
    ("country", "told"),
    [("UK", "GB for United Kingdom"), ("", "Choose a country."), ("XX", "its two letters")],
)
async def test_a_country_that_is_none_is_not_sent_as_another(
    person: MakePerson, browser: OpenBrowser, server_database: Database, country: str, told: str
) -> None:
    who = await person(role="warehouse")
    packer = await browser(who)

    answer = await packer.submit(FORM, WHOLE | {"addressCountry": country})

    assert answer.status_code == 422
    assert told in mistakes(answer.text)["addressCountry"]
    assert re.search(r'<select id="addressCountry"[^>]*>\s*<option value=""', answer.text)
    assert 'value="AF" selected' not in answer.text
    assert await labels(server_database, who.person.shop_id) == 0


async def test_needs_a_name_or_a_company(person: MakePerson, browser: OpenBrowser) -> None:
    packer = await browser(await person(role="warehouse"))
    nameless = WHOLE | {"addressFirstname": "", "addressLastname": ""}

    assert "addressFirstname" in mistakes((await packer.submit(FORM, nameless)).text)
    for unseen in ("\u200b", " \u2060\ufeff", "\u3164", "\u2800\u0301", "\u202e"):
        answer = await packer.submit(FORM, nameless | {"addressCompany": unseen})
        assert answer.status_code == 422
        assert "addressFirstname" in mistakes(answer.text)
    company = await packer.submit(FORM, nameless | {"addressCompany": "Boten BV"})
    assert company.status_code == 303


@pytest.mark.parametrize(("country", "is_needed"), [("CH", True), ("FR", False), ("GB", True)])
async def test_needs_a_phone_number_outside_the_union(
    person: MakePerson, browser: OpenBrowser, country: str, is_needed: bool
) -> None:
    packer = await browser(await person(role="warehouse"))

    answer = await packer.submit(FORM, WHOLE | {"addressCountry": country})

    assert ("addressPhone" in mistakes(answer.text)) is is_needed
    assert answer.status_code == (422 if is_needed else 303)


async def test_makes_a_label_to_print(
    person: MakePerson, browser: OpenBrowser, server_database: Database
) -> None:
    who = await person(role="warehouse")
    packer = await browser(who)

    made = await packer.submit(FORM, WHOLE)

    assert made.status_code == 303
    page = await packer.get(made.headers["location"])
    assert "&lt;b&gt;Łuk&lt;/b&gt;" in page.text
    number = re.search(r'Tracking number <span class="mono">([A-Z0-9]+)', page.text)
    assert number
    assert re.search(rf'href="http[^"]+/track/{number[1]}"', page.text)
    pdf = await packer.get(f"{made.headers['location']}.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")
    zpl = await packer.get(f"{made.headers['location']}.zpl")
    assert zpl.text.startswith("^XA")
    assert number[1] in zpl.text
    async with server_database.statement() as tx:
        (noted,) = await tx.all("select act, details from acts where actor = %s", (who.email,))
    assert noted[0] == FORM
    assert set(noted[1].values()) == {"(not kept)"}


async def test_refuses_a_form_of_more_fields_than_it_has(
    person: MakePerson, browser: OpenBrowser, server_database: Database
) -> None:
    who = await person(role="warehouse")
    packer = await browser(who)

    more = WHOLE | {f"more{number}": "x" for number in range(40)}
    answer = await packer.submit(FORM, more)

    assert answer.status_code == 400
    assert "at most 50 fields" in answer.text
    assert await labels(server_database, who.person.shop_id) == 0


async def test_trims_what_was_copied_along(person: MakePerson, browser: OpenBrowser) -> None:
    packer = await browser(await person(role="warehouse"))

    page = await packer.get(f"{FORM}?trackingReference=%20B-9%C2%A0&addressCity=Gent%0A")
    made = await packer.submit(FORM, WHOLE | {"trackingReference": "\tB-9\u00a0"})

    assert value(page.text, "trackingReference") == "B-9"
    assert value(page.text, "addressCity") == ""
    assert "<dd>B-9</dd>" in (await packer.get(made.headers["location"])).text


async def test_prints_the_box_once(person: MakePerson, browser: OpenBrowser) -> None:
    packer = await browser(await person(role="warehouse"))

    made = await packer.submit(FORM, WHOLE | {"addressBox": "bus 7"})

    zpl = await packer.get(f"{made.headers['location']}.zpl")
    assert "^FX Veldstraat 3 / bus 7\n" in zpl.text
    assert zpl.text.count("bus 7") == 1


async def test_keeps_a_label_from_other_shops(person: MakePerson, browser: OpenBrowser) -> None:
    packer = await browser(await person(role="warehouse"))
    stranger = await browser(await person(role="owner"))
    path = (await packer.submit(FORM, WHOLE)).headers["location"]

    foreign = [await stranger.get(path + ending) for ending in ("", ".pdf", ".zpl")]
    unknown = await stranger.get("/admin/shipper/label/999999999")

    assert [answer.status_code for answer in foreign] == [404] * 3
    assert {answer.text for answer in foreign} == {unknown.text}


async def test_refuses_a_form_that_is_not_its_own(
    person: MakePerson, browser: OpenBrowser, server_database: Database
) -> None:
    who = await person(role="warehouse")
    packer = await browser(who)

    for token in ({}, {"csrf_token": "guessed"}):
        assert (await packer.post(FORM, WHOLE | token)).status_code == 403

    assert await labels(server_database, who.person.shop_id) == 0


@pytest.mark.parametrize(
    "query",
    [
        "ext=magento&order={number}",
        "ext=instance&instance=0F9C3D2A-1B4E-4C7D-8A6F-123456789ABC&order={number}",
        "ext=instance&instance=%7B0F9C3D2A-1B4E-4C7D-8A6F-123456789ABC%7D&order={number}",
    ],
)
async def test_fills_itself_from_an_order(
    person: MakePerson, browser: OpenBrowser, server_database: Database, query: str
) -> None:
    who = await person(role="warehouse")
    async with server_database.begin() as tx:
        partner_id = await _partner_with_order(tx, shop_id=who.person.shop_id, number="WEB 88")
    assert partner_id
    packer = await browser(who)

    page = await packer.get(f"{FORM}?{query.format(number='WEB%2088')}")

    assert "Filled from order WEB 88." in page.text
    assert value(page.text, "addressStreet") == "Kerkstraat"
    assert value(page.text, "addressNumber") == "9"
    assert value(page.text, "trackingReference") == "WEB-88"


async def test_says_that_an_order_is_unknown_and_stays_usable(
    person: MakePerson, browser: OpenBrowser
) -> None:
    packer = await browser(await person(role="warehouse"))

    page = await packer.get(f"{FORM}?ext=magento&order=%3Cnone%3E")

    assert page.status_code == 200
    assert "There is no order &lt;none&gt; in this shop." in page.text


async def _partner_with_order(tx, *, shop_id: int, number: str) -> int:
    from tests.support.factories import ShopFixture, make_customer, make_merchant

    shop = ShopFixture(
        id=shop_id,
        slug="",
        merchant_id=await make_merchant(tx, shop_id=shop_id),
        customer_id=await make_customer(tx, shop_id=shop_id),
    )
    variant = await make_variant(tx, shop=shop)
    partner = await make_partner(tx, shop=shop, channel="shopwedo")
    address = (
        '{"street": "Kerkstraat", "house_number": "9", "postcode": "2800", "city": "Mechelen"}'
    )
    await tx.run(
        "with made as (insert into orders (shop_id, order_key, partner_id, channel, partner_order_id,"
        " fulfilment_state, release_policy, currency, subtotal_minor, total_minor, billing, shipping,"
        " source, placed_at, updated_at)"
        " values (%s, 'k', %s, 'shopwedo', %s, 'processing', 'placed', 'USD', 0, 0, %s::jsonb,"
        " %s::jsonb, 'shopwedo', now(), now()) returning *)"
        " insert into identities (shop_id, namespace, key, order_id, created_at)"
        " select shop_id, 'partner:' || partner_id, partner_order_id, id, placed_at from made",
        (shop_id, partner.id, number, address, address),
    )
    assert variant
    return partner.id


@pytest.mark.parametrize(
    ("field", "text"),
    [("addressCity", "東京"), ("addressFirstname", "שלום"), ("addressStreet", "شارع")],
)
async def test_says_at_the_field_what_a_label_cannot_print(
    person: MakePerson, browser: OpenBrowser, database: Database, field: str, text: str
) -> None:
    somebody = await person(role="warehouse")
    packer = await browser(somebody)

    refused = await packer.submit(FORM, WHOLE | {field: text})

    assert refused.status_code == 422
    assert list(mistakes(refused.text)) == [field]
    assert text[0] in mistakes(refused.text)[field]
    assert value(refused.text, field) == text
    assert await labels(database, somebody.person.shop_id) == 0


async def test_takes_an_american_address_with_its_number_in_the_street(
    person: MakePerson, browser: OpenBrowser
) -> None:
    packer = await browser(await person(role="warehouse"))
    american = {
        "addressStreet": "480 Wabash Row",
        "addressNumber": "",
        "addressCity": "Chicago",
        "addressZip": "60605",
        "addressState": "IL",
        "addressCountry": "US",
        "addressPhone": "+1 312 555 0100",
    }

    lacking = await packer.submit(FORM, WHOLE | american | {"addressState": ""})
    numberless = await packer.submit(FORM, WHOLE | american | {"addressStreet": "Wabash Row"})
    made = await packer.submit(FORM, WHOLE | american)

    assert list(mistakes(lacking.text)) == ["addressState"]
    assert list(mistakes(numberless.text)) == ["addressNumber"]
    zpl = (await packer.get(f"{made.headers['location']}.zpl")).text
    assert "^FX 480 Wabash Row\n" in zpl
    assert "^FX Chicago, IL 60605\n" in zpl


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("addressCountry=FR", "fr"),
        ("addressCountry=AT", "de"),
        ("addressCountry=US", "en"),
        ("addressCountry=FR&addressLanguage=en", "en"),
        ("addressCountry=UK", "nl"),
        ("", "nl"),
    ],
)
async def test_chooses_the_language_of_the_country(
    person: MakePerson, browser: OpenBrowser, query: str, language: str
) -> None:
    packer = await browser(await person(role="warehouse"))

    page = await packer.get(f"{FORM}?ext=manual&{query}")

    assert f'<option value="{language}" selected>' in page.text


async def test_takes_weight_and_service(person: MakePerson, browser: OpenBrowser) -> None:
    packer = await browser(await person(role="warehouse"))
    heavy = {"parcelWeight": "1250", "parcelService": "express"}

    made = await packer.submit(FORM, WHOLE | heavy)
    zpl = (await packer.get(f"{made.headers['location']}.zpl")).text

    assert "^FX 1.250 kg\n" in zpl
    assert "^FX EXPRESS\n" in zpl
    for weight in ("1.5", "-1", "1000001", "99999999"):
        refused = await packer.submit(FORM, WHOLE | {"parcelWeight": weight})
        assert list(mistakes(refused.text)) == ["parcelWeight"], weight
    refused = await packer.submit(FORM, WHOLE | {"parcelService": "balloon"})
    assert list(mistakes(refused.text)) == ["parcelService"]


async def test_puts_the_cursor_into_the_first_wrong_field(
    person: MakePerson, browser: OpenBrowser
) -> None:
    packer = await browser(await person(role="warehouse"))

    refused = await packer.submit(FORM, WHOLE | {"addressZip": "", "addressEmail": "nobody"})

    assert re.findall(r'id="(\w+)"[^>]* autofocus', refused.text) == ["addressEmail"]


async def test_signs_out(person: MakePerson, browser: OpenBrowser) -> None:
    packer = await browser(await person(role="warehouse"))
    page = (await packer.get(FORM)).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    assert token

    await packer.post("/console/sign-out", {"form_token": token[1]})

    assert (await packer.get(FORM)).status_code == 303
