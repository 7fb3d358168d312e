"""`crossdock reseller key`, `keys`, `revoke-key` and `url`: by what a reseller's own shop calls."""

from typing import Annotated

import typer

from crossdock.channels.shoppex_reseller.command_tools import (
    Found,
    Who,
    find_reseller,
    ids_of,
    run,
    tell,
)
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.terminal import CommandLine, JsonOption, print_table, report_list


def key(context: typer.Context, who: Who, as_json: JsonOption = False) -> None:
    """Create a key for the reseller's own shop; it is shown only now."""
    from crossdock.channels.shoppex_reseller.auth import RESELLER_PREFIX
    from crossdock.compose import create_box
    from crossdock.kit.ids import RandomIds
    from crossdock.shop.resellers import add_key

    async def write(runtime: Runtime, tx: Transaction) -> Found:
        shop_id, reseller_id, shown = await find_reseller(runtime, tx, who)
        made = await add_key(
            tx,
            shop_id=shop_id,
            reseller_id=reseller_id,
            prefix=RESELLER_PREFIX,
            ids=RandomIds(),
            box=create_box(runtime.settings),
        )
        return {"relationship_id": shown, "key": made.key, "api_key": made.secret}

    tell(run(context, write), as_json=as_json)


def keys(context: typer.Context, who: Who, as_json: JsonOption = False) -> None:
    """List the reseller's keys, those that work first."""
    from crossdock.channels.shoppex_reseller.portal_keys import show_key
    from crossdock.shop.resellers import list_reseller_keys

    async def read(runtime: Runtime, tx: Transaction) -> list[Found]:
        shop_id, reseller_id, _ = await find_reseller(runtime, tx, who)
        ids = await ids_of(runtime).of(shop_id)
        known = await list_reseller_keys(tx, shop_id=shop_id, reseller_id=reseller_id)
        shown = [show_key(each, ids=ids) for each in known]
        return [{name: getattr(each, name) for name in each.__struct_fields__} for each in shown]

    found = run(context, read)
    report_list(found, as_json=as_json, table=_print, none="There is no key.")


def revoke_key(
    context: typer.Context,
    who: Who,
    key_id: Annotated[str, typer.Argument(help="The key's id, as `keys` lists it.")],
    as_json: JsonOption = False,
) -> None:
    """Revoke a key of the reseller's for ever."""
    from crossdock.channels.shoppex_reseller.ids import Kind
    from crossdock.channels.shoppex_reseller.portal_keys import show_key
    from crossdock.shop.resellers import revoke_key as revoke

    async def write(runtime: Runtime, tx: Transaction) -> Found:
        shop_id, reseller_id, _ = await find_reseller(runtime, tx, who)
        ids = await ids_of(runtime).of(shop_id)
        revoked = await revoke(
            tx,
            shop_id=shop_id,
            reseller_id=reseller_id,
            key_id=ids.read(Kind.API_KEY, key_id),
            now=runtime.clock.now(),
        )
        shown = show_key(revoked, ids=ids)
        return {name: getattr(shown, name) for name in shown.__struct_fields__}

    tell(run(context, write), as_json=as_json)


def url(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show the address of a fulfillment with its placeholders, for tools that can only call one."""
    from crossdock.channels.shoppex_reseller.portal_keys import dynamic_url

    line: CommandLine = context.obj
    tell({"url_template": dynamic_url(line.base_url())}, as_json=as_json)


def _print(found: list[Found]) -> None:
    from rich.table import Table

    names = ("id", "prefix", "created_at", "last_used_at", "revoked_at")
    table = Table("Id", "Begins with", "Created", "Last used", "Revoked")
    for each in found:
        table.add_row(*(str(each[name] or "") for name in names))
    print_table(table)
