"""`crossdock master-key`: the key is changed while the server works, and nothing is lost."""

import base64
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.kit.crypto import SecretBox
from crossdock.kit.master_key import KeyFile
from crossdock.shop.people.factors import set_totp
from crossdock.shop.warehouse import find_serial, serial_fingerprints, serial_place
from tests.support.command_line import CommandLine
from tests.support.factories import MASTER_KEY, PartnerFixture, box, make_partner
from tests.support.partner_client import PartnerClient
from tests.support.people import (
    PASSWORD,
    TOTP_SECRET,
    PlainBrowser,
    code_at,
    hidden_fields,
    make_person,
)
from tests.support.processes import ServerProcess, environment, serving
from tests.support.warehousing import Warehouse

NEW, LOST = b"n" * 32, b"l" * 32
SERIALS = 12_000


def text_of(key: bytes) -> str:
    return base64.b64encode(key).decode()


@pytest.fixture
def line(empty_database_url: str, tmp_path: Path) -> CommandLine:
    """Commands on a data folder whose file holds the tests' master key."""
    (tmp_path / "master.key").write_text(text_of(MASTER_KEY) + "\n")
    return CommandLine(data_dir=tmp_path, database_url=empty_database_url)


@pytest.fixture
async def database(empty_database_url: str) -> AsyncIterator[Database]:
    """The same database."""
    pool = Database(empty_database_url, min_size=1, max_size=4)
    await pool.open()
    yield pool
    await pool.close()


@pytest.fixture
async def warehouse(database: Database) -> Warehouse:
    """A shop with one partner."""
    return await Warehouse.open(database, FrozenClock(datetime.now(UTC)))


@pytest.fixture
def server(line: CommandLine, warehouse: Warehouse) -> Iterator[ServerProcess]:
    """Two web processes and no job worker, with the key of the data folder."""
    with serving(
        line.data_dir, "--no-jobs", database_url=line.settings["database_url"], workers=2,
        trusted_proxies="127.0.0.1",
    ) as process:  # fmt: skip
        yield process


async def partner_of(warehouse: Warehouse) -> PartnerFixture:
    """A partner whose secret no process has read yet."""
    async with warehouse.db.begin() as tx:
        return await make_partner(tx, shop=warehouse.shop)


async def lists_products(server: ServerProcess, partner: PartnerFixture) -> int:
    async with PartnerClient.of(server.url, partner) as client:
        return (await client.products()).status_code


async def signs_in(server: ServerProcess, warehouse: Warehouse, email: str) -> str:
    """Where somebody with a second step is sent who knows the password and the code."""
    async with warehouse.db.begin() as tx:
        await tx.run("update people set totp_last_step = 0 where email = %s", (email,))
    async with PlainBrowser(server.url) as browser:
        assert (await browser.sign_in(email)).status_code == 303
        answer = await browser.submit("/console/sign-in/code", {"code": code_at(time.time())})
    return answer.headers.get("location", answer.text)


async def note_serials(warehouse: Warehouse, count: int) -> int:
    """An order with so many serials, sealed under the tests' master key; SN-0, SN-1 and so on."""
    order_id = await warehouse.enter((await warehouse.variant(own=2), 1))
    place, shop_id = serial_place(warehouse.shop.id, order_id), warehouse.shop.id
    rows = [
        (
            box().seal(b"SN-%d" % n, place=place),
            serial_fingerprints(box(), shop_id=shop_id, serial=f"SN-{n}")[0],
        )
        for n in range(count)
    ]
    async with warehouse.db.begin() as tx:
        await tx.run(
            "insert into captured_serials"
            " (shop_id, order_id, line_no, variant_id, sealed, fingerprint, captured_at)"
            " select l.shop_id, l.order_id, 1, l.variant_id, x.sealed, x.fingerprint, now()"
            " from order_lines l, unnest(%s::bytea[], %s::bytea[]) as x (sealed, fingerprint)"
            " where l.shop_id = %s and l.order_id = %s",
            (*map(list, zip(*rows, strict=True)), shop_id, order_id),
        )
    return order_id


def start(line: CommandLine, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "crossdock", *arguments], env=environment(**line.settings),
        cwd=line.data_dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def wait_for_serials(line: CommandLine, *, count: int) -> None:
    """Until so many serials are no longer under the tests' master key."""
    old = box().seal(b"", place="")[:2]
    deadline = time.monotonic() + 30
    with psycopg.connect(str(line.settings["database_url"]), autocommit=True) as connection:
        while time.monotonic() < deadline:
            query = "select count(*) from captured_serials where substr(sealed, 1, 2) <> %s"
            row = connection.execute(query, (old,)).fetchone()
            if row and row[0] >= count:
                return
            time.sleep(0.01)
    raise AssertionError("nothing was sealed again")


async def test_the_server_goes_on_before_during_and_after_a_change(line, server, warehouse):
    order_id = await note_serials(warehouse, SERIALS)
    partners = [await partner_of(warehouse) for _ in range(4)]
    async with warehouse.db.begin() as tx:
        noor = await make_person(tx, shop_id=warehouse.shop.id, with_totp=True)
    assert await lists_products(server, partners[0]) == 200
    assert await signs_in(server, warehouse, noor.email) == "/console/"

    changing = start(line, "master-key", "change", "--json")
    wait_for_serials(line, count=1)
    assert [await lists_products(server, partner) for partner in partners[:2]] == [200, 200]
    assert await signs_in(server, warehouse, noor.email) == "/console/"
    assert changing.poll() is None, "too quick for this test: note more serials"
    out, told = changing.communicate(timeout=60)

    summary = json.loads(out)
    assert (changing.returncode, told) == (0, b"")
    assert (summary["is_new_key"], summary["older_keys"]) == (True, 1)
    assert (summary["needs_older"], summary["unreadable"]) == (0, 0)
    assert summary["sealed_again"] == SERIALS + len(partners) + 2
    assert [await lists_products(server, partner) for partner in partners[:3]] == [200] * 3
    assert await signs_in(server, warehouse, noor.email) == "/console/"

    assert line.ask("master-key", "forget") == {"forgotten": 1}
    [newest] = KeyFile(line.data_dir).read()
    assert newest != MASTER_KEY
    rotated = line.ask("partner", "rotate", partners[0].key)
    renewed = PartnerFixture(partners[0].id, partners[0].shop_id, rotated["key"], rotated["secret"])
    assert [await lists_products(server, who) for who in (*partners, renewed)] == [200] * 5
    assert await signs_in(server, warehouse, noor.email) == "/console/"
    async with warehouse.db.begin() as tx:
        found = await find_serial(
            tx, shop_id=warehouse.shop.id, serial="SN-7", box=SecretBox(newest)
        )
    assert found == [(order_id, 1)]
    assert "Traceback" not in server.log()


async def test_what_the_server_seals_after_a_change_is_sealed_with_the_new_key(
    line, server, warehouse
):
    async with warehouse.db.begin() as tx:
        noor = await make_person(tx, shop_id=warehouse.shop.id)
    line.ask("master-key", "change")

    async with PlainBrowser(server.url) as browser:
        assert (await browser.sign_in(noor.email)).status_code == 303
        page = "/console/account/two-step"
        offered = (await browser.get(page)).text
        (shown,) = re.findall(r'id="secret">([A-Z2-7 ]+)<', offered)
        code = code_at(time.time(), secret=shown.replace(" ", ""))
        fields = {**hidden_fields(offered), "code": code, "current": PASSWORD}
        turned_on = await browser.post(page, fields)
    assert len(re.findall(r"<code>([a-z2-7-]{19})</code>", turned_on.text)) == 10

    assert line.ask("master-key", "reseal", "--check")["needs_older"] == 0


async def test_a_change_that_was_killed_goes_on_where_it_was(line, server, warehouse):
    await note_serials(warehouse, SERIALS)
    partner = await partner_of(warehouse)
    changing = start(line, "master-key", "change")
    wait_for_serials(line, count=SERIALS // 10)
    changing.send_signal(signal.SIGKILL)
    assert changing.wait(10) == -signal.SIGKILL
    keys = KeyFile(line.data_dir).read()

    left = line.run("master-key", "reseal", "--check", "--json")
    assert left.returncode == 1, "too late for this test: note more serials"
    assert 0 < json.loads(left.stdout)["needs_older"] < SERIALS
    assert "still need an older key" in line.refuse("master-key", "forget")
    assert await lists_products(server, partner) == 200

    summary = line.ask("master-key", "change")

    assert (summary["is_new_key"], summary["older_keys"]) == (False, 1)
    assert 0 < summary["sealed_again"] < SERIALS
    assert KeyFile(line.data_dir).read() == keys
    assert line.ask("master-key", "reseal", "--check")["needs_older"] == 0
    assert await lists_products(server, partner) == 200


async def test_a_key_of_the_settings_is_changed_with_a_restart(line, warehouse):
    partner = await partner_of(warehouse)
    url = line.settings["database_url"]
    both: dict[str, Any] = {
        "master_key": text_of(NEW),
        "master_key_older": f"{text_of(LOST)},{text_of(MASTER_KEY)}",
    }
    changed = CommandLine(data_dir=line.data_dir, database_url=url, **both)
    with serving(line.data_dir, "--no-jobs", database_url=url, workers=1, **both) as process:
        assert await lists_products(process, partner) == 200
        assert "put a new one into master_key" in changed.refuse("master-key", "change")
        assert changed.ask("master-key", "reseal")["sealed_again"] == 2
        assert "out of master_key_older" in changed.refuse("master-key", "forget")
        assert await lists_products(process, partner) == 200

    with serving(
        line.data_dir, "--no-jobs", database_url=url, workers=1, master_key=text_of(NEW)
    ) as process:
        assert await lists_products(process, partner) == 200


async def test_a_server_with_a_key_that_opens_nothing_says_so_and_does_not_start(line, warehouse):
    for command in ("serve", "worker"):
        ended = CommandLine(
            data_dir=line.data_dir,
            database_url=str(line.settings["database_url"]),
            master_key=text_of(LOST),
        ).refuse(command)
        assert "The master key does not open the secret in this database." in ended
        assert text_of(LOST) not in ended


async def test_a_secret_that_no_known_key_opens_is_told_of_in_one_line(line, server, warehouse):
    good, bad = await partner_of(warehouse), await partner_of(warehouse)
    async with warehouse.db.begin() as tx:
        noor = await make_person(tx, shop_id=warehouse.shop.id)
        await set_totp(tx, person_id=noor.id, secret=TOTP_SECRET, step=0, box=SecretBox(LOST))
        await tx.run(
            "update credential_secrets k set sealed = %s from credentials c"
            " where c.id = k.credential_id and c.partner_id = %s",
            (SecretBox(LOST).seal(b"sk_x", place=f"credential:{bad.key}"), bad.id),
        )

    assert [await lists_products(server, partner) for partner in (bad, good)] == [500, 200]
    assert "Use a recovery code." in await signs_in(server, warehouse, noor.email)

    assert "a stored secret does not open" in server.log()
    assert "second step cannot be checked" in server.log()
    assert "Traceback" not in server.log()
    told = line.run("master-key", "reseal", "--check")
    assert (told.returncode, told.stderr) == (1, "")
    assert f"no known key opens credential:{bad.key}" in told.stdout
    assert f"no known key opens totp:{noor.id}" in told.stdout


def test_the_demo_shows_the_password_that_is_in_force(alone):
    alone.ask("demo", "load", "--products", 60)
    before = alone.ask("demo", "credentials")
    file = KeyFile(alone.data_dir)
    file.change()
    assert alone.ask("demo", "credentials") == before

    states = {s["name"]: s for s in alone.ask("master-key", "change")["tables"]}

    assert states["the demo's sign-in"]["sealed_again"] == 1
    after = alone.ask("demo", "credentials")
    assert after["console"]["password"] != before["console"]["password"]
    assert after["shoppex_partner"] == before["shoppex_partner"]
    assert alone.run("demo", "load", "--products", 60).stdout.count("nothing was changed") == 1


def test_no_key_is_ever_shown(alone):
    told = ""
    for arguments in (
        ("master-key", "change"),
        ("master-key", "reseal"),
        ("master-key", "reseal", "--check"),
        ("settings",),
        ("settings", "--json"),
    ):
        ended = alone.run(*arguments)
        assert ended.returncode == 0, ended.stderr
        told += ended.stdout + ended.stderr
    line = CommandLine(
        data_dir=alone.data_dir,
        database_url=str(alone.settings["database_url"]),
        master_key_older=text_of(LOST),
    )
    told += line.run("settings").stdout + line.run("master-key", "forget").stderr
    keys = [*KeyFile(alone.data_dir).read(), LOST]

    assert len(keys) == 3
    assert "(set, not shown)" in told
    assert not [key for key in keys if text_of(key) in told]
    bad = CommandLine(**{**line.settings, "master_key_older": "sEcReT"}).run("settings")  # type: ignore[arg-type]
    assert (bad.returncode, "sEcReT" in bad.stderr) == (2, False)
    assert "each of master_key_older must be 32 bytes" in bad.stderr


def test_tells_people_what_to_do_next(alone):
    first = alone.run("master-key", "change").stdout
    assert "A new key was made; keep a copy of it in a safe place." in first
    assert "Be rid of it with: crossdock master-key forget" in first
    assert alone.run("master-key", "forget").stdout == "Older keys forgotten: 1.\n"
    assert alone.run("master-key", "forget").stdout == "There is no older key.\n"
    assert "There is no older key." in alone.run("master-key", "reseal").stdout
