"""The pages of deliveries: shown with their attempts, sent again or withdrawn by those who may."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import SystemClock
from crossdock.shop.deliveries import Delivery, queue_delivery, show_delivery

DELIVERIES = "/console/deliveries"
KIND = "nobody_sends_this"


@pytest.fixture
def delivery_of(server_database: Database):
    """Queue a delivery of the shop of somebody and let it fail; its number."""

    async def make(who, error: str = "503 <b>busy</b>", status: str = "failed") -> int:
        shop_id, now = who.person.shop_id, SystemClock().now()
        async with server_database.begin() as tx:
            await queue_delivery(
                tx, shop_id=shop_id, kind=KIND, target="warehouse", subject_id=None, now=now,
                object_key=error,
            )  # fmt: skip
            return int(
                await tx.value(
                    "update deliveries set status = %s, last_error = %s, attempts = 8,"
                    " next_attempt_at = null where id = (select max(id) from deliveries"
                    " where shop_id = %s and kind = %s) returning id",
                    (status, error, shop_id, KIND),
                )
            )

    return make


@pytest.fixture
def read(server_database: Database):
    async def of(who, delivery_id: int) -> Delivery:
        async with server_database.statement() as tx:
            found, _log = await show_delivery(
                tx, shop_id=who.person.shop_id, delivery_id=delivery_id
            )
        return found

    return of


async def test_a_failed_one_is_sent_again_or_withdrawn(browser, person, delivery_of, read):
    noor = await person(role="manager")
    first, second = await delivery_of(noor), await delivery_of(noor, "other")
    opened = await browser(noor)

    page = (await opened.get(f"{DELIVERIES}?status=failed")).text
    resent = await opened.submit(f"{DELIVERIES}/{first}", {}, to=f"{DELIVERIES}/{first}/resend")
    withdrawn = await opened.submit(
        f"{DELIVERIES}/{second}", {}, to=f"{DELIVERIES}/{second}/withdraw"
    )
    again = await opened.submit(
        f"{DELIVERIES}/{second}", {"form_token": ""}, to=f"{DELIVERIES}/{second}/resend"
    )

    assert f'href="{DELIVERIES}/{first}"' in page
    assert "503 &lt;b&gt;busy&lt;/b&gt;" in page
    assert resent.headers["location"] == f"{DELIVERIES}/{first}?done=resent"
    assert withdrawn.headers["location"] == f"{DELIVERIES}/{second}?done=withdrawn"
    assert again.status_code == 403
    assert [(await read(noor, each)).status for each in (first, second)] == [
        "queued", "withdrawn",
    ]  # fmt: skip
    assert "is queued again" in (await opened.get(resent.headers["location"])).text


async def test_all_failed_ones_of_the_shop_are_sent_again(browser, person, delivery_of, read):
    noor, other = await person(role="manager"), await person(role="manager")
    mine = [await delivery_of(noor, text) for text in ("one", "two")]
    foreign = await delivery_of(other)
    opened = await browser(noor)

    asked = await opened.submit(f"{DELIVERIES}?status=failed", {}, to=DELIVERIES)
    before = [(await read(noor, each)).status for each in mine]
    done = await opened.submit_surely(f"{DELIVERIES}?status=failed", {}, to=DELIVERIES)

    assert "2 are sent again." in asked.text
    assert before == ["failed", "failed"]
    assert done.headers["location"] == f"{DELIVERIES}?resent=2"
    assert "2 deliveries are queued again." in (await opened.get(done.headers["location"])).text
    assert [(await read(noor, each)).status for each in mine] == ["queued", "queued"]
    assert (await read(other, foreign)).status == "failed"


async def test_roles_tokens_and_other_shops_keep_their_bounds(browser, person, delivery_of, read):
    noor = await person(role="manager")
    here = f"{DELIVERIES}/{await delivery_of(noor)}"
    number = int(here.rpartition("/")[2])
    viewer = await browser(await person(role="viewer", shop_id=noor.person.shop_id))
    stranger = await browser(await person(role="owner"))
    partner = await browser(await person(role="partner"))

    assert (await viewer.get(here)).status_code == 200
    assert "Send again" not in (await viewer.get(here)).text
    assert (await stranger.get(here)).status_code == 404
    assert (await partner.get(DELIVERIES)).status_code == 403
    for action, foreign in (("resend", 409), ("withdraw", 404)):
        for who, status in ((viewer, 403), (stranger, foreign)):
            reply = await who.submit("/console/account", {}, to=f"{here}/{action}")
            assert reply.status_code == status, action
        assert (await (await browser(noor)).post(f"{here}/{action}", {})).status_code == 403
    for odd in ("0", "x", "9" * 30):
        assert (await viewer.get(f"{DELIVERIES}/{odd}")).status_code == 404
    assert (await read(noor, number)).status == "failed"
