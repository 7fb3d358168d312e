"""`crossdock order address`: where an order goes."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from crossdock.commands.running import with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.terminal import JsonOption, ShopOption, report

if TYPE_CHECKING:
    from crossdock.shop.customers import Address

Shown = tuple[int, "Address", tuple[str, ...]]


def address(
    order: Annotated[str, typer.Argument(help="The order's number, ours or the partner's.")],
    shop: ShopOption,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="FIELD is first_name, last_name, company, email, phone, street, house_number, box,"
            " address_1, address_2, postcode, city, state or country. Repeat it.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show or correct the shipping address of an order of which nothing has left."""
    from crossdock.shop.partners import split_words

    changes = split_words(set_ or [])

    async def act(runtime: Runtime, tx: Transaction) -> Shown:
        return await _act(runtime, tx, slug=shop, number=order, changes=changes)

    order_id, found, changed = with_transaction(act)
    facts = {
        "order_id": order_id,
        "address": {
            name: getattr(found, name) for name in found.__struct_fields__ if name != "vat"
        },
        "changed": list(changed),
    }
    lines = [f"{name:14}{value}" for name, value in msgspec.to_builtins(found).items() if value]
    report(facts, as_json=as_json, text="\n".join(lines))


async def _act(
    runtime: Runtime, tx: Transaction, *, slug: str, number: str, changes: dict[str, str]
) -> Shown:
    from crossdock.shop.orders import correct_address, find_order_id, read_order

    shop_id = await shop_id_of(tx, slug)
    order_id = await find_order_id(tx, shop_id=shop_id, number=number)
    if not changes:
        order = await read_order(tx, shop_id=shop_id, order_id=order_id)
        return order_id, order.shipping, ()
    now = runtime.clock.now()
    found, changed = await correct_address(
        tx, shop_id=shop_id, order_id=order_id, changes=changes, now=now
    )
    return order_id, found, changed
