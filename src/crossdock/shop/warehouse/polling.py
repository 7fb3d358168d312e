"""Poll carriers for the checkpoints of shipped packages."""

from datetime import datetime, timedelta

import structlog

from crossdock.errors import CrossdockError
from crossdock.shop.alerts import isolated
from crossdock.shop.warehouse.booking import Booking
from crossdock.shop.warehouse.tracking import add_checkpoints

FOLLOWED_DAYS = 60
_PAGE = 200
_log = structlog.get_logger(__name__)


async def poll_carriers(service: Booking) -> int:
    """Store new checkpoints of every package in transit; returns how many.

    A package is polled for 60 days. A carrier's failure is logged and does not affect
    the others; what else fails raises an alert.
    """
    noted, place = 0, (0, 0)
    while True:
        async with service.db.statement() as tx:
            page = await tx.all(
                _ON_THE_ROAD,
                {
                    "carriers": list(service.carriers.trackable()),
                    "since": service.clock.now() - timedelta(days=FOLLOWED_DAYS),
                    "shop": place[0],
                    "package": place[1],
                    "limit": _PAGE,
                },
            )
        for shop_id, package_id, carrier, number, shipped_at in page:
            async with isolated(
                service.db,
                job="poll_carriers",
                shop_id=shop_id,
                about=f"package {package_id}",
                now=service.clock.now(),
            ):
                noted += await _ask(
                    service,
                    shop_id=shop_id,
                    package_id=package_id,
                    carrier=carrier,
                    number=number,
                    shipped_at=shipped_at,
                )
        if len(page) < _PAGE:
            break
        place = page[-1][0], page[-1][1]
    if noted:
        _log.info("carriers asked", checkpoints=noted)
    return noted


async def _ask(
    service: Booking,
    *,
    shop_id: int,
    package_id: int,
    carrier: str,
    number: str,
    shipped_at: datetime,
) -> int:
    try:
        seen = await service.carriers.find(carrier).track(number, shipped_at=shipped_at)
        if not seen:
            return 0
        async with service.db.begin() as tx:
            return await add_checkpoints(
                tx,
                shop_id=shop_id,
                package_id=package_id,
                checkpoints=seen,
                now=service.clock.now(),
            )
    except CrossdockError as error:
        _log.warning("a carrier did not tell", carrier=carrier, code=error.code)
        return 0


_ON_THE_ROAD = """
    select shop_id, id, carrier, tracking_number, shipped_at from packages
    where state = 'shipped' and carrier = any(%(carriers)s) and tracking_number <> ''
      and shipped_at > %(since)s and (shop_id, id) > (%(shop)s, %(package)s)
    order by shop_id, id limit %(limit)s
"""
