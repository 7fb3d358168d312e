"""`crossdock fulfil sender`: the sender address on labels."""

from typing import Annotated

import msgspec
import typer

from crossdock.commands.running import with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.shop.customers import Address
from crossdock.terminal import JsonOption, print_json

FIELDS = (
    "company",
    "first_name",
    "last_name",
    "street",
    "house_number",
    "box",
    "postcode",
    "city",
    "country",
    "phone",
    "email",
)


def sender(
    shop: Annotated[str, typer.Option("--shop", help="The shop's slug.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", help=f"field=value: {', '.join(FIELDS)}.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show or change the sender address on labels."""
    from crossdock.shop.shops import set_sender
    from crossdock.shop.warehouse import read_sender

    changes = _changes(set_ or [])

    async def write(_runtime: Runtime, tx: Transaction) -> Address:
        shop_id = await shop_id_of(tx, shop)
        found = await read_sender(tx, shop_id=shop_id)
        if changes:
            found = msgspec.structs.replace(found, **changes)
            await set_sender(tx, shop_id=shop_id, sender=found)
        return found

    found = with_transaction(write)
    if as_json:
        print_json(found)
        return
    for name in FIELDS:
        if value := getattr(found, name):
            typer.echo(f"{name:14}{value}")


def _changes(words: list[str]) -> dict[str, str]:
    from crossdock.kit.countries import read_country

    changes = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in FIELDS:
            message = f"{word!r} is not field=value with one of {', '.join(FIELDS)}."
            raise Invalid("invalid_input", message)
        changes[name] = read_country(value) if name == "country" and value else value
    return changes
