"""Top up a prepaid balance by an ordinary invoice (spec shoppex_reseller 9.3).

The invoice credits the balance in the transaction that completes it, once, whoever completes it. Money that comes in
after it was voided, or ran out, is recorded and told by an alert, and credits nothing: it is given back, or credited
by hand.
"""

from datetime import datetime, timedelta

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, NotFound, Refused
from crossdock.kit.ids import Ids
from crossdock.shop.invoices import Invoice, create_invoice
from crossdock.shop.ledger import Account
from crossdock.shop.resellers.crediting import prepaid_owner

TOP_UP_LIFE = timedelta(hours=24)
OPEN_TOP_UPS_MAX = 10
AMOUNT_MINOR_MAX = 10**12
_LOCK = """
    select r.status, r.email, s.currency, s.name
    from resellers r join shops s on s.id = r.shop_id
    where r.shop_id = %s and r.id = %s for no key update of r
"""
_OPEN = """
    select count(*) from invoices i
    where i.shop_id = %s and i.purpose = 'top_up' and i.subject_id = %s and i.state in ('pending', 'confirming')
"""


async def top_up(
    tx: Transaction,
    *,
    shop_id: int,
    reseller_id: int,
    amount_minor: int,
    ids: Ids,
    now: datetime,
) -> Invoice:
    """Make the invoice of a top-up, in the shop's currency; it can be paid for TOP_UP_LIFE.

    Raises NotFound `not_found`, Invalid `invalid_input` for an amount that is not above 0, Conflict
    `reseller_state` for a relationship that is not active, Refused `quantity_out_of_range` for more than
    OPEN_TOP_UPS_MAX that wait to be paid.
    """
    row = await tx.one(_LOCK, (shop_id, reseller_id))
    if row is None:
        raise NotFound("not_found", "There is no such reseller.")
    status, email, currency, shop = row
    if status != "active":
        raise Conflict("reseller_state", f"The reseller is {status}.", {"status": status})
    if not 0 < amount_minor <= AMOUNT_MINOR_MAX:
        raise Invalid("invalid_input", "A top-up is of more than nothing.", {"field": "amount"})
    if await tx.value(_OPEN, (shop_id, reseller_id)) >= OPEN_TOP_UPS_MAX:
        message = f"{OPEN_TOP_UPS_MAX} top-ups wait to be paid; pay one of them first."
        raise Refused("quantity_out_of_range", message)
    return await create_invoice(
        tx,
        shop_id=shop_id,
        purpose="top_up",
        subject_id=reseller_id,
        title=f"Top-up of the balance with {shop}"[:120],
        quantity=1,
        unit_minor=amount_minor,
        currency=currency,
        email=email,
        expires_at=now + TOP_UP_LIFE,
        proceeds=Account("prepaid", prepaid_owner(reseller_id)),
        ids=ids,
        now=now,
    )
