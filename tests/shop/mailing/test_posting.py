"""A mail to a person..."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Invalid, NotFound
from crossdock.kit.clock import FrozenClock
from crossdock.kit.mail import Mailer
from crossdock.shop.deliveries import Delivering, DeliveryKinds, deliver_due, list_deliveries
from crossdock.shop.mailing import (
    BODY_CHARS,
    HIDDEN,
    MAIL,
    SECRETS,
    SUBJECT_CHARS,
    MailContent,
    Mailing,
    MailView,
    list_mails,
    purge_mails,
    read_mail,
    rendering,
)
from tests.support.factories import ShopFixture, box, make_shop, moment
from tests.support.mailbox import Mailbox

TO = "ada@moreno.example"
VALUES: dict[str, Any] = {"product": "Blue <Mug>", "serials": ["KEY-1", "KEY-2"]}


class Post:
    """A shop that writes mails, with an SMTP server or without."""

    def __init__(self, db: Database, clock: FrozenClock, shop: ShopFixture) -> None:
        self.db, self.clock, self.shop = db, clock, shop
        self.mailing = Mailing(box=box(), mailer=None, host="shop.example")

    def through(self, mailbox: Mailbox) -> None:
        mailer = Mailer(
            host="127.0.0.1", port=mailbox.port, encryption="none", sender="us@shop.example"
        )
        self.mailing = Mailing(box=box(), mailer=mailer, host="shop.example")

    async def write(self, *, key: str = "item 1", to: str = TO, **values: Any) -> int:
        async with self.db.begin() as tx:
            return await self.mailing.queue_mail(
                tx, shop_id=self.shop.id, template="item_delivery", to=to,
                values={**VALUES, **values}, key=key, now=self.clock.now(),
            )  # fmt: skip

    async def deliver(self) -> list[str]:
        service = Delivering(
            db=self.db, clock=self.clock, turns=self.clock,
            kinds=DeliveryKinds([self.mailing.delivery_kind]),
        )  # fmt: skip
        return list((await deliver_due(service, limit=10, shop_id=self.shop.id)).values())

    async def mails(self) -> list[MailView]:
        async with self.db.statement() as tx:
            return await list_mails(tx, shop_id=self.shop.id)

    async def read(self, mail_id: int) -> MailContent:
        async with self.db.statement() as tx:
            return await read_mail(
                tx, shop_id=self.shop.id, mail_id=mail_id, box=box(), reveals=SECRETS
            )


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with Mailbox() as running:
        yield running


@pytest.fixture
async def post(database: Database, clock: FrozenClock) -> Post:
    async with database.begin() as tx:
        return Post(database, clock, await make_shop(tx))


async def test_stays_in_the_mailbox_without_an_smtp_server(post):
    mail_id = await post.write()

    assert await post.deliver() == []
    mail = await post.read(mail_id)
    assert (mail.status, mail.to, mail.subject) == ("kept", TO, "Your Blue <Mug>")
    assert mail.text.splitlines()[3:6] == ["", "KEY-1", "KEY-2"]
    assert [view.id for view in await post.mails()] == [mail_id]


def test_says_of_every_template_what_is_for_its_reader_alone():
    folder = Path(rendering.__file__).with_name("templates")
    assert {path.stem for path in folder.glob("*.txt")} == set(SECRETS)
    assert set(SECRETS) == set(get_args(rendering.TemplateName))
    for template, names in SECRETS.items():
        assert names
        for suffix in ("txt", "html"):
            text = (folder / f"{template}.{suffix}").read_text()
            assert all(name in text for name in names), (template, suffix)
            text = re.sub(r'_\("[^"]*"', "_(", text)  # the words that are said
            others = set(re.findall(r"\{[{%][^}]*?\b(\w*(?:url|link|token|serial)\w*)", text))
            assert others <= {*names, "serial", "serials"}, template


async def test_hides_what_is_for_its_reader_alone_but_sends_it(post, mailbox):
    post.through(mailbox)
    mail_id = await post.write()
    async with post.db.statement() as tx:
        mail = await read_mail(tx, shop_id=post.shop.id, mail_id=mail_id, box=box())
    assert mail.is_hidden
    assert "KEY-" not in mail.text + mail.html
    assert mail.text.count(HIDDEN) == mail.html.count(HIDDEN) == 2
    assert "Blue <Mug>" in mail.text
    await post.deliver()
    assert "KEY-1" in str(mailbox.mails[0])


async def test_is_sent_as_text_and_html_by_the_delivery_engine(post, mailbox):
    post.through(mailbox)
    mail_id = await post.write()
    assert (await post.mails())[0].status == "queued"

    assert await post.deliver() == ["sent"]

    came = mailbox.mails[0]
    assert (came["To"], came["Subject"]) == (TO, "Your Blue <Mug>")
    assert came["Message-ID"] == f"<mail-{post.shop.id}-{mail_id}@shop.example>"
    assert "KEY-1" in came.get_body(("plain",)).get_content()
    page = came.get_body(("html",)).get_content()
    assert "Blue &lt;Mug&gt;" in page
    assert "<code>KEY-2</code>" in page
    assert (await post.mails())[0].status == "sent"


async def test_is_written_once_under_one_key(post, mailbox):
    post.through(mailbox)
    first = await post.write()

    assert await post.write(product="Another") == first
    assert await post.write(key="item 2") != first
    assert await post.deliver() == ["sent", "sent"]
    assert len(mailbox.mails) == 2


async def test_keeps_its_id_when_the_server_has_no_time(post, mailbox):
    post.through(mailbox)
    mailbox.refusal = "451 later"
    mail_id = await post.write()
    assert await post.deliver() == ["queued"]

    mailbox.refusal = ""
    post.clock.move(timedelta(minutes=2))
    assert await post.deliver() == ["sent"]
    assert mailbox.mails[0]["Message-ID"] == f"<mail-{post.shop.id}-{mail_id}@shop.example>"


@pytest.mark.parametrize("value", ["Mug\r\nBcc: all@shop.example", "Mug\nX: 1", "Mug\u2028X: 1"])
async def test_has_no_header_that_a_value_brought(post, mailbox, value):
    post.through(mailbox)
    await post.write(product=value)

    assert await post.deliver() == ["sent"]
    assert mailbox.mails[0]["Subject"] == "Your " + " ".join(value.split())
    assert mailbox.envelopes[0][1] == [TO]
    assert {"Bcc", "X"}.isdisjoint(mailbox.mails[0].keys())


@pytest.mark.parametrize(
    "wrong", ["", "ada", "a@b.example, c@d.example", "ada@b.example\r\nBcc: c@d.example"]
)
async def test_needs_one_valid_address(post, wrong):
    with pytest.raises(Invalid, match="valid address"):
        await post.write(to=wrong)
    assert await post.mails() == []


async def test_is_bounded(post):
    mail_id = await post.write(product="x" * 500)
    assert len((await post.read(mail_id)).subject) == SUBJECT_CHARS

    with pytest.raises(Invalid, match="at most"):
        await post.write(key="item 2", serials=["x" * BODY_CHARS])
    with pytest.raises(Invalid, match="key"):
        await post.write(key="k" * 201)
    assert len(await post.mails()) == 1


async def test_is_not_stored_in_the_clear(post):
    await post.write()

    async with post.db.statement() as tx:
        rows = await tx.all("select m::text from mails m where shop_id = %s", (post.shop.id,))
        assert b"KEY-1" not in bytes(
            await tx.value("select sealed from mails where shop_id = %s", (post.shop.id,))
        )
    assert "KEY-1" not in str(rows)


async def test_is_deleted_when_it_is_old_but_not_while_it_waits(post, mailbox):
    kept = await post.write(key="kept")
    post.through(mailbox)
    mailbox.refusal = "550 no such user"
    failed = await post.write(key="failed")
    assert await post.deliver() == ["failed"]

    async with post.db.begin() as tx:
        later = post.clock.now() + timedelta(days=91)
        for days in (200, 90):
            await purge_mails(tx, kept=timedelta(days=days), now=later)
    assert {view.id for view in await post.mails()} <= {kept, failed}
    assert [view.id for view in await post.mails()] == [failed]
    with pytest.raises(NotFound):
        await post.read(kept)


async def test_fails_with_a_reason_when_the_server_was_taken_out_of_the_settings(post, mailbox):
    post.through(mailbox)
    await post.write()
    post.mailing = Mailing(box=box(), mailer=None, host="shop.example")

    assert await post.deliver() == ["failed"]
    async with post.db.statement() as tx:
        [delivery] = await list_deliveries(tx, shop_id=post.shop.id, kind=MAIL)
    assert "smtp_host is not set" in delivery.last_error


async def test_is_written_in_the_language_that_is_asked_for(post: Post) -> None:
    async with post.db.begin() as tx:
        number = await post.mailing.queue_mail(
            tx, shop_id=post.shop.id, template="reseller_invitation", to=TO, language="nl",
            values={
                "shop": "Kade", "accept_url": "https://shop.example/x",
                "expires_at": moment("2026-03-02T12:00:00+00:00"),
            },
            key="invitation", now=post.clock.now(),
        )  # fmt: skip
        mail = await read_mail(
            tx, shop_id=post.shop.id, mail_id=number, box=box(), reveals=["reseller_invitation"]
        )

    assert mail.subject == "Kade nodigt u uit als reseller"
    assert mail.text.startswith("Hallo,\n")
    assert "tot 2 maart 2026, 12:00 UTC" in mail.text
    assert '<html lang="nl">' in mail.html
    assert "tot 2 maart 2026, 12:00 UTC" in mail.html
