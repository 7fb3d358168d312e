"""The work of `crossdock fulfil ship` and `crossdock fulfil label`."""

from crossdock.commands.shop_ids import shop_id_of
from crossdock.compose import Services
from crossdock.db.runtime import Runtime
from crossdock.errors import Invalid
from crossdock.shop.warehouse import read_label, send_everything, send_packages


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

    Raises as `send_packages` and `send_everything`.
    """
    if everything and package_id is not None:
        raise Invalid("invalid_input", "Give --package or --all, not both.")
    booking = Services(runtime).booking
    async with runtime.database.statement() as tx:
        shop_id = await shop_id_of(tx, slug)
    if everything:
        await send_everything(
            booking,
            shop_id=shop_id,
            order_id=order_id,
            carrier=carrier,
            carrier_service=carrier_service,
        )
        return
    await send_packages(
        booking,
        shop_id=shop_id,
        order_id=order_id,
        package_id=package_id,
        carrier=carrier,
        carrier_service=carrier_service,
    )


async def label_of(runtime: Runtime, *, slug: str, package_id: int, kind: str) -> bytes:
    """The label of a shipped package, of the kind '.pdf' or '.zpl'. Raises NotFound `not_found` if there is none."""
    async with runtime.database.statement() as tx:
        shop_id = await shop_id_of(tx, slug)
        return await read_label(tx, shop_id=shop_id, package_id=package_id, kind=kind)
