"""`crossdock connector`, `dispatch` and `sales-rep` at a terminal."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crossdock.kit.ids import SeededIds
from crossdock.kit.webhooks import new_secret
from crossdock.shop.deliveries import queue_delivery
from tests.shop.dispatch.conftest import insert_order
from tests.support.factories import ShopFixture, make_partner, make_shop
from tests.support.processes import run_command
from tests.support.simulators.sellercloud import PASSWORD, USERNAME, Sellercloud
from tests.support.simulators.webhook import WebhookReceiver


@pytest.fixture
async def shop(database) -> ShopFixture:
    async with database.begin() as tx:
        return await make_shop(tx)


@pytest.fixture
def crossdock(database_url: str, tmp_path: Path):
    """Run one command beside this test's event loop: (exit code, stdout, stderr)."""

    async def run(*words: str, stdin: str = "") -> tuple[int, str, str]:
        settings = {
            "database_url": database_url,
            "data_dir": tmp_path,
            "allowed_outbound_hosts": "127.0.0.1",
        }
        ended = await asyncio.to_thread(run_command, *words, settings=settings, stdin=stdin)
        return ended.returncode, ended.stdout, ended.stderr

    return run


async def test_a_webhook_gets_a_secret_that_works_and_is_shown_once(crossdock, shop):
    secret = new_secret(SeededIds(1))
    async with WebhookReceiver(secret) as receiver:
        words = ("connector", "add", "out", "--shop", shop.slug, "--kind", "webhook")
        code, out, err = await crossdock(*words, "--set", f"url={receiver.url}", "--json")
        assert (code, err) == (0, "")
        assert json.loads(out)["secret"].startswith("whsec_")

        code, out, _ = await crossdock("connector", "test", "out", "--shop", shop.slug)
        assert (code, receiver.forged) == (1, 1)
        assert "does not work" in out

        code, *_ = await crossdock(
            "connector",
            "set",
            "out",
            "--shop",
            shop.slug,
            "--secret-file",
            "-",
            stdin=secret + "\n",
        )
        assert code == 0
        code, out, _ = await crossdock("connector", "test", "out", "--shop", shop.slug, "--json")
        assert (code, json.loads(out)["works"]) == (0, True)

        code, out, _ = await crossdock("connector", "list", "--shop", shop.slug, "--json")
        [listed] = json.loads(out)
        assert (listed["name"], listed["is_default"], listed["has_secret"]) == ("out", True, True)
        assert secret not in out


async def test_sellercloud_is_set_up_from_the_terminal(crossdock, shop, tmp_path):
    (tmp_path / "password").write_text(PASSWORD + "\n")
    async with Sellercloud() as server:
        words = ("connector", "add", "sc", "--shop", shop.slug, "--kind", "sellercloud")
        settings = (f"base_url={server.url}", f"username={USERNAME}", "company_id=7")
        code, out, err = await crossdock(
            *words,
            *(word for pair in settings for word in ("--set", pair)),
            "--secret-file",
            str(tmp_path / "password"),
        )
        assert (code, err) == (0, "")
        code, out, _ = await crossdock("connector", "test", "sc", "--shop", shop.slug)
        assert code == 0
        assert "signed in and listed orders" in out


async def test_settings_that_cannot_work_are_one_line_on_stderr(crossdock, shop):
    words = ("connector", "add", "out", "--shop", shop.slug, "--kind", "webhook")
    code, out, err = await crossdock(*words, "--set", "url=http://10.0.0.1/")
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert "not a public address" in err


async def test_dispatches_are_listed_shown_and_sent_again(crossdock, database, shop, configuring):
    async with database.begin() as tx:
        partner = await make_partner(tx, shop=shop)
        order_id = await insert_order(
            tx, shop_id=shop.id, partner_id=partner.id, customer_id=shop.customer_id
        )
        await tx.run(
            "update deliveries set status = 'failed', attempts = 7, last_error = '410', next_attempt_at = null"
            " where kind = 'dispatch' and subject_id = %s",
            (order_id,),
        )
    code, out, _ = await crossdock(
        "dispatch", "list", "--shop", shop.slug, "--status", "failed", "--json"
    )
    assert [row["order_id"] for row in json.loads(out)] == [order_id]
    code, out, _ = await crossdock("dispatch", "show", str(order_id), "--shop", shop.slug)
    assert code == 0
    assert "failed" in out
    code, out, _ = await crossdock("dispatch", "resend", "--failed", "--shop", shop.slug, "--json")
    assert (code, json.loads(out)) == (0, {"resent": [order_id]})
    code, out, _ = await crossdock("dispatch", "show", str(order_id), "--shop", shop.slug, "--json")
    assert (json.loads(out)["status"], json.loads(out)["attempts"]) == ("queued", 0)
    code, _, err = await crossdock("dispatch", "resend", str(order_id), "--shop", shop.slug)
    assert (code, "failed dispatch" in err) == (1, True)


async def test_deliveries_are_looked_at_sent_again_and_withdrawn(crossdock, database, shop):
    async with database.begin() as tx:
        ids = [
            await queue_delivery(
                tx,
                shop_id=shop.id,
                kind=kind,
                target="out",
                subject_id=1,
                now=datetime(2026, 3, 2, hour, tzinfo=UTC),
            )
            for kind, hour in (("dispatch", 9), ("dispatch", 9), ("notice", 10), ("notes", 12))
        ]
        await tx.run(
            "update deliveries set status = 'failed', attempts = 7, next_attempt_at = null"
            " where shop_id = %s",
            (shop.id,),
        )
        await tx.run(
            "insert into delivery_attempts (shop_id, delivery_id, attempt, outcome, took_ms,"
            " http_status, error) values (%s, %s, 7, 'failed', 12, 410, 'gone')",
            (shop.id, ids[0]),
        )
    first, _, second, third = ids
    at = ("--shop", shop.slug)

    async def listed(*words: str) -> list[int]:
        code, out, err = await crossdock("delivery", "list", *at, *words, "--json")
        assert (code, err) == (0, "")
        return [row["id"] for row in json.loads(out)]

    assert await listed("--status", "failed") == [third, second, first]
    assert await listed("--kind", "notice", "--target", "out") == [second]
    # In the shop's zone, Brussels: 11:00 there is 10:00 in UTC.
    assert await listed("--since", "2026-03-02T11:00:00") == [third, second]
    assert await listed("--since", "2026-03-02T11:00:01") == [third]
    assert await listed("--until", "2026-03-02T11:00:00") == [first]
    assert await listed("--until", "2026-03-02") == []

    code, out, _ = await crossdock("delivery", "show", str(first), *at, "--json")
    shown = json.loads(out)
    assert (shown["delivery"]["id"], shown["log"][0]["http_status"]) == (first, 410)
    _, out, _ = await crossdock("delivery", "show", str(first), *at)
    assert "12 ms  failed   410  gone" in out

    code, _, err = await crossdock("delivery", "resend", *at)
    assert (code, "Name deliveries" in err) == (1, True)
    words = ("--since", "2026-03-02T11:00:00", "--until", "2026-03-02T13:00:00", "--json")
    code, out, _ = await crossdock("delivery", "resend", *at, *words)
    assert (code, json.loads(out)) == (0, {"resent": [second]})
    code, out, _ = await crossdock("delivery", "resend", str(first), *at, "--json")
    assert (code, json.loads(out)) == (0, {"resent": [first]})

    code, out, _ = await crossdock("delivery", "withdraw", str(third), *at, "--json")
    assert (code, json.loads(out)) == (0, {"id": third, "status": "withdrawn"})
    assert await listed("--status", "queued") == [second, first]


async def test_every_kind_of_delivery_and_its_waits_are_told(crossdock):
    code, out, _ = await crossdock("delivery", "kinds", "--json")
    assert code == 0
    assert {
        "kind": "dispatch",
        "waits_s": [60, 300, 900, 3600, 21_600, 86_400],
        "deadline_s": 180,
        "ordering": "none",
        "calls_per_target": 8,
    } in json.loads(out)


async def test_sales_reps_come_and_go(crossdock, shop):
    words = (
        "sales-rep",
        "add",
        "--shop",
        shop.slug,
        "--name",
        "Nora",
        "--email",
        "Nora@shop.example",
    )
    code, out, _ = await crossdock(*words, "--json")
    sales_rep_id = json.loads(out)["id"]
    code, _, err = await crossdock(*words)
    assert (code, "already" in err) == (1, True)
    await crossdock("sales-rep", "disable", str(sales_rep_id), "--shop", shop.slug)
    _, out, _ = await crossdock("sales-rep", "list", "--shop", shop.slug, "--json")
    [listed] = json.loads(out)
    assert (listed["id"], listed["email"], listed["active"]) == (
        sales_rep_id,
        "nora@shop.example",
        False,
    )
