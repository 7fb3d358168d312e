"""The work of `crossdock fulfil ship`: pick and pack what is left if asked, then book and ship."""

from crossdock.commands.shop_ids import shop_id_of
from crossdock.compose import Services
from crossdock.db.runtime import Runtime
from crossdock.errors import Invalid, NotFound, Refused
from crossdock.shop.orders import read_order
from crossdock.shop.warehouse import (
    check_shipping,
    left_to_pack,
    left_to_pick,
    pack_lines,
    pick_lines,
    read_parcel,
    ship_with_carrier,
)


async def ship_order(
    runtime: Runtime,
    *,
    slug: str,
    order_id: int,
    package_id: int | None,
    everything: bool,
    carrier: str,
    carrier_service: str,
) -> None:
    """Ship one package, every packed one, or with `everything` the whole order.

    Raises Refused `order_state` when there is nothing to ship, NotFound for unknown numbers.
    """
    if everything and package_id is not None:
        raise Invalid("invalid_input", "Give --package or --all, not both.")
    booking = Services(runtime).booking
    booking.carriers.find(carrier)
    if everything:
        async with runtime.database.statement() as tx:
            shop_id = await shop_id_of(tx, slug)
        await check_shipping(
            booking,
            shop_id=shop_id,
            order_id=order_id,
            carrier=carrier,
            carrier_service=carrier_service,
        )
        await _prepare(runtime, slug=slug, order_id=order_id)
    async with runtime.database.statement() as tx:
        shop_id = await shop_id_of(tx, slug)
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
            booking,
            shop_id=shop_id,
            package_id=package,
            carrier=carrier,
            carrier_service=carrier_service,
        )


async def _prepare(runtime: Runtime, *, slug: str, order_id: int) -> None:
    """Pick and pack what is left, in one transaction."""
    now = runtime.clock.now()
    async with runtime.database.begin() as tx:
        shop_id = await shop_id_of(tx, slug)
        if left := await left_to_pick(tx, shop_id=shop_id, order_id=order_id):
            await pick_lines(tx, shop_id=shop_id, order_id=order_id, quantities=left, now=now)
        if left := await left_to_pack(tx, shop_id=shop_id, order_id=order_id):
            await pack_lines(tx, shop_id=shop_id, order_id=order_id, quantities=left, now=now)


async def label_of(runtime: Runtime, *, slug: str, package_id: int, kind: str) -> bytes:
    """The label of a shipped package. Raises NotFound `not_found` if there is none."""
    async with runtime.database.statement() as tx:
        shop_id = await shop_id_of(tx, slug)
        packed = await read_parcel(tx, shop_id=shop_id, package_id=package_id)
    given = packed.consignment
    if given is not None and kind == ".pdf" and given.label_pdf:
        return bytes(given.label_pdf)
    if given is not None and kind == ".zpl" and given.label_zpl:
        return given.label_zpl.encode()
    raise NotFound("not_found", f"Package {package_id} has no such label.")
