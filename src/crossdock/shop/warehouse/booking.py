"""Ship a package with a carrier: book it outside any transaction, then ship it in one."""

import msgspec
import structlog

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError, Invalid, Refused, Unavailable
from crossdock.kit.clock import Clock
from crossdock.shop.warehouse.carriers import Carrier, Carriers
from crossdock.shop.warehouse.parcels import PackedParcel, read_parcel, read_planned_parcel
from crossdock.shop.warehouse.shipping import Consignment, ship_package

_log = structlog.get_logger(__name__)


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """The dependencies of booking and polling carriers."""

    db: Database
    clock: Clock
    carriers: Carriers


async def check_shipping(
    service: Booking, *, shop_id: int, order_id: int, carrier: str = "", carrier_service: str = ""
) -> None:
    """Ask the carrier whether it would take the order's parcel; books and writes nothing.

    Raises NotFound `not_found`, and Invalid `invalid_input` as `ship_with_carrier` would.
    """
    asked = service.carriers.find(carrier)
    async with service.db.statement() as tx:
        parcel = await read_planned_parcel(
            tx, shop_id=shop_id, order_id=order_id, service=carrier_service
        )
    await asked.check(parcel)


async def ship_with_carrier(
    service: Booking, *, shop_id: int, package_id: int, carrier: str = "", carrier_service: str = ""
) -> Consignment:
    """Book a packed package with a carrier ('' for the default one) and ship it.

    Idempotent: a package that was shipped already returns its consignment; one that was announced is
    shipped under its number. If shipping is refused
    after the booking, the booking is cancelled where the carrier supports that. Raises
    NotFound `not_found`, Invalid `invalid_input` for an unknown carrier or service and for a label that
    cannot be printed (`field` and `characters` say what of it), Refused `order_state` for a cancelled
    package, and as `ship_package`.
    """
    booked_with = service.carriers.find(carrier)
    packed = await _read(service, shop_id=shop_id, package_id=package_id, asked=carrier_service)
    if packed.consignment is not None:
        return packed.consignment
    if packed.state != "packed":
        raise Refused("order_state", f"A package that is {packed.state} cannot be shipped.")
    if packed.announced is not None:
        return await _ship_announced(service, packed.announced, shop_id, package_id, carrier)
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


async def _ship_announced(
    service: Booking, announced: Consignment, shop_id: int, package_id: int, carrier: str
) -> Consignment:
    """Ship a package under the number that it was announced with; no carrier is asked."""
    if carrier not in {"", announced.carrier}:
        message = f"The package is announced with {announced.carrier}, not {carrier}."
        raise Invalid("invalid_input", message, {"field": "carrier"})
    async with service.db.begin() as tx:
        await ship_package(
            tx,
            shop_id=shop_id,
            package_id=package_id,
            consignment=announced,
            now=service.clock.now(),
        )
    return announced


async def _what_another_gave(
    service: Booking, *, shop_id: int, package_id: int
) -> Consignment | None:
    """The consignment of a package that was shipped concurrently."""
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
