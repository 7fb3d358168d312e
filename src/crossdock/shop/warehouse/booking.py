"""Have a carrier take a package: book first, outside any transaction, then ship in one."""

import msgspec
import structlog

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError, Refused, Unavailable
from crossdock.kit.clock import Clock
from crossdock.shop.warehouse.carriers import Carrier, Carriers
from crossdock.shop.warehouse.parcels import PackedParcel, read_parcel
from crossdock.shop.warehouse.shipping import Consignment, ship_package

_log = structlog.get_logger(__name__)


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """What booking and asking carriers needs."""

    db: Database
    clock: Clock
    carriers: Carriers


async def ship_with_carrier(
    service: Booking, *, shop_id: int, package_id: int, carrier: str = "", carrier_service: str = ""
) -> Consignment:
    """Book a packed package with a carrier ('' for the usual one) and ship it.

    Idempotent: a package that has left answers with what its carrier gave then. When shipping
    is refused after the booking, the booking is taken back where the carrier can do that. Raises
    NotFound `not_found`, Invalid `invalid_input` for an unknown carrier or service, Refused
    `order_state` for a cancelled package, and as `ship_package`.
    """
    booked_with = service.carriers.find(carrier)
    packed = await _read(service, shop_id=shop_id, package_id=package_id, asked=carrier_service)
    if packed.consignment is not None:
        return packed.consignment
    if packed.state != "packed":
        raise Refused("order_state", f"A package that is {packed.state} cannot be shipped.")
    consignment = await booked_with.book(packed.parcel)
    try:
        async with service.db.begin() as tx:
            await ship_package(
                tx,
                shop_id=shop_id,
                package_id=package_id,
                consignment=consignment,
                now=service.clock.now(),
            )
    except Unavailable:
        raise  # it may have been committed: asked again, the package answers or is booked anew
    except CrossdockError as error:
        given = await _what_another_gave(service, shop_id=shop_id, package_id=package_id)
        # A carrier that knows the parcel's key gave both the same booking, and it is in use.
        if given is None or given.tracking_number != consignment.tracking_number:
            await _take_back(booked_with, consignment=consignment)
        if given is None or error.code != "order_state":
            raise
        return given
    return consignment


async def _what_another_gave(
    service: Booking, *, shop_id: int, package_id: int
) -> Consignment | None:
    """What the package went with when somebody else shipped it meanwhile."""
    return (await _read(service, shop_id=shop_id, package_id=package_id)).consignment


async def _read(
    service: Booking, *, shop_id: int, package_id: int, asked: str = ""
) -> PackedParcel:
    async with service.db.statement() as tx:
        return await read_parcel(tx, shop_id=shop_id, package_id=package_id, service=asked)


async def _take_back(carrier: Carrier, *, consignment: Consignment) -> None:
    if carrier.capabilities.cancels:
        await carrier.cancel(consignment.tracking_number)
    else:
        _log.warning(
            "a booking was not used and cannot be taken back",
            carrier=carrier.name,
            number=consignment.tracking_number,
        )
