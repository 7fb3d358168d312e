"""The mailbox: read by those who may, each shop its own."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import SystemClock
from crossdock.shop.mailing import SECRETS, Mailing
from tests.support.factories import box

MAIL = "/console/mail"


@pytest.fixture
def mail_of(server_database: Database):
    """Write a mail for the shop of somebody; its number."""

    async def write(who, to: str = "ada@buyer.example") -> int:
        mailing = Mailing(box=box(), mailer=None, host="shop.example")
        async with server_database.begin() as tx:
            return await mailing.queue_mail(
                tx, shop_id=who.person.shop_id, template="item_delivery", to=to,
                values={"product": "Blue <Mug>", "serials": ["KEY-1"]}, key=to,
                now=SystemClock().now(),
            )  # fmt: skip

    return write


async def test_is_listed_searched_and_read(browser, person, mail_of):
    noor = await person(role="manager")
    first = await mail_of(noor)
    second = await mail_of(noor, "bo@buyer.example")
    opened = await browser(noor)

    page = (await opened.get(MAIL)).text
    found = (await opened.get(MAIL, params={"to": "ADA@buyer.example"})).text
    none = (await opened.get(MAIL, params={"to": "<i>x"})).text
    mail = (await opened.get(f"{MAIL}/{first}")).text

    assert f'href="{MAIL}/{first}"' in page
    assert f'href="{MAIL}/{second}"' in page
    assert f'href="{MAIL}/{second}"' not in found
    assert "No mail was written to &lt;i&gt;x." in none
    assert "ada@buyer.example" in mail
    assert "Blue &lt;Mug&gt;" in mail
    assert "KEY-1" not in mail
    assert "are hidden here" in mail
    assert "<dd>Kept here</dd>" in mail


async def test_tells_goods_and_links_into_accounts_to_owners_alone(
    browser, person, server_database
):
    secret = "https://shop.example/open/x9"
    owner = await person(role="owner")
    manager = await person(role="manager", shop_id=owner.person.shop_id)
    readers = {"owner": await browser(owner), "manager": await browser(manager)}
    seen = {}
    for template, names in SECRETS.items():
        values = {
            **dict.fromkeys(("shop", "by", "product", "note"), "x"),
            "expires_at": SystemClock().now(),
            **{name: [secret] if name in {"serials", "lines"} else secret for name in names},
        }
        async with server_database.begin() as tx:
            mail_id = await Mailing(box=box(), mailer=None, host="shop.example").queue_mail(
                tx, shop_id=owner.person.shop_id, template=template, to="ada@buyer.example",
                values=values, key=template, now=SystemClock().now(),
            )  # fmt: skip
        pages = {role: await opened.get(f"{MAIL}/{mail_id}") for role, opened in readers.items()}
        assert {page.status_code for page in pages.values()} == {200}
        seen[template] = {role for role, page in pages.items() if secret in page.text}
    assert seen.pop("reseller_invitation") == set()
    assert list(seen.values()) == [{"owner"}] * 4


async def test_is_for_the_shops_managers_alone(browser, person, mail_of):
    noor = await person(role="manager")
    mail_id = await mail_of(noor)
    packer = await browser(await person(role="warehouse", shop_id=noor.person.shop_id))
    stranger = await browser(await person(role="owner"))

    assert [(await packer.get(path)).status_code for path in (MAIL, f"{MAIL}/{mail_id}")] == [
        403, 403,
    ]  # fmt: skip
    assert (await stranger.get(f"{MAIL}/{mail_id}")).status_code == 404
    assert "No mail was written yet." in (await stranger.get(MAIL)).text
    for odd in ("0", "x", "9" * 30):
        assert (await stranger.get(f"{MAIL}/{odd}")).status_code == 404
