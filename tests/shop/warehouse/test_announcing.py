"""A package that is announced with its carrier's number..."""

from datetime import timedelta

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Conflict, CrossdockError, Invalid, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.orders import PackageView
from crossdock.shop.warehouse import (
    Booking,
    Carriers,
    Checkpoint,
    add_checkpoints,
    announce_package,
    pick_lines,
    ship_with_carrier,
)
from tests.shop.warehouse.test_booking import NotedCarrier
from tests.support.awaiting import Dropship


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Dropship:
    return await Dropship.open(database, clock)


async def announce(
    desk: Dropship, order_id: int, number: str = "N1", lines: dict[int, int] | None = None
) -> int:
    async with desk.db.begin() as tx:
        return await announce_package(
            tx,
            shop_id=desk.shop.id,
            order_id=order_id,
            quantities=lines,
            carrier=" yunexpress ",
            tracking_number=number,
            tracking_url="https://y.example/N1",
            now=desk.clock.now(),
        )


async def see(desk: Dropship, package_id: int, *seen: Checkpoint) -> int:
    async with desk.db.begin() as tx:
        return await add_checkpoints(
            tx,
            shop_id=desk.shop.id,
            package_id=package_id,
            checkpoints=seen,
            now=desk.clock.now(),
        )


async def only_package(desk: Dropship, order_id: int) -> PackageView:
    (package,) = (await desk.read(order_id)).packages
    return package


async def test_releases_a_paid_order_and_ends_what_may_be_taken_back(desk: Dropship) -> None:
    order_id = await desk.paid((await desk.variant(), 2), (await desk.variant(), 1))

    await announce(desk, order_id, lines={1: 1})

    assert (await desk.states(order_id))[1] == "in_fulfilment"
    package = await only_package(desk, order_id)
    assert (package.state, package.carrier, package.tracking_number) == (
        "packed",
        "yunexpress",
        "N1",
    )
    assert package.lines == {1: 1}
    with pytest.raises(Refused, match="order_state"):
        await desk.cancel(order_id, 2)


async def test_is_shipped_under_that_number_without_asking_a_carrier(desk: Dropship) -> None:
    order_id = await desk.paid((await desk.variant(), 2))
    package_id = await announce(desk, order_id)
    carrier = NotedCarrier()
    booking = Booking(db=desk.db, clock=desk.clock, carriers=Carriers([carrier]))

    with pytest.raises(Invalid, match="announced with yunexpress"):
        await ship_with_carrier(
            booking, shop_id=desk.shop.id, package_id=package_id, carrier=carrier.name
        )
    for _ in range(2):
        given = await ship_with_carrier(booking, shop_id=desk.shop.id, package_id=package_id)
        assert (given.carrier, given.tracking_number) == ("yunexpress", "N1")

    assert carrier.booked == []
    assert (await desk.states(order_id))[1:] == ("shipped", ["shipped"])
    assert await desk.differences() == []


async def test_takes_what_is_picked_already_and_all_that_is_left(desk: Dropship) -> None:
    order_id = await desk.paid((await desk.variant(), 3))
    await announce(desk, order_id, "N1", {1: 1})
    async with desk.db.begin() as tx:
        await pick_lines(
            tx, shop_id=desk.shop.id, order_id=order_id, quantities={1: 1}, now=desk.clock.now()
        )
    await announce(desk, order_id, "N2")
    assert [each.lines for each in (await desk.read(order_id)).packages] == [{1: 1}, {1: 2}]


async def test_needs_a_number_of_its_own_and_a_paid_order(desk: Dropship) -> None:
    unpaid = (await desk.place((await desk.variant(), 1))).id
    with pytest.raises(Refused, match="order_state"):
        await announce(desk, unpaid)
    first, second = [await desk.paid((await desk.variant(), 1)) for _ in range(2)]
    await announce(desk, first)
    with pytest.raises(Conflict, match="exists"):
        await announce(desk, second)
    with pytest.raises(CrossdockError, match="invalid_input"):
        await announce(desk, second, "  ")
    assert (await desk.states(second))[1] == "waiting_for_release"


async def test_tells_where_it_was_and_when_in_their_order(desk: Dropship) -> None:
    order_id = await desk.paid((await desk.variant(), 1))
    package_id = await announce(desk, order_id)
    booking = Booking(db=desk.db, clock=desk.clock, carriers=Carriers([NotedCarrier()]))
    left = desk.clock.now()
    await ship_with_carrier(booking, shop_id=desk.shop.id, package_id=package_id)
    package = await only_package(desk, order_id)
    assert (package.tracked_at, package.landed_at, package.checkpoints) == (None, None, ())

    def scan(code: str, hours: int, message: str = "") -> Checkpoint:
        return Checkpoint(code=code, happened_at=left + timedelta(hours=hours), message=message)

    early, landed = scan("collected", -3), scan("landed", 40, "Arrived in IN.")
    assert await see(desk, package_id, scan("booked", -9), landed, early) == 3
    assert await see(desk, package_id, early, landed) == 0
    assert await see(desk, package_id, scan("landed", 40, "Other words.")) == 1
    assert await see(desk, package_id, scan("delivered", 30)) == 1

    package = await only_package(desk, order_id)
    assert package.shipped_at == package.tracked_at == left
    assert package.landed_at == package.delivered_at == left + timedelta(hours=40)
    assert [(seen.code, seen.message) for seen in package.checkpoints] == [
        ("booked", ""),
        ("collected", ""),
        ("delivered", ""),
        ("landed", "Arrived in IN."),
        ("landed", "Other words."),
    ]
    assert (await desk.states(order_id))[1] == "completed"
