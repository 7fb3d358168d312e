"""Try the claims one after another, each on a stand of its own, and examine the shop after each."""

import random
import time
import traceback
from datetime import UTC, datetime

import psycopg
from rich.console import Console

from crossdock.db.unit_of_work import Database
from crossdock.kit.logging import configure_logging
from crossdock.shop.doctor import examine
from proof.claim import Claim, Result, Size
from proof.report import Board, Heading, Row, write_reports
from proof.stand import Ground, Stand, running_stand
from tests.support.machine import commit, machine

NOTE_CHARS = 2_000


async def run_claims(
    claims: list[Claim], *, seed: int, is_quick: bool, workers: int, console: Console
) -> bool:
    """Whether every claim held. Both reports are written in any case."""
    started = time.monotonic()
    configure_logging(level="error", format="console")
    with running_stand(workers=workers) as ground:
        heading = Heading(
            commit=commit(),
            machine=machine(),
            postgres=_postgres_version(ground),
            seed=seed,
            is_quick=is_quick,
            workers=workers,
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        console.print(f"proof of {heading.commit}, seed {seed}, {heading.machine}")
        with Board(claims, console) as board:
            for claim in claims:
                board.put(Row(claim=claim, state="running"))
                board.put(await _try_claim(claim, ground, seed=seed, is_quick=is_quick))
            rows = board.rows()
    path = write_reports(heading, rows, duration_s=time.monotonic() - started)
    _tell(rows, console)
    console.print(f"{time.monotonic() - started:.0f} s, report in {path}")
    return all(row.result and row.result.held for row in rows)


async def _try_claim(claim: Claim, ground: Ground, *, seed: int, is_quick: bool) -> Row:
    started = time.monotonic()
    rng = random.Random(f"{seed}:{claim.name}")
    size = claim.quick if is_quick else claim.full
    try:
        async with ground.stand(claim.name.replace(" ", "_")) as stand:
            result = await _run(claim, stand, size=size, rng=rng)
            result = await _examined(stand, result)
    except Exception:  # noqa: BLE001 - a claim that breaks down has failed; the others go on
        result = Result(held=False, figures={}, notes=(traceback.format_exc()[-NOTE_CHARS:],))
    return Row(claim=claim, result=result, duration_s=time.monotonic() - started)


async def _run(claim: Claim, stand: Stand, *, size: Size, rng: random.Random) -> Result:
    if not claim.server:
        return await claim.run(stand, size, rng)
    with stand.serving(**claim.settings):
        return await claim.run(stand, size, rng)


async def _examined(stand: Stand, result: Result) -> Result:
    """Whatever a claim did, the doctor must find nothing afterwards."""
    database = Database(stand.url, min_size=1, max_size=1)
    await database.open()
    try:
        wrong = [d for check in await examine(database) for d in check.differences]
    finally:
        await database.close()
    if not wrong:
        return result
    notes = [f"doctor: {d.check}: {d.where}: {d.expected}, found {d.found}" for d in wrong[:10]]
    return Result(held=False, figures=result.figures, notes=(*result.notes, *notes))


def _postgres_version(ground: Ground) -> str:
    with psycopg.connect(ground.admin_url) as connection:
        return str(connection.info.parameter_status("server_version"))


def _tell(rows: list[Row], console: Console) -> None:
    for row in rows:
        if row.result and not row.result.held:
            console.print(f"[red]{row.claim.name}: {row.claim.title} does not hold[/]")
            for note in row.result.notes:
                console.print(f"  {note}", markup=False)
