"""`crossdock worker`: background jobs only, for servers started with `serve --no-jobs`."""

from crossdock.channels.registry import equip_worker, load_settings
from crossdock.commands.running import require_database, require_master_key, run_once


def worker() -> None:
    """Run background jobs until a stop signal; unfinished ones are requeued."""
    import uvloop

    from crossdock.db.embedded import running_database
    from crossdock.db.migrate import require_served
    from crossdock.db.pooling import refuse_transaction_pooling
    from crossdock.jobs.worker import work
    from crossdock.kit.logging import configure_logging

    settings = load_settings()
    require_database(settings)
    configure_logging(level=settings.log.level, format=settings.log.format)
    with running_database(settings) as running:
        refuse_transaction_pooling(running.database.url)
        require_served(running.database.url)
        run_once(require_master_key, settings=running)
        uvloop.run(work(running, equip=equip_worker))
