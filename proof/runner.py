"""Test the claims one after another, each on its own stand, and run the doctor after each."""

import random
import subprocess
import time
import traceback
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
from rich.console import Console

from crossdock.kit.logging import configure_logging
from crossdock.shop.doctor import examine
from proof.claim import Claim, Result, Size, Unavailable
from proof.report import Board, Heading, Row, write_reports
from proof.stand import Ground, Stand, patiently, running_stand
from tests.support.machine import commit, machine

NOTE_CHARS = 2_000
ATTEMPTS = 2  # a claim whose own program failed is tried once more, on a fresh stand
HELD, BROKEN, BROKE_OFF = 0, 1, 2
# What a claim raises where the product did not do in time, or at all, what it was waited for.
PRODUCT_ERRORS = (AssertionError, TimeoutError, subprocess.TimeoutExpired)


async def run_claims(
    claims: list[Claim],
    *,
    seed: int,
    is_quick: bool,
    workers: int,
    console: Console,
    temporary: bool = False,
) -> int:
    """The exit code: 0 if every claim held, 1 if one did not, 2 if the proof itself failed.

    The database is as durable as in production unless `temporary`.

    A claim that this machine cannot test is an error at full size; a quick run reports it and continues.
    Both reports are always written.
    """
    started = time.monotonic()
    configure_logging(level="error", format="console")
    with running_stand(workers=workers, temporary=temporary) as ground:
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
    verdicts = {row.result.verdict for row in rows if row.result}
    if "FAILED" in verdicts:
        return BROKEN
    return HELD if verdicts <= ({"held", "not tried"} if is_quick else {"held"}) else BROKE_OFF


async def _try_claim(claim: Claim, ground: Ground, *, seed: int, is_quick: bool) -> Row:
    started = time.monotonic()
    size = claim.quick if is_quick else claim.full
    notes: tuple[str, ...] = ()
    for _ in range(ATTEMPTS):
        rng = random.Random(f"{seed}:{claim.name}")
        result = await _attempt(claim, ground, size=size, rng=rng)
        if not result.broke_off:
            break
        notes = (*notes, *result.notes)
    if notes:
        result = replace(result, notes=(*result.notes, *notes))
    return Row(claim=claim, result=result, duration_s=time.monotonic() - started)


async def _attempt(claim: Claim, ground: Ground, *, size: Size, rng: random.Random) -> Result:
    try:
        async with ground.stand(claim.name.replace(" ", "_")) as stand:
            result = await _run(claim, stand, size=size, rng=rng)
            return await _examined(stand, result)
    except Unavailable as error:
        return Result(held=False, figures={}, notes=(str(error),), unavailable=True)
    except Exception as error:  # noqa: BLE001 - the other claims are tried all the same
        trace = traceback.format_exc()[-NOTE_CHARS:]
        is_products = isinstance(error, PRODUCT_ERRORS)
        word = "the server did not do what was waited for" if is_products else "the proof broke off"
        return Result(
            held=False, figures={}, notes=(f"{word}: {trace}",), broke_off=not is_products
        )


async def _run(claim: Claim, stand: Stand, *, size: Size, rng: random.Random) -> Result:
    if not claim.server:
        return await claim.run(stand, size, rng)
    with stand.serving(**claim.settings):
        return await claim.run(stand, size, rng)


async def _examined(stand: Stand, result: Result) -> Result:
    """Add what the doctor finds after a claim; it must be nothing."""
    async with stand.recovered() as database:
        wrong = [d for check in await examine(database) for d in check.differences]
    if not wrong:
        return result
    notes = [f"doctor: {d.check}: {d.where}: {d.expected}, found {d.found}" for d in wrong[:10]]
    return replace(result, held=False, notes=(*result.notes, *notes))


def _postgres_version(ground: Ground) -> str:
    with patiently(lambda: psycopg.connect(ground.admin_url)) as connection:
        return str(connection.info.parameter_status("server_version"))


def _tell(rows: list[Row], console: Console) -> None:
    for row in rows:
        if row.result and not row.result.held:
            words = {"error": "was not tried to its end", "FAILED": "does not hold"}
            word = words.get(row.result.verdict, "cannot be tried here")
            console.print(f"[red]{row.claim.name}: {row.claim.title} {word}[/]")
            for note in row.result.notes:
                console.print(f"  {note}", markup=False)
