"""P26: a backup written while partners order contains every order acknowledged before it began."""

import asyncio
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from crossdock.db.embedded import EmbeddedPostgres
from proof.claim import Claim, Findings, Result, Size
from proof.claims.p03_kill import Shoppers
from proof.claims.p22_full_disk import WARM_UP, acknowledged, make_shops
from proof.stand import Stand, create_database, drop_database, patiently
from tests.support.postgres import with_database
from tests.support.processes import run_command, serving

CLIENTS = 8
COMMAND_S = 300.0
STEP_S = 90.0
OTHER = "proof_p26_other"


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Order and back up meanwhile; restore into an empty folder and into another server; compare."""
    findings, restored_orders = Findings(), 0
    doors, variants = await make_shops(stand.url)
    shoppers = Shoppers(stand, doors, variants)
    tasks = [
        asyncio.create_task(shoppers.shop(random.Random(rng.random()))) for _ in range(CLIENTS)
    ]
    try:
        for number in range(size["times"]):
            await acknowledged(shoppers, more=WARM_UP)
            before, file = dict(shoppers.acknowledged), stand.folder / f"backup-{number}.zip"
            await _command("backup", str(file), settings=stand.server_settings, findings=findings)
            findings.expect(
                len(shoppers.acknowledged) > len(before), "no order was placed meanwhile"
            )
            restored_orders += await _restore(stand, findings, file, before, number=number)
        shoppers.stopping.set()
        async with asyncio.timeout(STEP_S):
            await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    source = await asyncio.to_thread(_orders, stand.url)
    told = shoppers.acknowledged
    lost = [number for number, order_id in told.items() if source.get(number) != order_id]
    findings.expect(not lost, f"{len(lost)} acknowledged orders are lost in the source")
    findings.expect(not shoppers.strange, f"strange answers: {dict(shoppers.strange)}")
    return findings.result(times=size["times"], orders=len(source), restored_orders=restored_orders)


async def _restore(
    stand: Stand, findings: Findings, file: Path, before: Mapping[str, int], *, number: int
) -> int:
    """Restore the file twice, and order in the embedded database; how many orders were restored."""
    folder = stand.folder / f"restored-{number}"
    folder.mkdir()
    embedded = {**stand.server_settings, "data_dir": folder, "database_url": ""}
    create_database(stand.ground.admin_url, OTHER, template="template0")
    url = with_database(stand.ground.admin_url, OTHER)
    other = {**stand.server_settings, "data_dir": folder, "database_url": url}
    try:
        for settings in (embedded, other):
            await _command("restore", str(file), settings=settings, findings=findings)
            await _command("doctor", settings=settings, findings=findings)
        found = await asyncio.to_thread(_orders, url)
    finally:
        drop_database(stand.ground.admin_url, OTHER)
    _compare(findings, before, found, where="another server")
    kept = await asyncio.to_thread(_embedded_orders, embedded, folder)
    _compare(findings, before, kept, where="an empty folder")
    return len(found) + len(kept)


def _compare(
    findings: Findings, before: Mapping[str, int], found: Mapping[str, int], *, where: str
) -> None:
    lost = [number for number, order_id in before.items() if found.get(number) != order_id]
    findings.expect(not lost, f"{where}: {len(lost)} acknowledged orders are lost: {lost[:3]}")
    findings.expect(len(set(found.values())) == len(found), f"{where}: orders are doubled")


def _embedded_orders(settings: dict[str, Any], folder: Path) -> dict[str, int]:
    """The orders of the restored folder, once a server runs on it."""
    chosen = {name: value for name, value in settings.items() if name != "data_dir"}
    with serving(folder, workers=1, **chosen):
        return _orders(EmbeddedPostgres(folder).url())


def _orders(url: str) -> dict[str, int]:
    """Order ids by the partners' numbers. Fails for a number with two orders."""
    with patiently(lambda: psycopg.connect(url)) as connection:
        rows = connection.execute("select partner_order_id, id from orders").fetchall()
    numbers: dict[str, int] = dict(rows)
    if len(numbers) != len(rows):
        raise AssertionError("a number has two orders")
    return numbers


async def _command(*arguments: str, settings: Mapping[str, object], findings: Findings) -> None:
    done = await asyncio.to_thread(run_command, *arguments, settings=settings, timeout_s=COMMAND_S)
    said = (done.stdout + done.stderr).strip()[-300:]
    findings.expect(done.returncode == 0, f"{arguments[0]} ended with {done.returncode}: {said}")


CLAIM = Claim(
    id="P26",
    title="backup",
    workload="crossdock backup while clients of two channels order; each file is restored into an "
    "empty folder and into another server, and the folder is served",
    must_hold="every order acknowledged before the backup began is there, none twice, and doctor finds "
    "nothing in either",
    full={"times": 5},
    quick={"times": 1},
    run=run,
)
