"""Place orders straight through the core, as a door would."""

from crossdock.channels.shoppex_partner.app import RULES
from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import Clock
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import RandomIds
from crossdock.kit.outbound import Outbound
from crossdock.shop.customers import Assigning
from crossdock.shop.orders import OrderItem, OrderRequest, Placed, Placing, place_for_customer
from crossdock.shop.partners import Partner, read_credential
from tests.support.factories import PartnerFixture, box


def placing(database: Database, clock: Clock) -> Placing:
    """The service as the composition root builds it, without an outside directory."""
    assigning = Assigning(db=database, clock=clock, outbound=Outbound())
    return Placing(
        db=database,
        clock=clock,
        ids=RandomIds(),
        assigning=assigning,
        note_template="Partner Order ID: {partner_order_id}",
    )


async def read_partner(database: Database, partner: PartnerFixture) -> Partner:
    """The partner as the core sees it."""
    boxed: SecretBox = box()
    async with database.statement() as tx:
        found = await read_credential(
            tx, channel="shoppex_partner", public_key=partner.key, box=boxed
        )
    assert found is not None
    return found.partner


async def order(service: Placing, *, partner: Partner, number: str, **lines: int) -> Placed:
    """Place an order; lines are given as v<variant id>=quantity."""
    items = tuple(
        OrderItem(variant_id=int(name[1:]), quantity=quantity) for name, quantity in lines.items()
    )
    request = OrderRequest(partner_order_id=number, items=items, source="test")
    return await place_for_customer(service, partner=partner, request=request, rules=RULES)
