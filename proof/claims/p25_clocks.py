"""P25: the application's clock is set back, ahead and back again; jobs continue, and no replay is accepted."""

import asyncio
import os
import random
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proof.claim import Claim, Findings, Result, Size, Unavailable
from proof.doors import signed_request
from proof.stand import Stand
from tests.support.factories import make_partner, make_shop, make_variant
from tests.support.raw_http import Connection

LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib64/faketime/libfaketimeMT.so.1")
HOUR_S, DAY_S = 3_600, 86_400
STEPS_S = (-HOUR_S, DAY_S, 0, -HOUR_S, 0)
SOON_S = 10  # more than the worker needs to notice that its clock was set
JOBS_S = 90.0  # until every watched job has run by the clock that was set
WATCHED = ("expire_holds", "purge_expired")
_RUNS = """
select count(distinct task_name) from procrastinate_jobs
where id > %s and status = 'succeeded' and task_name = any(%s)
"""


class FakedClock:
    """The wall clock of the processes that are started while it is in force."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.offset_s = 0
        self.set(0)

    def set(self, offset_s: int) -> None:
        """Set the difference to the true time, in seconds, in every process at once."""
        self.offset_s = offset_s
        draft = self._path.with_suffix(".new")
        draft.write_text(f"{offset_s:+d}\n")
        draft.chmod(0o644)
        draft.replace(self._path)

    def now(self) -> int:
        """The time in those processes, in seconds."""
        return int(time.time()) + self.offset_s

    @contextmanager
    def for_children(self) -> Iterator[None]:
        """Apply to processes that are started in the block."""
        chosen = {
            "LD_PRELOAD": _library(),
            "FAKETIME_TIMESTAMP_FILE": str(self._path),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        os.environ.update(chosen)
        try:
            yield
        finally:
            for name in chosen:
                del os.environ[name]


def _library() -> str:
    for pattern in LIBRARIES:
        for path in Path("/").glob(pattern.lstrip("/")):
            return str(path)
    raise Unavailable("libfaketime is missing: install the package faketime")


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Set the clock, wait for the jobs, resend every accepted call, and send a new one."""
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        await make_variant(tx, shop=shop, own=10)
        partner = await make_partner(tx, shop=shop)
    findings, calls, slowest_s = Findings(), list[bytes](), 0.0
    clock = FakedClock(stand.folder / "clock")
    with clock.for_children():
        serving = stand.serving()
        serving.__enter__()
    try:
        for offset_s in (0, *STEPS_S[: size["steps"]]):
            clock.set(_soon_due(offset_s) if offset_s else 0)
            took_s = await _jobs_have_run(stand)
            findings.expect(took_s < JOBS_S, f"clock {offset_s:+d} s: no jobs in {took_s:.0f} s")
            slowest_s = max(slowest_s, took_s)
            accepted = await _accepted(stand, calls)
            findings.expect(not accepted, f"clock {offset_s:+d} s: {accepted} replays accepted")
            fresh = [
                signed_request(partner, "GET", timestamp=clock.now(), nonce=uuid.uuid4().hex)
                for _ in range(size["calls"])
            ]
            came = await _accepted(stand, fresh)
            findings.expect(came == len(fresh), f"clock {offset_s:+d} s: {came} new calls accepted")
            calls += fresh
    finally:
        clock.set(0)
        serving.__exit__(None, None, None)
    return findings.result(
        steps=size["steps"], calls=len(calls), slowest_jobs_s=round(slowest_s, 1)
    )


def _soon_due(offset_s: int) -> int:
    """This difference and less than a minute more: jobs of every minute are due SOON_S later."""
    return offset_s + (-SOON_S - int(time.time()) - offset_s) % 60


async def _jobs_have_run(stand: Stand) -> float:
    """Wait until each watched job has run again; the seconds it took, at most JOBS_S."""
    started = time.monotonic()
    async with stand.database.statement() as tx:
        last = await tx.value("select coalesce(max(id), 0) from procrastinate_jobs")
    while (took_s := time.monotonic() - started) < JOBS_S:
        async with stand.database.statement() as tx:
            if await tx.value(_RUNS, (last, list(WATCHED))) == len(WATCHED):
                break
        await asyncio.sleep(0.2)
    return took_s


async def _accepted(stand: Stand, calls: list[bytes]) -> int:
    connection = await Connection.open(stand.server.port)
    try:
        return sum([(await connection.exchange(call)).status == 200 for call in calls])
    finally:
        connection.close()


CLAIM = Claim(
    id="P25",
    title="clocks that are set",
    workload="the clock of all server processes is set an hour back, a day ahead, right, an hour back "
    "and right again; after each step all signed calls of the steps before are sent again",
    must_hold="jobs by the clock go on within 90 s, no replay is accepted, every new call is",
    full={"steps": 5, "calls": 200},
    quick={"steps": 4, "calls": 20},
    run=run,
    server=False,
)
