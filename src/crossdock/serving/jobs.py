"""The entry point of the job worker's process."""

import asyncio

import crossdock.imports.tasks  # noqa: F401  it declares the jobs of uploaded catalogues
from crossdock.channels.registry import equip_worker, load_settings
from crossdock.jobs.worker import work
from crossdock.kit.logging import configure_logging
from crossdock.serving.child import announce_ready, begin


def main() -> None:
    """Run until stopped. The process counts as ready without a database, and waits for one."""
    settings = load_settings()
    configure_logging(level=settings.log.level, format=settings.log.format)
    begin()
    announce_ready()
    asyncio.run(work(settings, equip=equip_worker))


if __name__ == "__main__":
    main()
