"""The entry point of the job worker's process."""

import uvloop

import crossdock.kit.importing  # noqa: F401  before what takes long to import
from crossdock.channels.registry import equip_worker, load_settings
from crossdock.compose import Services
from crossdock.jobs.worker import work
from crossdock.kit.importing import collect_again
from crossdock.kit.logging import configure_logging
from crossdock.serving.child import announce_ready, begin

collect_again()


def main() -> None:
    """Run until stopped. The process counts as ready without a database, and waits for one."""
    settings = load_settings()
    configure_logging(level=settings.log.level, format=settings.log.format)
    begin()
    announce_ready()
    uvloop.run(work(settings, equip=_equip))


def _equip(services: Services) -> None:
    import crossdock.imports.tasks  # noqa: F401  it declares the jobs of uploaded catalogues

    equip_worker(services)


if __name__ == "__main__":
    main()
