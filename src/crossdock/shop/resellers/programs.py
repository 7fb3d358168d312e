"""A shop's settings of the reseller programme, which is off until it is enabled (spec shoppex_reseller 6.2)."""

from datetime import datetime

import msgspec
from msgspec import UNSET

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Refused
from crossdock.shop.partners import touch_partners
from crossdock.shop.resellers.model import Program, ProgramChanges

_COLUMNS = ", ".join(Program.__struct_fields__)
_READ = f"select {_COLUMNS} from reseller_programs where shop_id = %s"


async def read_program(tx: Transaction, *, shop_id: int) -> Program:
    """The settings; the defaults where none were ever set."""
    return _program(await tx.one(_READ, (shop_id,)), shop_id=shop_id)


async def change_program(
    tx: Transaction, *, shop_id: int, changes: ProgramChanges, now: datetime
) -> Program:
    """Change what is given; returns all settings. What was agreed or delivered before stays as it is.

    The discount is part of the terms of relationships, so that their partners get a new revision.
    """
    given = {
        name: value
        for name in changes.__struct_fields__
        if (value := getattr(changes, name)) is not UNSET
    }
    await tx.run(
        "insert into reseller_programs (shop_id, created_at, updated_at) values (%s, %s, %s)"
        " on conflict do nothing",
        (shop_id, now, now),
    )
    columns = "".join(f"{name} = %({name})s, " for name in given)
    await tx.run(
        "update reseller_programs set "  # nosec B608
        + columns
        + "updated_at = %(now)s where shop_id = %(shop)s",
        given | {"now": now, "shop": shop_id},
    )
    await touch_partners(tx, shop_id=shop_id)
    return await read_program(tx, shop_id=shop_id)


async def lock_enabled_program(tx: Transaction, *, shop_id: int) -> Program:
    """The settings, locked, so that invitations of a shop follow each other.

    Raises Refused `program_disabled`.
    """
    row = await tx.one(f"{_READ} for no key update", (shop_id,))
    program = _program(row, shop_id=shop_id)
    if not program.enabled:
        raise Refused("program_disabled")
    return program


def _program(row: tuple[object, ...] | None, *, shop_id: int) -> Program:
    if row is None:
        return Program(shop_id=shop_id)
    return msgspec.convert(dict(zip(Program.__struct_fields__, row, strict=True)), Program)
