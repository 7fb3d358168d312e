"""The keys by which a reseller's own shop calls (spec shoppex_reseller 2.1)."""

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids
from crossdock.shop.partners import NewCredential, add_credential
from crossdock.shop.resellers.reading import read_reseller


async def add_key(
    tx: Transaction, *, shop_id: int, reseller_id: int, prefix: str, ids: Ids, box: SecretBox
) -> NewCredential:
    """Add a key of an active relationship, which cannot be read again; it begins with `prefix`.

    Raises NotFound `not_found`, Conflict `reseller_state`.
    """
    reseller = await read_reseller(tx, shop_id=shop_id, reseller_id=reseller_id)
    if reseller.status != "active":
        message = f"The reseller is {reseller.status}."
        raise Conflict("reseller_state", message, {"status": reseller.status})
    return await add_credential(
        tx, partner_id=reseller.partner_id, ids=ids, box=box, proof="bearer", prefix=prefix
    )
