"""What is forgotten when its time is over, and that a running server does it by itself."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

from crossdock.jobs.queue import queue
from crossdock.jobs.schedules import scheduled_names
from crossdock.shop.orders import purge_identities
from crossdock.shop.partners import purge_expired
from crossdock.shop.partners.purging import NONCES_KEPT
from tests.support.factories import make_shop
from tests.support.processes import ROOT


async def test_nonces_long_expired_are_forgotten_and_others_stay(tx, clock):
    now = clock.now()
    long_ago = now - NONCES_KEPT
    for name, offset in (("old", -1), ("edge", 0), ("live", 1)):
        await tx.run(
            "insert into nonces values (-1, %s, %s)", (name, long_ago + timedelta(seconds=offset))
        )

    await purge_expired(tx, now=now)

    left = await tx.all("select nonce from nonces where credential_id = -1 order by nonce")
    assert left == [("edge",), ("live",)]


async def test_nonces_are_not_forgotten_by_a_clock_that_runs_ahead(tx):
    now = datetime.now(UTC)
    await tx.run("insert into nonces values (-1, 'kept', %s)", (now,))
    await tx.run(
        "insert into identities (shop_id, namespace, key, created_at, expires_at)"
        " values (-1, 'test', 'kept', %s, %s)",
        (now, now + timedelta(hours=1)),
    )

    await purge_expired(tx, now=now + timedelta(days=1))
    await purge_identities(tx, now=now + timedelta(days=1))

    assert await tx.value("select count(*) from nonces where credential_id = -1") == 1
    assert await tx.value("select count(*) from identities where key = 'kept'") == 1


async def test_old_rate_windows_are_forgotten(tx, clock):
    now = clock.now()
    for minutes in (1, 10):
        await tx.run(
            "insert into rate_windows values (-1, %s, 1)", (now - timedelta(minutes=minutes),)
        )

    await purge_expired(tx, now=now)

    assert await tx.value("select count(*) from rate_windows where credential_id = -1") == 1


def test_the_operating_guide_lists_every_periodic_job():
    guide = (ROOT / "docs/operating/jobs.md").read_text()
    queue.perform_import_paths()
    section = guide.partition("## Periodic jobs")[2].partition("\n## ")[0]

    assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == scheduled_names()


async def test_the_running_server_numbers_events_within_two_seconds(server_database):
    async with server_database.begin() as tx:
        shop = await make_shop(tx)
        await tx.run(
            "select write_event(%s, 'package.packed', n, jsonb_build_object('package_id', n), now())"
            " from generate_series(1, 3) n",
            (shop.id,),
        )

    numbers = []
    for _ in range(40):
        async with server_database.statement() as tx:
            numbers = await tx.all(
                "select sequence from events where shop_id = %s order by id", (shop.id,)
            )
        if all(number for (number,) in numbers):
            break
        await asyncio.sleep(0.05)
    assert [number for (number,) in numbers] == sorted(number for (number,) in numbers)
    assert None not in [number for (number,) in numbers]
