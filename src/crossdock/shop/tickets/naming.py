"""Find a ticket by what people call it."""

from collections.abc import Collection

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.numbers import read_number
from crossdock.kit.opaque import OpaqueIds
from crossdock.shop.shops import read_id_key

_ID_MAX = 2**63 - 1


async def find_ticket_id(
    tx: Transaction, *, shop_id: int, name: str, opaque_kinds: Collection[int]
) -> int:
    """The id of the ticket with the shop's number, or with the identifier that its partner sees.

    `opaque_kinds` are the kinds of identifiers that stand for tickets. Raises NotFound `not_found` for a name that
    can be neither; whether the ticket is there, its reader decides.
    """
    text = name.strip()
    if (number := read_number(text)) is not None:
        return number
    found = OpaqueIds(await read_id_key(tx, shop_id=shop_id)).decode(text)
    if found is None or found[0] not in opaque_kinds or found[1] > _ID_MAX:
        raise NotFound("not_found", f"There is no ticket {text}.")
    return found[1]
