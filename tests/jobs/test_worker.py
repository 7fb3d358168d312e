"""The job worker: retries, dead letters, handing back, and what runs by the clock."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from procrastinate import PsycopgConnector
from procrastinate.jobs import Job
from structlog.testing import capture_logs

from crossdock.compose import Services
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Database
from crossdock.errors import Conflict, NotFound
from crossdock.jobs.inspecting import list_jobs, retry_job, show_job
from crossdock.jobs.queue import Retries, queue, runtime_of
from crossdock.jobs.schedules import scheduled_names
from crossdock.jobs.stalled import hand_back_stalled
from crossdock.jobs.worker import _number_events, _run_jobs
from crossdock.settings import Settings
from crossdock.shop.alerts import list_alerts
from crossdock.shop.events.queueing import defer_job
from tests.support.factories import make_shop

ran: list[int] = []


@queue.task(name="test_fails", retry=Retries((0, 0)), pass_context=True)
async def fails(context, number):
    """Always fails."""
    ran.append(number)
    raise RuntimeError("on purpose")


@queue.task(name="test_slow", retry=Retries())
async def slow(number):
    """Takes longer than any grace."""
    ran.append(number)
    await asyncio.sleep(60)


@queue.task(name="test_reads", pass_context=True)
async def reads(context, number):
    """Uses what the worker gave it."""
    async with runtime_of(context).database.statement() as tx:
        ran.append(await tx.value("select %s::int * 2", (number,)))


@pytest.fixture
async def runtime(empty_database_url, clock):
    """A database whose jobs belong to this test alone."""
    ran.clear()
    database = Database(empty_database_url, min_size=1, max_size=6)
    await database.open()
    connector = PsycopgConnector()
    with queue.replace_connector(connector):
        await queue.open_async(database.pool)
        yield Runtime(settings=Settings(), clock=clock, database=database)
    await database.close()


async def defer(runtime, *, task, number=7):
    async with runtime.database.begin() as tx:
        return await defer_job(tx, task=task, queue="default", args={"number": number})


async def drain(runtime, **options):
    await queue.run_worker_async(
        wait=False, listen_notify=False, install_signal_handlers=False, queues=["default"],
        additional_context={"services": Services(runtime)}, **options,
    )  # fmt: skip


async def status_of(runtime, job_id):
    async with runtime.database.statement() as tx:
        return (await show_job(tx, job_id=job_id))[0].status


async def test_a_job_deferred_in_a_transaction_runs_after_its_commit(runtime):
    job_id = await defer(runtime, task="test_reads", number=21)

    await drain(runtime)

    assert ran == [42]
    assert await status_of(runtime, job_id) == "succeeded"


async def test_a_job_of_a_transaction_that_is_rolled_back_never_was(runtime):
    async with runtime.database.begin() as tx, tx.connection.transaction(force_rollback=True):
        await defer_job(tx, task="test_reads", queue="default", args={"number": 1})

    await drain(runtime)

    assert ran == []


async def test_a_failing_job_is_tried_as_often_as_its_table_says_then_kept_as_dead(runtime):
    job_id = await defer(runtime, task="test_fails")

    await drain(runtime)

    assert ran == [7, 7, 7]
    async with runtime.database.statement() as tx:
        (dead,) = await list_jobs(tx)
        _, history = await show_job(tx, job_id=job_id)
    assert (dead.id, dead.task, dead.status, dead.attempts) == (job_id, "test_fails", "failed", 3)
    assert dead.args == {"number": 7}
    assert [moment.kind for moment in history].count("started") == 3


async def test_a_dead_job_is_sent_again_by_hand(runtime):
    job_id = await defer(runtime, task="test_fails")
    await drain(runtime)

    async with runtime.database.begin() as tx:
        view = await retry_job(tx, job_id=job_id)
    await drain(runtime)

    assert view.status == "todo"
    assert len(ran) == 4


async def test_only_a_dead_job_is_sent_again(runtime):
    job_id = await defer(runtime, task="test_reads")

    async with runtime.database.begin() as tx:
        with pytest.raises(Conflict, match="only a failed job"):
            await retry_job(tx, job_id=job_id)
        with pytest.raises(NotFound):
            await retry_job(tx, job_id=job_id + 1)
    assert await status_of(runtime, job_id) == "todo"


async def test_a_running_job_goes_back_to_the_queue_when_its_worker_stops(runtime):
    job_id = await defer(runtime, task="test_slow")
    working = asyncio.create_task(
        queue.run_worker_async(
            listen_notify=False,
            install_signal_handlers=False,
            queues=["default"],
            shutdown_graceful_timeout=0.1,
            additional_context={"services": Services(runtime)},
        )
    )
    while not ran:
        await asyncio.sleep(0.01)
    assert await status_of(runtime, job_id) == "doing"

    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working

    assert await status_of(runtime, job_id) == "todo"


async def test_the_jobs_of_a_silent_worker_are_handed_back(runtime):
    job_id = await defer(runtime, task="test_reads")
    async with runtime.database.statement() as tx:
        worker = await tx.value("select worker_id from procrastinate_register_worker_v1()")
        await tx.run("select procrastinate_fetch_job_v2(null, %s)", (worker,))
        assert await status_of(runtime, job_id) == "doing"
        assert await hand_back_stalled(queue) == 0
        await tx.run(
            "update procrastinate_workers set last_heartbeat = now() - interval '1 minute'"
        )

    assert await hand_back_stalled(queue) == 1

    assert await status_of(runtime, job_id) == "todo"


async def test_a_job_of_a_worker_that_was_forgotten_is_handed_back(runtime):
    job_id = await defer(runtime, task="test_reads")
    async with runtime.database.statement() as tx:
        worker = await tx.value("select worker_id from procrastinate_register_worker_v1()")
        await tx.run("select procrastinate_fetch_job_v2(null, %s)", (worker,))
        await tx.run("delete from procrastinate_workers")

    assert await hand_back_stalled(queue) == 1

    assert await status_of(runtime, job_id) == "todo"


@queue.task(name="test_locked", queueing_lock="test_locked")
async def locked():
    """One of it waits at most."""
    ran.append(1)


async def take(runtime):
    """Take the job that is next, by a worker that is never heard of again."""
    async with runtime.database.statement() as tx:
        worker = await tx.value("select worker_id from procrastinate_register_worker_v1()")
        job_id = await tx.value("select id from procrastinate_fetch_job_v2(null, %s)", (worker,))
        await tx.run(
            "update procrastinate_workers set last_heartbeat = now() - interval '1 minute'"
        )
    return job_id


async def test_a_silent_worker_s_job_ends_where_a_newer_one_with_its_lock_waits(runtime):
    await locked.defer_async()
    first = await take(runtime)
    await locked.defer_async()
    second = await take(runtime)
    other = await defer(runtime, task="test_reads")
    assert await take(runtime) == other

    assert await hand_back_stalled(queue) == 2

    assert await status_of(runtime, first) == "todo"
    assert await status_of(runtime, second) == "aborted"
    assert await status_of(runtime, other) == "todo"
    await drain(runtime)
    assert sorted(ran) == [1, 14]


async def test_a_dead_job_is_not_sent_again_where_another_with_its_lock_waits(runtime):
    await locked.defer_async()
    job_id = await take(runtime)
    async with runtime.database.statement() as tx:
        await tx.run("select procrastinate_finish_job_v1(%s, 'failed', false)", (job_id,))
    await locked.defer_async()

    with pytest.raises(Conflict, match="Another test_locked waits"):
        async with runtime.database.begin() as tx:
            await retry_job(tx, job_id=job_id)

    assert await status_of(runtime, job_id) == "failed"


async def test_numbering_goes_on_after_whatever_went_wrong(runtime):
    async with runtime.database.begin() as tx:
        shop = await make_shop(tx)
        await tx.run(
            "select write_event(%s, 'package.packed', 1, jsonb_build_object('package_id', 1), now())",
            (shop.id,),
        )
        await tx.run("alter function number_all_events(integer) rename to number_nothing")
    with capture_logs() as logs:
        numbering = asyncio.create_task(_number_events(runtime))
        async with asyncio.timeout(5):
            while not logs:
                await asyncio.sleep(0.01)
    assert logs[0]["event"] == "events were not numbered"
    async with runtime.database.begin() as tx:
        await tx.run("alter function number_nothing(integer) rename to number_all_events")

    async with asyncio.timeout(5), runtime.database.statement() as tx:
        while not await tx.value("select last_sequence from shops where id = %s", (shop.id,)):
            assert not numbering.done()
            await asyncio.sleep(0.05)
    numbering.cancel()


@pytest.mark.parametrize(
    ("function", "arguments", "said"),
    [
        ("procrastinate_fetch_job_v2", "character varying[], bigint", "jobs cannot be fetched"),
        ("procrastinate_update_heartbeat_v1", "bigint", "the job runner ended"),
    ],
)
async def test_jobs_run_on_after_the_queue_could_not_be_asked(
    runtime, monkeypatch, function, arguments, said
):
    monkeypatch.setattr("crossdock.jobs.worker.HEARTBEAT_S", 0.05)
    async with runtime.database.begin() as tx:
        await tx.run(f"alter function {function}({arguments}) rename to renamed_nothing")
    with capture_logs() as logs:
        running = asyncio.create_task(_run_jobs(Services(runtime)))
        async with asyncio.timeout(5):
            while not any(each["event"].startswith(said) for each in logs):
                assert not running.done()
                await asyncio.sleep(0.01)
    async with runtime.database.begin() as tx:
        await tx.run(f"alter function renamed_nothing({arguments}) rename to {function}")

    await defer(runtime, task="test_reads", number=21)

    async with asyncio.timeout(5):
        while not ran:
            assert not running.done()
            await asyncio.sleep(0.01)
    assert ran == [42]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def wait_s(retries, *, attempts):
    """How long the next try waits, or None when there is none."""
    job = Job(
        id=1, status="doing", queue="q", lock=None, queueing_lock=None, task_name="t",
        attempts=attempts, priority=0,
    )  # fmt: skip
    decision = retries.get_retry_decision(exception=OSError(), job=job)
    return decision and (decision.retry_at - datetime.now(UTC)) / timedelta(seconds=1)


def test_waits_follow_the_table_then_end():
    retries = Retries((60, 300))

    assert wait_s(retries, attempts=0) == pytest.approx(60, abs=1)
    assert wait_s(retries, attempts=1) == pytest.approx(300, abs=1)
    assert wait_s(retries, attempts=2) is None


def test_a_job_that_was_cut_off_goes_back_at_once_whatever_its_table():
    job = Job(
        id=1, status="doing", queue="q", lock=None, queueing_lock=None, task_name="t",
        attempts=9, priority=0,
    )  # fmt: skip

    decision = Retries().get_retry_decision(exception=asyncio.CancelledError(), job=job)

    assert decision is not None
    assert decision.retry_at is not None
    assert decision.retry_at <= datetime.now(UTC)


def test_what_runs_by_the_clock():
    queue.perform_import_paths()
    assert {"expire_holds", "purge_expired", "retry_stalled_jobs", "prune_jobs"} <= set(
        scheduled_names()
    )


async def test_one_purge_that_fails_keeps_no_other_and_is_told_of(runtime):
    long_ago = runtime.clock.now() - timedelta(days=400)
    async with runtime.database.begin() as tx:
        shop = await make_shop(tx)
        await tx.run("insert into webhook_feeds (shop_id, channel) values (%s, 'test')", (shop.id,))
        await tx.run(
            "insert into webhook_events (shop_id, channel, sequence, name, data, happened_at, noted_at)"
            " values (%s, 'test', 1, 'order:paid', '{}', %s, %s)",
            (shop.id, long_ago, long_ago),
        )
        await tx.run("alter table carts rename to lost")
        await defer_job(tx, task="purge_expired", queue="default", args={"timestamp": 0})

    await drain(runtime)

    async with runtime.database.statement() as tx:
        assert await tx.value("select count(*) from webhook_events") == 0
        (alert,) = [each for each in await list_alerts(tx) if each.kind == "job_failed"]
    assert (alert.subject, alert.message) == (
        "purge_expired carts",
        "The job purge_expired failed for carts: UndefinedTable; see the log.",
    )
