"""The keys by which a reseller's own shop calls (spec shoppex_reseller 2.1).

Only those of an active relationship work, because its partner is active then.
"""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, NotFound, Refused
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids
from crossdock.shop.partners import (
    KeyView,
    NewCredential,
    add_credential,
    disable_credential,
    list_keys,
)
from crossdock.shop.resellers.reading import read_reseller

KEYS_MAX = 20
_SHOWN_MAX = 100
_LOCK = """
    select r.status, r.partner_id, p.channel
    from resellers r join partners p on p.shop_id = r.shop_id and p.id = r.partner_id
    where r.shop_id = %s and r.id = %s for no key update of r
"""


async def add_key(
    tx: Transaction, *, shop_id: int, reseller_id: int, prefix: str, ids: Ids, box: SecretBox
) -> NewCredential:
    """Add a key of an active relationship, which cannot be read again; it begins with `prefix`.

    Raises NotFound `not_found`, Conflict `reseller_state`, Refused `quantity_out_of_range` for more than
    KEYS_MAX keys that work.
    """
    status, partner_id, _ = await _lock(tx, shop_id=shop_id, reseller_id=reseller_id)
    if status != "active":
        raise Conflict("reseller_state", f"The reseller is {status}.", {"status": status})
    known = await list_keys(tx, partner_id=partner_id, limit=KEYS_MAX)
    if sum(key.disabled_at is None for key in known) >= KEYS_MAX:
        message = f"A reseller has at most {KEYS_MAX} keys; revoke one first."
        raise Refused("quantity_out_of_range", message)
    return await add_credential(
        tx, partner_id=partner_id, ids=ids, box=box, proof="bearer", prefix=prefix
    )


async def list_reseller_keys(tx: Transaction, *, shop_id: int, reseller_id: int) -> list[KeyView]:
    """The relationship's keys, those that work first, at most a hundred. Raises NotFound `not_found`."""
    reseller = await read_reseller(tx, shop_id=shop_id, reseller_id=reseller_id)
    return await list_keys(tx, partner_id=reseller.partner_id, limit=_SHOWN_MAX)


async def revoke_key(
    tx: Transaction, *, shop_id: int, reseller_id: int, key_id: int, now: datetime
) -> KeyView:
    """Refuse a key for ever, in whatever state the relationship is; the same again changes nothing.

    Raises NotFound `not_found`, also for a key of another relationship.
    """
    _, partner_id, channel = await _lock(tx, shop_id=shop_id, reseller_id=reseller_id)
    key = await _find(tx, partner_id=partner_id, key_id=key_id)
    if key.disabled_at is not None:
        return key
    await disable_credential(tx, key=key.key, channel=channel, now=now)
    return await _find(tx, partner_id=partner_id, key_id=key_id)


async def _lock(tx: Transaction, *, shop_id: int, reseller_id: int) -> tuple[str, int, str]:
    """(status, partner, channel) of the relationship, whose row is locked. Raises NotFound `not_found`."""
    row = await tx.one(_LOCK, (shop_id, reseller_id))
    if row is None:
        raise NotFound("not_found", "There is no such reseller.")
    return row[0], row[1], row[2]


async def _find(tx: Transaction, *, partner_id: int, key_id: int) -> KeyView:
    for key in await list_keys(tx, partner_id=partner_id, limit=_EVERY):
        if key.id == key_id:
            return key
    raise NotFound("not_found", "There is no such key.")


_EVERY = 1_000_000
