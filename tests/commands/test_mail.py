"""`crossdock mail`: the mailbox for people and for programs."""

import base64
from pathlib import Path
from typing import Any

from crossdock.shop.mailing import Mailing
from tests.support.command_line import CommandLine
from tests.support.factories import MASTER_KEY, box, make_shop


async def test_mails_are_listed_and_shown(
    database: Any, clock: Any, database_url: str, tmp_path: Path
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        mail_id = await Mailing(box=box(), mailer=None, host="shop.example").queue_mail(
            tx, shop_id=shop.id, template="reseller_invitation", to="ada@moreno.example",
            key="invitation 1", now=clock.now(),
            values={
                "shop": "Mugs & More", "accept_url": "https://shop.example/invite/1",
                "expires_at": clock.now(),
            },
        )  # fmt: skip
    key = base64.b64encode(MASTER_KEY).decode()
    line = CommandLine(data_dir=tmp_path, database_url=database_url, master_key=key)
    of_shop = ("--shop", shop.slug)

    [mail] = line.ask("mail", "list", *of_shop)
    assert (mail["id"], mail["status"], mail["to"]) == (mail_id, "kept", "ada@moreno.example")
    assert line.ask("mail", "list", *of_shop, "--to", "bob@moreno.example") == []
    shown = line.ask("mail", "show", mail_id, *of_shop)
    assert shown["subject"] == "Mugs & More invites you to resell"
    assert "Mugs &amp; More" in shown["html"]
    assert "https://shop.example/invite/1" not in str(shown)
    assert shown["is_hidden"]
    plain = line.run("mail", "show", mail_id, *of_shop).stdout
    assert ("[hidden]" in plain, "https://shop.example/invite/1" in plain) == (True, False)
    whole = line.ask("mail", "show", mail_id, *of_shop, "--reveal")
    assert "https://shop.example/invite/1" in whole["text"]
    assert "https://shop.example/invite/1" in whole["html"]
    assert not whole["is_hidden"]
    assert "There is no mail 999999" in line.refuse("mail", "show", 999_999, *of_shop)
