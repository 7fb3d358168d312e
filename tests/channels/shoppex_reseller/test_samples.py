"""The made-up data of a test delivery..."""

from collections.abc import Mapping
from typing import Any

import pytest

from crossdock.channels.shoppex_reseller.happenings import NAMES, TOLD, UNTOLD, read_messages
from crossdock.channels.shoppex_reseller.samples import sample_data
from crossdock.kit.clock import FrozenClock
from crossdock.shop.events import Batch, number_events, read_events
from crossdock.shop.resellers import NewClaim, request_payout
from tests.conftest import NOON
from tests.support.bought_stock import Bought
from tests.support.earning import book, campaign, line, sold
from tests.support.reselling import Reselling

_DOCUMENTED = """
    order:created order:updated order:partial order:paid order:cancelled order:disputed order:created:product
    order:updated:product order:partial:product order:paid:product order:cancelled:product order:disputed:product
    order:manual_payment_pending subscription:created subscription:updated subscription:renewed
    subscription:cancelled subscription:upcoming subscription:trial:started subscription:trial:ended
    subscription:created:product subscription:updated:product subscription:renewed:product
    subscription:cancelled:product subscription:upcoming:product subscription:trial:started:product
    subscription:trial:ended:product product:created product:edited product:stock product:dynamic query:created
    query:replied feedback:received reseller:invited reseller:accepted reseller:sale
    reseller:embed_campaign_created reseller:payout_requested reseller:stock_purchase_requested
    reseller:api_fulfillment_delivered reseller:stock_purchase_paid reseller:stock_allocated
    reseller:stock_item_delivered
"""


def test_are_of_every_documented_name() -> None:
    assert sorted(NAMES) == sorted(_DOCUMENTED.split())
    assert len(set(NAMES)) == len(NAMES) == len(TOLD) + len(UNTOLD)


@pytest.mark.parametrize("name", NAMES)
def test_say_that_they_are_a_test(name: str) -> None:
    made = sample_data(name, now=NOON)
    assert made["test"] is True
    assert {"id", "created_at"} <= set(made)


async def test_have_the_fields_and_types_of_what_really_happens(
    database: Any, clock: FrozenClock
) -> None:
    selling = await Reselling.open(database, clock, default_commission_bp=5000)
    bought = await Bought.of(selling, "K-1", "K-2", quantity=1)
    goods = await selling.licence("L-1")
    reseller, partner = await selling.reseller("other@example.com", credit_minor=10_000)
    await campaign(selling, reseller)
    await sold(selling, reseller, line(selling, goods, price_minor=20_000))
    await book(selling)
    await selling.fulfil(partner, goods)
    async with database.begin() as tx:
        await request_payout(
            tx, shop_id=selling.shop.id, reseller_id=reseller.id, now=clock.now(),
            claim=NewClaim(amount_minor=100, asset="USDT", network="TRON", address="T1", note=""),
        )  # fmt: skip
        await number_events(tx, shop_id=selling.shop.id)
        events = await read_events(tx, shop_id=selling.shop.id)
        batch = Batch(shop_id=selling.shop.id, events=events, upto=events[-1].sequence)
        messages, _ = await read_messages(tx, batch=batch)
    assert bought.id
    seen = {each.name for each in messages}
    assert {"order:created", "order:paid", "order:paid:product", "reseller:sale"} <= seen
    assert {"reseller:payout_requested", "reseller:api_fulfillment_delivered"} <= seen
    for message in messages:
        made = sample_data(message.name, now=NOON)
        assert _form(made, message.data) == _form(message.data, message.data), message.name


def _form(data: Mapping[str, Any], like: Mapping[str, Any]) -> dict[str, str]:
    """The fields with their types, but for those that are null in one of both."""
    return {
        name: "" if value is None or like.get(name) is None else type(value).__name__
        for name, value in data.items()
        if name not in {"test", "type", "title"}
    }
