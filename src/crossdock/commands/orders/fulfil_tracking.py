"""`crossdock fulfil track` and `checkpoint`: packages of carriers that no program asks."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from crossdock.commands.orders.fulfil_quantities import quantities
from crossdock.commands.running import with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.terminal import JsonOption, ShopOption, report

CarrierNumber = Annotated[str, typer.Option("--number", help="The carrier's tracking number.")]


def track(
    order_id: Annotated[int, typer.Argument(help="The order's number.", metavar="ORDER")],
    shop: ShopOption,
    carrier: Annotated[str, typer.Option(help="The carrier, by any name.")],
    number: CarrierNumber,
    lines: Annotated[
        list[str] | None,
        typer.Argument(help="LINE=QUANTITY, for example 1=2 2=1.", metavar="LINE=QUANTITY..."),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Everything that is left.")] = False,
    url: Annotated[str, typer.Option(help="The page that follows the parcel.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Pack units for a carrier who gave a number; `fulfil ship` then books no other.

    A paid order that waits for its release is released by that.
    """
    from crossdock.shop.warehouse import announce_package

    async def write(runtime: Runtime, tx: Transaction) -> int:
        return await announce_package(
            tx,
            shop_id=await shop_id_of(tx, shop),
            order_id=order_id,
            quantities=None if all_ else quantities(lines, all_=False),
            carrier=carrier,
            tracking_number=number,
            tracking_url=url,
            now=runtime.clock.now(),
        )

    package_id = with_transaction(write)
    report(
        {"order_id": order_id, "package_id": package_id, "tracking_number": number},
        as_json=as_json,
        text=f"Package {package_id} is announced as {carrier} {number}.",
    )


def checkpoint(
    package_id: Annotated[int, typer.Argument(help="The package's number.", metavar="PACKAGE")],
    shop: ShopOption,
    code: Annotated[
        str, typer.Option(help="Such as collected, in_transit, landed, delivered, exception.")
    ],
    message: Annotated[str, typer.Option(help="What the carrier says.")] = "",
    place: Annotated[str, typer.Option(help="Where it was seen.")] = "",
    at: Annotated[str, typer.Option(help="When, ISO 8601; UTC without a zone; else now.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Record what a carrier reports of a package; the same report twice is one."""
    from crossdock.kit.zones import read_start
    from crossdock.shop.warehouse import Checkpoint, add_checkpoints

    async def write(runtime: Runtime, tx: Transaction) -> int:
        seen = Checkpoint(
            code=code,
            happened_at=read_start(at, zone=ZoneInfo("UTC")) if at else runtime.clock.now(),
            message=message,
            place=place,
        )
        return await add_checkpoints(
            tx,
            shop_id=await shop_id_of(tx, shop),
            package_id=package_id,
            checkpoints=[seen],
            now=runtime.clock.now(),
        )

    if not code.strip():
        raise Invalid("invalid_input", "A checkpoint has a code.", {"field": "code"})
    added = with_transaction(write)
    report(
        {"package_id": package_id, "code": code, "added": added},
        as_json=as_json,
        text="noted" if added else "was noted before",
    )
