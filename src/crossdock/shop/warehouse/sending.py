"""Send an order's packages: pick and pack what is left if asked, then book and ship."""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound, Refused
from crossdock.shop.orders import Rehearsed, read_order, rehearse
from crossdock.shop.warehouse.booking import Booking, check_shipping, ship_with_carrier
from crossdock.shop.warehouse.picking import left_to_pack, left_to_pick, pack_lines, pick_lines
from crossdock.shop.warehouse.shipping import Consignment, ship_package


async def send_packages(
    service: Booking,
    *,
    shop_id: int,
    order_id: int,
    package_id: int | None = None,
    carrier: str = "",
    carrier_service: str = "",
) -> list[int]:
    """Ship one package of the order, or all that are packed; their ids.

    Raises Refused `order_state` when there is nothing to ship, NotFound for unknown numbers, and as
    `ship_with_carrier`.
    """
    service.carriers.find(carrier)
    async with service.db.statement() as tx:
        packed = await _packed(tx, shop_id=shop_id, order_id=order_id, package_id=package_id)
    for package in packed:
        await ship_with_carrier(
            service,
            shop_id=shop_id,
            package_id=package,
            carrier=carrier,
            carrier_service=carrier_service,
        )
    return packed


async def send_everything(
    service: Booking, *, shop_id: int, order_id: int, carrier: str = "", carrier_service: str = ""
) -> list[int]:
    """Pick and pack all that is left of the order, then ship it; the packages' ids.

    The carrier is asked first whether it would take the parcel, so that a refusal changes nothing. Raises
    as `send_packages`, `check_shipping` and `pick_lines`.
    """
    await check_shipping(
        service,
        shop_id=shop_id,
        order_id=order_id,
        carrier=carrier,
        carrier_service=carrier_service,
    )
    async with service.db.begin() as tx:
        await _pack_all(tx, shop_id=shop_id, order_id=order_id, now=service.clock.now())
    return await send_packages(
        service,
        shop_id=shop_id,
        order_id=order_id,
        carrier=carrier,
        carrier_service=carrier_service,
    )


async def rehearse_sending(
    service: Booking,
    *,
    shop_id: int,
    order_id: int,
    package_id: int | None = None,
    packs_all: bool = False,
    carrier: str = "",
) -> Rehearsed[int]:
    """What sending would do, by the same moves, rolled back; its result is how many packages would leave.

    The carrier books nothing; with `packs_all` it is asked whether it would take the parcel. Raises as
    `send_packages` and `send_everything` do.
    """
    service.carriers.find(carrier)
    if packs_all:
        await check_shipping(service, shop_id=shop_id, order_id=order_id, carrier=carrier)
    now = service.clock.now()

    async def send(tx: Transaction) -> int:
        if packs_all:
            await _pack_all(tx, shop_id=shop_id, order_id=order_id, now=now)
        packed = await _packed(tx, shop_id=shop_id, order_id=order_id, package_id=package_id)
        nobody = Consignment(carrier="", tracking_number="", tracking_url="")
        for package in packed:
            await ship_package(tx, shop_id=shop_id, package_id=package, consignment=nobody, now=now)
        return len(packed)

    return await rehearse(service.db, shop_id=shop_id, order_id=order_id, move=send)


async def _packed(
    tx: Transaction, *, shop_id: int, order_id: int, package_id: int | None
) -> list[int]:
    """The packages to ship: that one, or all that are packed."""
    order = await read_order(tx, shop_id=shop_id, order_id=order_id, sections=("packages",))
    packed = [package.id for package in order.packages if package.state == "packed"]
    if package_id is not None:
        if package_id not in {package.id for package in order.packages}:
            raise NotFound("not_found", "The order has no such package.")
        packed = [package_id]
    if not packed:
        raise Refused("order_state", f"Order {order_id} has no packed package to ship.")
    return packed


async def _pack_all(tx: Transaction, *, shop_id: int, order_id: int, now: datetime) -> None:
    if left := await left_to_pick(tx, shop_id=shop_id, order_id=order_id):
        await pick_lines(tx, shop_id=shop_id, order_id=order_id, quantities=left, now=now)
    if left := await left_to_pack(tx, shop_id=shop_id, order_id=order_id):
        await pack_lines(tx, shop_id=shop_id, order_id=order_id, quantities=left, now=now)
