"""`crossdock fulfil unpick` and `unpack`: take work on an order back."""

from typing import Annotated

import typer

from crossdock.commands.orders.fulfil_quantities import quantities, worded
from crossdock.commands.running import with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.terminal import JsonOption, ShopOption, report


def unpick(
    order_id: Annotated[int, typer.Argument(help="The order's number.", metavar="ORDER")],
    shop: ShopOption,
    lines: Annotated[
        list[str] | None,
        typer.Argument(help="LINE=QUANTITY, for example 1=2 2=1.", metavar="LINE=QUANTITY..."),
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Everything that is picked and not packed.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Put picked units back on the shelf; an order without any can be cancelled again."""
    from crossdock.shop.warehouse import unpick_lines

    async def write(runtime: Runtime, tx: Transaction) -> dict[int, int]:
        shop_id = await shop_id_of(tx, shop)
        named = quantities(lines, all_=all_)
        return dict(
            await unpick_lines(
                tx,
                shop_id=shop_id,
                order_id=order_id,
                quantities=None if all_ else named,
                now=runtime.clock.now(),
            )
        )

    back = with_transaction(write)
    text = f"Un-picked {worded(back)}." if back else "Nothing is picked that is not packed."
    report({"order_id": order_id, "unpicked": back}, as_json=as_json, text=text)


def unpack(
    package_id: Annotated[int, typer.Argument(help="The package's number.", metavar="PACKAGE")],
    shop: ShopOption,
    as_json: JsonOption = False,
) -> None:
    """Open a package that has not left; its units are picked and in no package."""
    from crossdock.shop.warehouse import unpack_package

    async def write(runtime: Runtime, tx: Transaction) -> bool:
        shop_id = await shop_id_of(tx, shop)
        return await unpack_package(
            tx, shop_id=shop_id, package_id=package_id, now=runtime.clock.now()
        )

    is_news = with_transaction(write)
    text = f"Package {package_id} {'is opened' if is_news else 'was opened already'}."
    facts = {"package_id": package_id, "state": "cancelled", "news": is_news}
    report(facts, as_json=as_json, text=text)
