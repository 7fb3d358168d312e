"""Send an order's packages: pick and pack what is left if asked, then book and ship."""

from crossdock.errors import NotFound, Refused
from crossdock.shop.orders import read_order
from crossdock.shop.warehouse.booking import Booking, check_shipping, ship_with_carrier
from crossdock.shop.warehouse.picking import left_to_pack, left_to_pick, pack_lines, pick_lines


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
        order = await read_order(tx, shop_id=shop_id, order_id=order_id, sections=("packages",))
    packed = [package.id for package in order.packages if package.state == "packed"]
    if package_id is not None:
        if package_id not in {package.id for package in order.packages}:
            raise NotFound("not_found", "The order has no such package.")
        packed = [package_id]
    if not packed:
        raise Refused("order_state", f"Order {order_id} has no packed package to ship.")
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
    now = service.clock.now()
    async with service.db.begin() as tx:
        if left := await left_to_pick(tx, shop_id=shop_id, order_id=order_id):
            await pick_lines(tx, shop_id=shop_id, order_id=order_id, quantities=left, now=now)
        if left := await left_to_pack(tx, shop_id=shop_id, order_id=order_id):
            await pack_lines(tx, shop_id=shop_id, order_id=order_id, quantities=left, now=now)
    return await send_packages(
        service,
        shop_id=shop_id,
        order_id=order_id,
        carrier=carrier,
        carrier_service=carrier_service,
    )
