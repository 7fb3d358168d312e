"""An alert on its way through the real worker: raised in a transaction, read in a mailbox, closed."""

import asyncio
from pathlib import Path

from crossdock.db.unit_of_work import Database
from crossdock.shop.alerts import list_alerts, raise_alert
from crossdock.shop.events import list_places
from tests.support.factories import make_shop, moment
from tests.support.mailbox import Mailbox
from tests.support.processes import serving

NOON = moment("2026-03-02T12:00:00+00:00")


async def test_from_the_transaction_to_the_mailbox(empty_database_url: str, tmp_path: Path) -> None:
    database = Database(empty_database_url, min_size=1, max_size=2)
    async with Mailbox() as box:
        with serving(
            tmp_path,
            database_url=empty_database_url,
            workers=1,
            smtp_host="127.0.0.1",
            smtp_port=box.port,
            smtp_tls="none",
            mail_from="crossdock@shop.example",
            alert_mail_to="ops@shop.example,boss@shop.example",
        ):
            await database.open()
            async with database.begin() as tx:
                shop = await make_shop(tx)
                await raise_alert(tx, shop_id=shop.id, kind="stuck", message="Look.", now=NOON)
            async with asyncio.timeout(30):
                await box.until(2)
            async with database.statement() as tx:
                (alert,) = await list_alerts(tx, shop_id=shop.id)
                places = {each.consumer: each for each in await list_places(tx, shop_id=shop.id)}
            await database.close()

    assert sorted(to for _, (to,) in box.envelopes) == ["boss@shop.example", "ops@shop.example"]
    assert {mail["Message-ID"] for mail in box.mails} == {f"<alert-{alert.id}@127.0.0.1>"}
    assert (places["alert_mail"].behind, places["alert_mail"].failures) == (0, 0)
