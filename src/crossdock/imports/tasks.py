"""Jobs of the worker for catalogues that people upload."""

from typing import TYPE_CHECKING

import structlog
from procrastinate import JobContext

from crossdock.errors import CrossdockError
from crossdock.jobs.queue import Retries, queue, services_of
from crossdock.shop.catalogue import RUN_IMPORT

if TYPE_CHECKING:
    from crossdock.imports.uploads import Step

log = structlog.get_logger("crossdock.imports")
_WAITS_S = (5, 30)


@queue.task(name=RUN_IMPORT, pass_context=True, retry=Retries(_WAITS_S))
async def run_import(context: JobContext, shop_id: int, import_id: int, step: "Step") -> None:
    """Check an uploaded catalogue or import it."""
    from crossdock.imports.uploads import fail_step, run_step

    services = services_of(context)
    try:
        await run_step(services, shop_id=shop_id, import_id=import_id, step=step)
    except Exception as error:
        if context.job.attempts < len(_WAITS_S):
            raise
        log.exception("an import was given up", import_id=import_id)
        told = error.message if isinstance(error, CrossdockError) else "It failed; see the log."
        await fail_step(services, shop_id=shop_id, import_id=import_id, error=told)
