"""P4: after a crash between any two statements of a write path, the state is the one before or after it."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from crossdock.db.unit_of_work import Database
from crossdock.shop.doctor import examine
from proof.claim import Claim, Findings, Result, Size
from proof.desk_paths import DESK_PATHS
from proof.money_paths import MONEY_PATHS
from proof.paths import NOW, SECRET, WRITE_PATHS, Scene, WritePath, furnish
from proof.reselling_paths import RESELLING_PATHS
from proof.selling_paths import SELLING_PATHS
from proof.stand import TEMPLATE, Stand, create_database, drop_database, running_postgres
from proof.states import Breaking, Crash, Reading, content_of
from proof.warehouse_paths import WAREHOUSE_PATHS
from tests.support.postgres import with_database
from tests.support.simulators.webhook import WebhookReceiver

PREPARED = "prepared"
PATHS = (
    *WRITE_PATHS,
    *WAREHOUSE_PATHS,
    *MONEY_PATHS,
    *SELLING_PATHS,
    *RESELLING_PATHS,
    *DESK_PATHS,
)
Choose = Callable[[list[Any]], list[Any]]
State = tuple[str, ...]


@dataclass
class Tally:
    """How many crashes were tried."""

    paths: int = 0
    crashes: int = 0
    fail_points: int = 0
    between: int = 0


@dataclass(frozen=True)
class Reference:
    """An undisturbed run of a path: its committed states, statements and fail points."""

    states: list[State]
    statements: int
    steps: list[str]


class Trial:
    """One write path, run on copies of a prepared database."""

    def __init__(
        self,
        admin_url: str,
        path: WritePath,
        scene: Scene,
        findings: Findings,
        tally: Tally,
        *,
        choose: Choose,
        content: sql.Composed,
    ) -> None:
        self._admin_url = admin_url
        self._content = content
        self._path = path
        self._scene = scene
        self._findings = findings
        self._tally = tally
        self._choose = choose

    async def run(self) -> None:
        """Run undisturbed, then with a crash before every statement and a failure at every fail point."""
        reference = await self._undisturbed()
        path = self._path
        commits = len(reference.states) - 1
        self._findings.expect(
            commits == path.commits, f"{path.name}: {commits} commits, {path.commits} by design"
        )
        async with self._copy("used") as used:
            await self._break_everywhere(used, reference)
        self._tally.paths += 1

    async def _break_everywhere(self, used: Reading, reference: Reference) -> None:
        """A copy is reused while its state is unchanged; after that each interruption gets its own."""
        is_intact = True
        for number in self._choose(list(range(1, reference.statements + 1))):
            where = f"crash before statement {number}"
            self._tally.crashes += 1
            is_intact = is_intact and await self._leaves(used, reference, at=number)
            if not is_intact:
                await self._judged(reference, where=where, at=number)
        for step in self._choose(reference.steps):
            self._tally.fail_points += 1
            is_intact = is_intact and await self._leaves(used, reference, step=step)
            if not is_intact:
                await self._judged(reference, where=f"fail point {step}", step=step)

    async def _leaves(
        self, copy: Reading, reference: Reference, *, at: int = 0, step: str | None = None
    ) -> bool:
        """Whether an interrupted run leaves the state unchanged."""
        return await self._broken_run(copy, at=at, step=step) == reference.states[0]

    async def _judged(
        self, reference: Reference, *, where: str, at: int = 0, step: str | None = None
    ) -> None:
        async with self._copy("judged") as copy:
            state = await self._broken_run(copy, at=at, step=step)
            self._judge(state, reference, where=where)
            await self._recover(copy.url, where=where)

    async def _undisturbed(self) -> Reference:
        async with self._copy("reference") as copy:
            copy.record_steps()
            breaking = Breaking(copy.url, reading=copy)
            await breaking.database.open()
            await self._path.act(breaking.database, self._copied_scene())
            breaking.look()
            await breaking.database.close()
            steps = copy.steps()
        return Reference(breaking.states, breaking.count, steps)

    async def _broken_run(self, copy: Reading, *, at: int, step: str | None) -> State:
        """Run the path until it is interrupted, before a statement or at a fail point; returns the state."""
        if step:
            copy.break_at(step)
        breaking = Breaking(copy.url, at=at)
        await breaking.database.open()
        try:
            await self._path.act(breaking.database, self._copied_scene())
            self._findings.expect(False, f"{self._path.name}: {step or at} did not break it")
        except Crash:
            pass
        except psycopg.Error as error:
            self._findings.expect(error.sqlstate == "CD099", f"{self._path.name}: {error}")
        finally:
            await breaking.database.close()
            if step:
                copy.break_at(None)
        return copy.state()

    def _judge(self, state: State, reference: Reference, *, where: str) -> None:
        if state in reference.states:
            self._tally.between += state not in (reference.states[0], reference.states[-1])
            return
        near = min(reference.states, key=lambda known: len(set(known) ^ set(state)))
        tables = sorted({row[:-32] for row in set(near) ^ set(state)})
        self._findings.expect(False, f"{self._path.name}, {where}: half done in {tables}")

    async def _recover(self, url: str, *, where: str) -> None:
        """After a crash between two transactions the doctor finds nothing, and recovery completes the work once."""
        database = Database(url, min_size=1, max_size=4)
        await database.open()
        if self._path.recover:
            await self._path.recover(database, self._copied_scene())
            async with database.statement() as tx:
                settled = await tx.value(self._path.settled)
            self._findings.expect(
                settled is True, f"{self._path.name}, {where}: not settled by going on"
            )
        wrong = [d for check in await examine(database) for d in check.differences]
        self._findings.expect(
            not wrong, f"{self._path.name}, {where}: the doctor finds {wrong[:2]}"
        )
        await database.close()

    def _copied_scene(self) -> Scene:
        return replace(
            self._scene, numbers=dict(self._scene.numbers), variants=list(self._scene.variants)
        )

    @asynccontextmanager
    async def _copy(self, name: str) -> AsyncIterator[Reading]:
        create_database(self._admin_url, name, template=PREPARED, strategy="file_copy")
        reading = Reading(with_database(self._admin_url, name), content=self._content)
        yield reading
        reading.close()
        drop_database(self._admin_url, name)


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Every write path, interrupted at every place, or in CI at places that the seed chooses.

    The database server does not wait for the disk: no power is lost here, and hundreds of databases
    are created and dropped.
    """
    findings, tally = Findings(), Tally()

    def choose(places: list[Any]) -> list[Any]:
        """All places, or a sample with the last, which is before the commit."""
        most = size["breaks"]
        if not most or len(places) <= most:
            return places
        return [*sorted(rng.sample(places[:-1], most - 1)), places[-1]]

    with running_postgres(stand.folder, temporary=True) as admin_url:
        content = content_of(with_database(admin_url, TEMPLATE))
        for path in PATHS:
            async with WebhookReceiver(SECRET, now=int(NOW.timestamp())) as receiver:
                scene = await _prepare(admin_url, path, receiver, folder=stand.folder)
                trial = Trial(
                    admin_url, path, scene, findings, tally, choose=choose, content=content
                )
                await trial.run()
                messages = len(receiver.messages)
                findings.expect(messages <= 1, f"{path.name}: fulfilment has {messages} orders")
            drop_database(admin_url, PREPARED)
    return findings.result(
        write_paths=tally.paths,
        crashes=tally.crashes,
        fail_points=tally.fail_points,
        between_two_transactions=tally.between,
    )


async def _prepare(
    admin_url: str, path: WritePath, receiver: WebhookReceiver, *, folder: Path
) -> Scene:
    """Prepare the database that all runs of this path are copied from.

    It is analysed: statistics that an interrupted run gathered are not rolled back, and would make the
    next run on the same copy a few statements shorter.
    """
    create_database(admin_url, PREPARED, strategy="file_copy")
    database = Database(with_database(admin_url, PREPARED), min_size=1, max_size=4)
    await database.open()
    scene = await furnish(database, receiver=receiver, folder=folder)
    if path.prepare:
        await path.prepare(database, scene)
    async with database.statement() as tx:
        await tx.run("analyze")
    await database.close()
    return scene


CLAIM = Claim(
    id="P4",
    title="crash between any two statements",
    workload="each write path is broken before each of its statements and commits, and at each fail "
    "point inside its SQL functions",
    must_hold="the state is one between two transactions of the undisturbed run; where there are two, "
    "going on ends the work once; the doctor finds nothing",
    full={"breaks": 0},
    quick={"breaks": 2},
    run=run,
    server=False,
)
