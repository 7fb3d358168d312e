"""A delivery is taken back only where the other side cannot have it, or people look after it."""

import pytest

from crossdock.errors import NotFound, Refused
from crossdock.shop.deliveries import (
    Withdrawal,
    keep_here,
    queue_delivery,
    withdraw_by_id,
    withdraw_delivery,
)
from tests.shop.deliveries.conftest import KIND

SENT = "status = 'sent', result = 'X', sent_at = now(), next_attempt_at = null"
FAILED = "status = 'failed', attempts = 7, next_attempt_at = null"
BY_HAND = "status = 'sent', result = 'manual', sent_at = now(), next_attempt_at = null"


@pytest.fixture
def delivery(box, database):
    """The id of a delivery about subject 1, in the given state."""

    async def put(change: str = "") -> int:
        delivery_id = await box.put()
        if change:
            async with database.begin() as tx:
                await tx.run(f"update deliveries set {change} where id = %s", (delivery_id,))
        return delivery_id

    return put


def _about(box, subject_id=1):
    return {
        "shop_id": box.shop_id,
        "kind": KIND,
        "subject_id": subject_id,
        "now": box.clock.now(),
    }


@pytest.mark.parametrize(
    ("change", "was_tried", "was_by_hand"),
    [("", False, False), (FAILED, True, False), (BY_HAND, False, True)],
)
async def test_what_is_not_outside_is_withdrawn(
    delivery, box, database, change, was_tried, was_by_hand
):
    delivery_id = await delivery(change)
    async with database.begin() as tx:
        told = await withdraw_delivery(tx, **_about(box))
    assert told == Withdrawal(target="a", was_tried=was_tried, was_by_hand=was_by_hand)
    assert await box.status(delivery_id) == "withdrawn"


@pytest.mark.parametrize(
    "change",
    [SENT, "status = 'sending', attempts = 1", "attempts = 1", "last_error = 'resent by hand'"],
)
async def test_what_may_be_outside_is_not(delivery, box, database, change):
    delivery_id = await delivery(change)
    before = await box.row(delivery_id)
    async with database.begin() as tx:
        with pytest.raises(Refused, match="The order is with a already") as refusal:
            await withdraw_delivery(tx, **_about(box))
    assert refusal.value.code == "order_state"
    assert await box.row(delivery_id) == before


async def test_where_there_is_none_nothing_is_told(box, database):
    async with database.begin() as tx:
        assert await withdraw_delivery(tx, **_about(box, 99)) is None
        await keep_here(tx, **_about(box, 99))


async def test_of_several_none_is_withdrawn_where_one_is_outside(delivery, box, database):
    await delivery(SENT)
    async with database.begin() as tx:
        second = await queue_delivery(tx, target="b", **_about(box))
        with pytest.raises(Refused):
            await withdraw_delivery(tx, **_about(box))
    assert await box.status(second) == "queued"


@pytest.mark.parametrize("change", ["", SENT, "status = 'sending'", "attempts = 1"])
async def test_what_goes_outside_is_not_kept_here(delivery, box, database, change):
    delivery_id = await delivery(change)
    before = await box.row(delivery_id)
    async with database.begin() as tx:
        with pytest.raises(Refused, match="it is worked on there"):
            await keep_here(tx, **_about(box))
    assert await box.row(delivery_id) == before


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (FAILED, "withdrawn"),
        (BY_HAND, "sent"),
        ("status = 'withdrawn', next_attempt_at = null", "withdrawn"),
    ],
)
async def test_what_failed_or_is_ours_is_kept_here(delivery, box, database, change, status):
    delivery_id = await delivery(change)
    async with database.begin() as tx:
        await keep_here(tx, **_about(box))
    assert await box.status(delivery_id) == status


@pytest.mark.parametrize("change", ["", FAILED, "attempts = 3"])
async def test_an_operator_gives_up_on_one(delivery, box, database, change):
    delivery_id = await delivery(change)
    async with database.begin() as tx:
        await withdraw_by_id(tx, shop_id=box.shop_id, delivery_id=delivery_id, now=box.clock.now())
    assert await box.status(delivery_id) == "withdrawn"


@pytest.mark.parametrize("change", [SENT, "status = 'sending'"])
async def test_an_operator_cannot_give_up_on_one_that_has_left(delivery, box, database, change):
    delivery_id = await delivery(change)
    async with database.begin() as tx:
        with pytest.raises(Refused) as refusal:
            await withdraw_by_id(
                tx, shop_id=box.shop_id, delivery_id=delivery_id, now=box.clock.now()
            )
    assert refusal.value.code == "order_state"


async def test_another_shop_s_delivery_is_not_there(delivery, box, database):
    delivery_id = await delivery()
    async with database.begin() as tx:
        with pytest.raises(NotFound):
            await withdraw_by_id(
                tx, shop_id=box.shop_id + 1, delivery_id=delivery_id, now=box.clock.now()
            )
    assert await box.status(delivery_id) == "queued"
