"""Periodic jobs.

The sixth field of a schedule is the second. Each task has a queueing lock, so that a slow run is not
followed by a crowd of the same.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from procrastinate import JobContext

from crossdock.db.unit_of_work import Transaction
from crossdock.jobs.queue import queue, runtime_of, services_of
from crossdock.jobs.stalled import hand_back_stalled
from crossdock.kit.storage import MEGABYTE, least_space
from crossdock.shop.alerts import isolated, raise_for_operator
from crossdock.shop.carts import purge_carts
from crossdock.shop.catalogue import delete_old_uploads
from crossdock.shop.deliveries import history_of, purge_deliveries
from crossdock.shop.invoices import expire_invoices as expire_asked
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.mailing import kept_days_of, purge_mails
from crossdock.shop.media import (
    delete_leftovers,
    fetch_videos,
    purge_images,
    purge_videos,
)
from crossdock.shop.media import fetch_images as fetch_due
from crossdock.shop.media import render_videos as render_due
from crossdock.shop.orders import expire_orders as expire_unpaid
from crossdock.shop.orders import purge_identities
from crossdock.shop.orders import run_releases as release_waiting
from crossdock.shop.partners import purge_expired
from crossdock.shop.people import lifetimes_of, purge_people
from crossdock.shop.pricing import tell_prices as tell_repriced
from crossdock.shop.resellers import (
    hold_of,
    overdue_of,
    release_commissions,
    watch_commissions,
)
from crossdock.shop.search import alert_of_lags
from crossdock.shop.stock import expire_all_holds
from crossdock.shop.tickets import close_solved, silence_of
from crossdock.shop.warehouse import poll_carriers as ask_carriers
from crossdock.shop.webhooks import purge_webhook_feeds

log = structlog.get_logger("crossdock.jobs")


@queue.periodic(cron="* * * * * */15", periodic_id="")
@queue.task(name="expire_holds", queueing_lock="expire_holds", pass_context=True)
async def expire_holds(context: JobContext, timestamp: int) -> None:
    """Release expired holds until none is left."""
    runtime = runtime_of(context)
    if count := await expire_all_holds(runtime.database, now=runtime.clock.now()):
        log.info("holds expired", count=count)


@queue.periodic(cron="* * * * * */15", periodic_id="")
@queue.task(name="expire_orders", queueing_lock="expire_orders", pass_context=True)
async def expire_orders(context: JobContext, timestamp: int) -> None:
    """Cancel orders that were not paid in time."""
    runtime = runtime_of(context)
    if count := await expire_unpaid(runtime.database, now=runtime.clock.now()):
        log.info("orders expired", count=count)


@queue.periodic(cron="* * * * * */15", periodic_id="")
@queue.task(name="expire_invoices", queueing_lock="expire_invoices", pass_context=True)
async def expire_invoices(context: JobContext, timestamp: int) -> None:
    """Void invoices that were not paid in time."""
    runtime = runtime_of(context)
    if count := await expire_asked(runtime.database, now=runtime.clock.now()):
        log.info("invoices expired", count=count)


@queue.periodic(cron="* * * * * */15", periodic_id="")
@queue.task(name="run_releases", queueing_lock="run_releases", pass_context=True)
async def run_releases(context: JobContext, timestamp: int) -> None:
    """Release the orders whose stock is available; deferred after receipts as well."""
    runtime = runtime_of(context)
    await release_waiting(runtime.database, now=runtime.clock.now())


@queue.periodic(cron="* * * * * */15", periodic_id="")
@queue.task(name="tell_prices", queueing_lock="tell_prices", pass_context=True)
async def tell_prices(context: JobContext, timestamp: int) -> None:
    """Tell of the prices that the clock alone changed: sales and promotions that began or ended."""
    runtime = runtime_of(context)
    if count := await tell_repriced(runtime.database, now=runtime.clock.now()):
        log.info("prices changed by the clock", variants=count)


@queue.periodic(cron="* * * * * */30", periodic_id="")
@queue.task(name="settle_payments", queueing_lock="settle_payments", pass_context=True)
async def settle_payments(context: JobContext, timestamp: int) -> None:
    """Look up lost answers of payment providers, and void authorisations that nothing wants."""
    count = await settle_every_payment(services_of(context).paying)
    if count:
        log.info("lost answers of payment providers settled", count=count)


@queue.periodic(cron="*/5 * * * *")
@queue.task(name="poll_carriers", queueing_lock="poll_carriers", pass_context=True)
async def poll_carriers(context: JobContext, timestamp: int) -> None:
    """Poll the carriers for checkpoints of shipped packages."""
    await ask_carriers(services_of(context).booking)


@queue.periodic(cron="*/5 * * * *")
@queue.task(name="close_tickets", queueing_lock="close_tickets", pass_context=True)
async def close_tickets(context: JobContext, timestamp: int) -> None:
    """Close tickets that were solved long ago."""
    runtime = runtime_of(context)
    silence = silence_of(runtime.settings.tickets)
    if count := await close_solved(runtime.database, silence=silence, now=runtime.clock.now()):
        log.info("tickets closed", count=count)


@queue.periodic(cron="* * * * *")
@queue.task(name="keep_commissions", queueing_lock="keep_commissions", pass_context=True)
async def keep_commissions(context: JobContext, timestamp: int) -> None:
    """Release commission that was held long enough, and tell of payouts that nobody decides."""
    runtime = runtime_of(context)
    section, now = runtime.settings.resellers, runtime.clock.now()
    if count := await release_commissions(runtime.database, hold=hold_of(section), now=now):
        log.info("commissions released", orders=count)
    await watch_commissions(runtime.database, payout_overdue=overdue_of(section), now=now)


@queue.periodic(cron="* * * * *")
@queue.task(name="purge_expired", queueing_lock="purge_expired", pass_context=True)
async def purge(context: JobContext, timestamp: int) -> None:
    """Delete what expired: nonces, rate windows, access tokens, idempotency keys, sessions and carts.

    And sign-in attempts, deliveries that were sent long ago, old mails and feeds of webhooks.
    """
    runtime = runtime_of(context)
    now, settings = runtime.clock.now(), runtime.settings
    purges: dict[str, Callable[[Transaction], Awaitable[object]]] = {
        "what partners used": lambda tx: purge_expired(tx, now=now),
        "idempotency keys": lambda tx: purge_identities(tx, now=now),
        "people": lambda tx: purge_people(tx, lives=lifetimes_of(settings.people), now=now),
        "carts": lambda tx: purge_carts(tx, now=now),
        "deliveries": lambda tx: purge_deliveries(
            tx, kept=history_of(settings.deliveries), now=now
        ),
        "feeds of webhooks": lambda tx: purge_webhook_feeds(tx, now=now),
        "mails": lambda tx: purge_mails(tx, kept=kept_days_of(settings.smtp), now=now),
    }
    for about, purge_some in purges.items():
        async with (
            isolated(runtime.database, job="purge_expired", about=about, now=now),
            runtime.database.statement() as tx,
        ):
            await purge_some(tx)


@queue.periodic(cron="* * * * * */30")
@queue.task(name="retry_stalled_jobs", queueing_lock="retry_stalled_jobs", pass_context=True)
async def retry_stalled(context: JobContext, timestamp: int) -> None:
    """Requeue the jobs of workers that died."""
    await hand_back_stalled(context.app)


@queue.periodic(cron="* * * * *")
@queue.task(name="watch_disk", queueing_lock="watch_disk", pass_context=True)
async def watch_disk(context: JobContext, timestamp: int) -> None:
    """Raise an alert while the disk of the data folder has little room."""
    runtime = runtime_of(context)
    server = runtime.settings.server
    space = least_space(server.written_folders)
    if space is None or space.free_bytes >= server.disk_low_mb * MEGABYTE:
        return
    free_mb = space.free_bytes // MEGABYTE
    log.warning("the disk is nearly full", path=str(space.path), free_mb=free_mb)
    message = (
        f"The disk of {space.path} has {free_mb} MB left. When it is full, nothing can be sold."
    )
    async with runtime.database.begin() as tx:
        await raise_for_operator(tx, kind="disk_low", message=message, now=runtime.clock.now())


@queue.periodic(cron="* * * * * */30", periodic_id="")
@queue.task(name="watch_indexes", queueing_lock="watch_indexes", pass_context=True)
async def watch_indexes(context: JobContext, timestamp: int) -> None:
    """Raise an alert while a search index of this machine is far behind."""
    services = services_of(context)
    async with services.runtime.database.begin() as tx:
        await alert_of_lags(tx, searching=services.searching, now=services.runtime.clock.now())


@queue.periodic(cron="17 * * * *")
@queue.task(name="prune_jobs", queueing_lock="prune_jobs", pass_context=True)
async def prune(context: JobContext, timestamp: int) -> None:
    """Delete old finished jobs; failed ones stay until an operator handles them."""
    hours = runtime_of(context).settings.jobs.job_history_hours
    await context.app.job_manager.delete_old_jobs(
        nb_hours=hours, include_cancelled=True, include_aborted=True
    )


@queue.periodic(cron="* * * * * */15", periodic_id="")
@queue.task(name="fetch_images", queueing_lock="fetch_images", pass_context=True)
async def fetch_images(context: JobContext, timestamp: int) -> None:
    """Fetch the images and videos that products name and the shop is to hold, until none is due."""
    services = services_of(context)
    now = services.runtime.clock.now()
    async with isolated(services.runtime.database, job="fetch_images", about="images", now=now):
        done = await fetch_due(services.fetching)
        if done.held or done.failed:
            log.info("images fetched", held=done.held, failed=done.failed)
    done = await fetch_videos(services.fetching, videos=services.videos)
    if done.held or done.failed:
        log.info("videos fetched", held=done.held, failed=done.failed)


@queue.periodic(cron="* * * * * */15", periodic_id="")
@queue.task(name="render_videos", queueing_lock="render_videos", pass_context=True)
async def render_videos(context: JobContext, timestamp: int) -> None:
    """Make the renditions of videos that wait for them, until none does."""
    services = services_of(context)
    if count := await render_due(services.videos):
        log.info("videos rendered", count=count)


@queue.periodic(cron="41 * * * *")
@queue.task(name="purge_images", queueing_lock="purge_images", pass_context=True)
async def purge_unused_images(context: JobContext, timestamp: int) -> None:
    """Delete images and videos that nothing has referred to for long, and files that are no one's."""
    media = services_of(context).media
    gone: dict[str, int] = {}
    purges = {"videos": purge_videos, "images": purge_images, "files": delete_leftovers}
    for about, purge_some in purges.items():
        async with isolated(media.db, job="purge_images", about=about, now=media.clock.now()):
            gone[about] = await purge_some(media)
    if any(gone.values()):
        log.info("unused images deleted", **gone)


@queue.periodic(cron="27 * * * *")
@queue.task(name="purge_imports", queueing_lock="purge_imports", pass_context=True)
async def purge_imports(context: JobContext, timestamp: int) -> None:
    """Delete uploaded catalogues with which nothing was done for long; their history stays."""
    services = services_of(context)
    now = services.runtime.clock.now()
    folder = services.import_folder
    if count := await delete_old_uploads(services.runtime.database, folder=folder, now=now):
        log.info("uploaded catalogues deleted", count=count)


def scheduled_names() -> list[str]:
    """The names of all periodic tasks."""
    tasks: dict[Any, Any] = queue.periodic_registry.periodic_tasks
    return sorted(name for name, _ in tasks)
