"""Shipping with a carrier..."""

import asyncio
from datetime import datetime, timedelta

import msgspec
import pytest

from crossdock.errors import CrossdockError, Invalid, NotFound, Refused, Unavailable
from crossdock.kit.ids import RandomIds
from crossdock.shop.alerts import list_alerts
from crossdock.shop.customers import Address
from crossdock.shop.shops import set_sender
from crossdock.shop.warehouse import (
    Booking,
    Capabilities,
    Carriers,
    Checkpoint,
    Consignment,
    Parcel,
    check_shipping,
    create_carriers,
    make_manual_label,
    poll_carriers,
    read_manual_label,
    ship_with_carrier,
)
from tests.support.warehousing import RECEIVER, Warehouse


class NotedCarrier:
    """A carrier that remembers what it was asked, and may fail."""

    name = "noted"
    services = ("usual",)
    capabilities = Capabilities(tracks=True, cancels=True)

    def __init__(self) -> None:
        self.booked: list[Parcel] = []
        self.cancelled: list[str] = []
        self.is_down = False
        self.knows_keys = False
        self.garbled = ""

    async def check(self, parcel: Parcel) -> None:
        pass

    async def book(self, parcel: Parcel) -> Consignment:
        if self.is_down:
            raise Unavailable("busy")
        self.booked.append(parcel)
        number = parcel.key if self.knows_keys else f"N{len(self.booked)}-{parcel.key}"
        await asyncio.sleep(0.01)
        return Consignment(carrier=self.name, tracking_number=number, tracking_url="http://n")

    async def track(self, tracking_number: str, *, shipped_at: datetime) -> list[Checkpoint]:
        if self.is_down:
            raise Unavailable("busy")
        if tracking_number == self.garbled:
            raise ValueError("an answer that nobody can read")
        return [Checkpoint(code="delivered", happened_at=shipped_at)]

    async def cancel(self, tracking_number: str) -> None:
        self.cancelled.append(tracking_number)


@pytest.fixture
def carrier() -> NotedCarrier:
    return NotedCarrier()


@pytest.fixture
def booking(warehouse: Warehouse, carrier: NotedCarrier) -> Booking:
    return Booking(db=warehouse.db, clock=warehouse.clock, carriers=Carriers([carrier]))


@pytest.fixture
def demo(warehouse: Warehouse) -> Booking:
    carriers = create_carriers(
        ids=RandomIds(), clock=warehouse.clock, follow_url="http://127.0.0.1:8000/track/"
    )
    return Booking(db=warehouse.db, clock=warehouse.clock, carriers=carriers)


async def _packed(warehouse: Warehouse, *, weight_g: int = 0) -> tuple[int, int]:
    good = await warehouse.variant(own=5, weight_g=300)
    order_id = await warehouse.enter((good, 3))
    await warehouse.pick(order_id, {1: 3})
    return order_id, await warehouse.pack(order_id, {1: 3}, weight_g=weight_g)


async def test_books_and_ships(warehouse: Warehouse, demo: Booking) -> None:
    order_id, package_id = await _packed(warehouse)

    consignment = await ship_with_carrier(demo, shop_id=warehouse.shop.id, package_id=package_id)

    order = await warehouse.read(order_id)
    assert order.fulfilment_state == "shipped"
    assert order.packages[0].tracking_number == consignment.tracking_number
    async with warehouse.db.statement() as tx:
        pdf = await tx.value("select label_pdf from packages where id = %s", (package_id,))
    assert bytes(pdf) == consignment.label_pdf


async def test_refuses_a_label_that_cannot_be_printed_and_writes_nothing(
    warehouse: Warehouse, demo: Booking
) -> None:
    order_id, package_id = await _packed(warehouse)
    async with warehouse.db.begin() as tx:
        address = msgspec.json.encode(msgspec.structs.replace(RECEIVER, city="東京")).decode()
        await tx.run("update orders set shipping = %s::jsonb where id = %s", (address, order_id))
    before = await warehouse.everything()

    for attempt in (
        check_shipping(demo, shop_id=warehouse.shop.id, order_id=order_id),
        ship_with_carrier(demo, shop_id=warehouse.shop.id, package_id=package_id),
    ):
        with pytest.raises(Invalid, match="東 京") as refused:
            await attempt
        assert refused.value.data == {"field": "receiver.city", "characters": "東京"}

    assert await warehouse.everything() == before


async def test_checks_an_order_before_anything_is_packed(
    warehouse: Warehouse, demo: Booking
) -> None:
    order_id = await warehouse.enter((await warehouse.variant(own=5), 3))
    before = await warehouse.everything()

    await check_shipping(demo, shop_id=warehouse.shop.id, order_id=order_id)
    with pytest.raises(Invalid, match="express"):
        await check_shipping(
            demo, shop_id=warehouse.shop.id, order_id=order_id, carrier_service="balloon"
        )
    with pytest.raises(NotFound):
        await check_shipping(demo, shop_id=warehouse.shop.id, order_id=999_999_999)

    assert await warehouse.everything() == before


async def test_tells_the_carrier_who_where_and_how_heavy(
    warehouse: Warehouse, booking: Booking, carrier: NotedCarrier
) -> None:
    sender = Address(street="Kade", house_number="1", city="Antwerp", country="BE")
    async with warehouse.db.begin() as tx:
        assert await set_sender(tx, shop_id=warehouse.shop.id, sender=sender)
        assert not await set_sender(tx, shop_id=warehouse.shop.id, sender=sender)
    _, unweighed = await _packed(warehouse)
    _, weighed = await _packed(warehouse, weight_g=77)

    for package_id in (unweighed, weighed):
        await ship_with_carrier(booking, shop_id=warehouse.shop.id, package_id=package_id)

    first, second = carrier.booked
    assert first.key == f"{warehouse.shop.id}-{unweighed}"
    assert (first.reference, first.receiver) == ("W-1", RECEIVER)
    assert first.sender == msgspec.structs.replace(sender, company="Test shop")
    assert (first.weight_g, second.weight_g) == (900, 77)


async def test_twice_books_once(
    warehouse: Warehouse, booking: Booking, carrier: NotedCarrier
) -> None:
    _, package_id = await _packed(warehouse)

    first = await ship_with_carrier(booking, shop_id=warehouse.shop.id, package_id=package_id)
    before = await warehouse.everything()
    second = await ship_with_carrier(booking, shop_id=warehouse.shop.id, package_id=package_id)

    assert first == second
    assert len(carrier.booked) == 1
    assert await warehouse.everything() == before


@pytest.mark.races
async def test_by_many_at_once_gives_all_the_same_and_takes_the_rest_back(
    warehouse: Warehouse, booking: Booking, carrier: NotedCarrier
) -> None:
    order_id, package_id = await _packed(warehouse)

    given = await asyncio.gather(
        *(
            ship_with_carrier(booking, shop_id=warehouse.shop.id, package_id=package_id)
            for _ in range(4)
        )
    )

    assert len({consignment.tracking_number for consignment in given}) == 1
    assert len(carrier.cancelled) == len(carrier.booked) - 1
    assert given[0].tracking_number not in carrier.cancelled
    assert (await warehouse.events(order_id)).count("package.shipped") == 1


@pytest.mark.races
async def test_by_many_at_once_keeps_the_booking_that_they_share(
    warehouse: Warehouse, booking: Booking, carrier: NotedCarrier
) -> None:
    carrier.knows_keys = True
    _, package_id = await _packed(warehouse)

    given = await asyncio.gather(
        *(
            ship_with_carrier(booking, shop_id=warehouse.shop.id, package_id=package_id)
            for _ in range(4)
        )
    )

    assert {consignment.tracking_number for consignment in given} == {
        f"{warehouse.shop.id}-{package_id}"
    }
    assert carrier.cancelled == []


async def test_with_a_carrier_that_is_down_changes_nothing(
    warehouse: Warehouse, booking: Booking, carrier: NotedCarrier
) -> None:
    _, package_id = await _packed(warehouse)
    before = await warehouse.everything()
    carrier.is_down = True

    with pytest.raises(Unavailable):
        await ship_with_carrier(booking, shop_id=warehouse.shop.id, package_id=package_id)

    assert await warehouse.everything() == before


async def test_of_goods_that_are_not_on_hand_takes_the_booking_back(
    warehouse: Warehouse, booking: Booking, carrier: NotedCarrier
) -> None:
    good = await warehouse.variant(own=2)
    order_id = await warehouse.enter((good, 2))
    await warehouse.pick(order_id, {1: 2})
    package_id = await warehouse.pack(order_id, {1: 2})
    await warehouse.adjust(good, -1)
    before = await warehouse.everything()

    with pytest.raises(Refused) as refusal:
        await ship_with_carrier(booking, shop_id=warehouse.shop.id, package_id=package_id)

    assert refusal.value.code == "stock_insufficient"
    assert carrier.cancelled == [f"N1-{warehouse.shop.id}-{package_id}"]
    assert await warehouse.everything() == before


async def test_asks_nobody_about_what_is_not_there(
    warehouse: Warehouse, booking: Booking, carrier: NotedCarrier
) -> None:
    _, package_id = await _packed(warehouse)
    other = await Warehouse.open(warehouse.db, warehouse.clock)

    for shop, package in ((other.shop.id, package_id), (warehouse.shop.id, 999_999_999)):
        with pytest.raises(NotFound) as refusal:
            await ship_with_carrier(booking, shop_id=shop, package_id=package)
        assert refusal.value.code == "not_found"
    with pytest.raises(Invalid):
        await ship_with_carrier(
            booking, shop_id=warehouse.shop.id, package_id=package_id, carrier="pigeon"
        )
    assert carrier.booked == []


async def test_is_followed_until_it_is_delivered(warehouse: Warehouse, demo: Booking) -> None:
    order_id, package_id = await _packed(warehouse)
    await ship_with_carrier(demo, shop_id=warehouse.shop.id, package_id=package_id)

    async def seen() -> list[str]:
        await poll_carriers(demo)
        async with warehouse.db.statement() as tx:
            rows = await tx.all(
                "select code from checkpoints where package_id = %s order by happened_at",
                (package_id,),
            )
        return [code for (code,) in rows]

    assert await seen() == ["booked"]
    warehouse.clock.move(timedelta(hours=9))
    assert await seen() == ["booked", "collected", "in_transit"]
    assert await seen() == ["booked", "collected", "in_transit"]
    warehouse.clock.move(timedelta(hours=15))
    assert (await seen())[-1] == "delivered"
    assert await warehouse.state(order_id) == "completed"


async def test_is_not_followed_after_sixty_days_nor_while_the_carrier_is_down(
    warehouse: Warehouse, booking: Booking, carrier: NotedCarrier
) -> None:
    order_id, package_id = await _packed(warehouse)
    await ship_with_carrier(booking, shop_id=warehouse.shop.id, package_id=package_id)
    carrier.is_down = True
    assert await poll_carriers(booking) == 0
    carrier.is_down = False
    warehouse.clock.move(timedelta(days=60))
    assert await poll_carriers(booking) == 0
    assert await warehouse.state(order_id) == "shipped"

    warehouse.clock.move(-timedelta(seconds=1))
    assert await poll_carriers(booking) >= 1
    assert await warehouse.state(order_id) == "completed"


async def test_one_that_cannot_be_followed_keeps_no_other_and_is_told_of(
    warehouse: Warehouse, booking: Booking, carrier: NotedCarrier
) -> None:
    orders = []
    for _ in range(2):
        order_id, package_id = await _packed(warehouse)
        sent = await ship_with_carrier(booking, shop_id=warehouse.shop.id, package_id=package_id)
        orders.append((order_id, package_id, sent.tracking_number))
    (first, broken, carrier.garbled), (second, _, _) = orders

    await poll_carriers(booking)

    assert [await warehouse.state(each) for each in (first, second)] == ["shipped", "completed"]
    async with warehouse.db.statement() as tx:
        (alert,) = await list_alerts(tx, shop_id=warehouse.shop.id)
    assert (alert.kind, alert.subject) == ("job_failed", f"poll_carriers package {broken}")
    carrier.garbled = ""
    await poll_carriers(booking)
    assert await warehouse.state(first) == "completed"


async def test_by_hand_keeps_the_label(warehouse: Warehouse, demo: Booking) -> None:
    label = await make_manual_label(
        demo,
        shop_id=warehouse.shop.id,
        address=RECEIVER,
        reference="Ref_1-a",
        language="fr",
        weight_g=500,
    )

    async with warehouse.db.statement() as tx:
        kept = await read_manual_label(tx, shop_id=warehouse.shop.id, label_id=label.id)
        assert kept == label
        assert kept.consignment.label_pdf
        other = await Warehouse.open(warehouse.db, warehouse.clock)
        for unknown in (label.id, 999_999_999):
            with pytest.raises(NotFound) as refusal:
                await read_manual_label(tx, shop_id=other.shop.id, label_id=unknown)
            assert refusal.value.code == "not_found"


@pytest.mark.parametrize(
    "wrong",
    [
        {"reference": "a b"},
        {"reference": "<b>"},
        {"reference": "x" * 65},
        {"reference": "a\n"},
        {"language": "es"},
        {"weight_g": -1},
        {"weight_g": 10**7},
        {"carrier": "pigeon"},
        {"carrier_service": "teleport"},
    ],
)
async def test_by_hand_with_wrong_input_is_refused(
    warehouse: Warehouse, demo: Booking, wrong: dict[str, str]
) -> None:
    with pytest.raises(CrossdockError) as refusal:
        await make_manual_label(demo, shop_id=warehouse.shop.id, address=RECEIVER, **wrong)  # type: ignore[arg-type]

    assert refusal.value.code == "invalid_input"
    async with warehouse.db.statement() as tx:
        count = "select count(*) from manual_labels where shop_id = %s"
        assert await tx.value(count, (warehouse.shop.id,)) == 0
