"""Any sequence of warehouse work leaves what a plain model of it says."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError
from crossdock.kit.clock import FrozenClock
from crossdock.shop.orders import run_releases
from tests.support.warehousing import Warehouse, differences

SMALL = st.integers(1, 4)
MOSTLY = st.sampled_from([True, True, True, False])


@dataclass
class ModelOrder:
    """An order of one line of one good, in plain numbers."""

    good: int
    quantity: int
    state: str
    picked: int = 0
    shipped: int = 0
    cancelled: int = 0
    returning: int = 0
    packages: dict[int, tuple[str, int]] = field(default_factory=dict)

    @property
    def packed(self) -> int:
        return sum(quantity for state, quantity in self.packages.values() if state != "cancelled")

    @property
    def is_at_work(self) -> bool:
        return self.state in {"in_fulfilment", "partially_shipped"}


class Work(RuleBasedStateMachine):
    """What staff and buyers do, in any order, on a database and a loop that a subclass names."""

    database: Database
    clock: FrozenClock
    loop: asyncio.AbstractEventLoop

    orders = Bundle("orders")
    packages = Bundle("packages")
    returns = Bundle("returns")

    def run(self, work):
        """What the work answered, or None when it was refused; a refusal is never a crash."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)
        except CrossdockError as error:
            if error.code not in {"order_state", "invalid_input", "stock_insufficient"}:
                raise
            return None

    @initialize()
    def open_house(self) -> None:
        self.warehouse = self.run(Warehouse.open(self.database, self.clock))
        self.goods = [self.run(self.warehouse.variant(own=7)) for _ in range(2)]
        self.on_hand = Counter(dict.fromkeys(self.goods, 7))
        self.model: dict[int, ModelOrder] = {}
        self.announced: dict[int, tuple[int, int] | None] = {}

    def available(self, good: int) -> int:
        promised = sum(
            order.quantity - order.shipped - order.cancelled
            for order in self.model.values()
            if order.good == good
            and order.state in {"processing", "in_fulfilment", "partially_shipped", "shipped"}
        )
        return self.on_hand[good] - promised

    @rule(target=orders, place=st.integers(0, 1), quantity=SMALL, wanted=MOSTLY)
    def enter(self, place: int, quantity: int, wanted: bool) -> int:
        good = self.goods[place]
        state = "waiting_for_release"
        if wanted:
            state = "processing" if self.available(good) >= quantity else "reserved"
        order_id = self.run(self.warehouse.enter((good, quantity), release=wanted))
        self.model[order_id] = ModelOrder(good=good, quantity=quantity, state=state)
        return order_id

    @rule(order_id=orders)
    def release(self, order_id: int) -> None:
        order = self.model[order_id]
        if order.state in {"waiting_for_release", "reserved"}:
            enough = self.available(order.good) >= order.quantity
            order.state = "processing" if enough else "reserved"
        is_over = order.state in {"shipped", "completed", "cancelled"}
        released = self.run(self.warehouse.release(order_id))
        assert released == (None if is_over else order.state)

    @rule()
    def stock_run(self) -> None:
        for order in self.model.values():
            if order.state == "reserved" and self.available(order.good) >= order.quantity:
                order.state = "processing"
        self.run(run_releases(self.database, now=self.clock.now()))

    @rule(place=st.integers(0, 1), quantity=SMALL)
    def receive(self, place: int, quantity: int) -> None:
        self.run(self.warehouse.receive(self.goods[place], quantity))
        self.on_hand[self.goods[place]] += quantity

    @rule(place=st.integers(0, 1), quantity=SMALL)
    def count_out(self, place: int, quantity: int) -> None:
        good = self.goods[place]
        self.run(self.warehouse.adjust(good, -quantity))
        if quantity <= self.on_hand[good]:
            self.on_hand[good] -= quantity

    def on_the_shelf(self, good: int) -> int:
        """On hand, and not picked for any order; below zero when some were counted out since."""
        orders = [order for order in self.model.values() if order.good == good]
        return self.on_hand[good] - sum(order.picked - order.shipped for order in orders)

    def not_packed(self, good: int) -> int:
        """On hand, and in no package."""
        orders = [order for order in self.model.values() if order.good == good]
        return self.on_hand[good] - sum(order.packed - order.shipped for order in orders)

    @rule(order_id=orders, quantity=SMALL)
    def pick(self, order_id: int, quantity: int) -> None:
        order = self.model[order_id]
        allowed = order.is_at_work or order.state == "processing"
        allowed = allowed and order.picked + quantity <= order.quantity
        allowed = allowed and quantity <= self.on_the_shelf(order.good)
        before = self.run(self.warehouse.everything())
        self.run(self.warehouse.pick(order_id, {1: quantity}))
        if allowed:
            order.picked += quantity
            if order.state == "processing":
                order.state = "in_fulfilment"
        else:
            assert self.run(self.warehouse.everything()) == before

    @rule(target=packages, order_id=orders, quantity=SMALL)
    def go_on(self, order_id: int, quantity: int):
        """The next step that is allowed, so that orders get far; the other rules are careless."""
        order = self.model[order_id]
        if not order.is_at_work and order.state != "processing":
            return multiple()
        waiting = [key for key, (state, _) in order.packages.items() if state == "packed"]
        if waiting and order.packed == order.picked:
            self.ship((order_id, waiting[0]))
            return multiple()
        if order.picked < order.quantity:
            self.pick(order_id, min(quantity, order.quantity - order.picked))
        if order.packed == order.picked:
            return multiple()
        return self.pack(order_id, min(quantity, order.picked - order.packed))

    @rule(target=packages, order_id=orders, quantity=SMALL)
    def go_on_again(self, order_id: int, quantity: int):
        """As often as everything careless together."""
        return self.go_on(order_id, quantity)

    @rule(target=packages, order_id=orders, quantity=SMALL)
    def pack(self, order_id: int, quantity: int):
        order = self.model[order_id]
        allowed = order.is_at_work and order.packed + quantity <= order.picked
        allowed = allowed and quantity <= self.not_packed(order.good)
        package_id = self.run(self.warehouse.pack(order_id, {1: quantity}))
        assert (package_id is not None) == allowed
        if package_id is None:
            return multiple()
        order.packages[package_id] = ("packed", quantity)
        return (order_id, package_id)

    @rule(package=packages)
    def ship(self, package: tuple[int, int]) -> None:
        order_id, package_id = package
        order = self.model[order_id]
        state, quantity = order.packages[package_id]
        answer = self.run(self.warehouse.ship(package_id))
        assert (answer is not None) == (state == "packed" and quantity <= self.on_hand[order.good])
        if answer is None:
            return
        order.packages[package_id] = ("shipped", quantity)
        order.shipped += quantity
        self.on_hand[order.good] -= quantity
        order.state = "shipped" if order.shipped == order.quantity else "partially_shipped"
        assert answer == order.state

    @rule(order_id=orders, quantity=SMALL)
    def unpick(self, order_id: int, quantity: int) -> None:
        order = self.model[order_id]
        before = self.run(self.warehouse.everything())
        answer = self.run(self.warehouse.unpick(order_id, {1: quantity}))
        allowed = order.is_at_work and quantity <= order.picked - order.packed
        assert (answer is not None) == allowed
        if not allowed:
            assert self.run(self.warehouse.everything()) == before
            return
        order.picked -= quantity
        if order.state == "in_fulfilment" and not order.picked:
            order.state = "processing"

    @rule(package=packages)
    def unpack(self, package: tuple[int, int]) -> None:
        order_id, package_id = package
        state, quantity = self.model[order_id].packages[package_id]
        answer = self.run(self.warehouse.unpack(package_id))
        assert answer == {"packed": True, "cancelled": False}.get(state)
        if answer:
            self.model[order_id].packages[package_id] = ("cancelled", quantity)

    @rule(package=packages)
    def deliver(self, package: tuple[int, int]) -> None:
        order_id, package_id = package
        order = self.model[order_id]
        self.run(self.warehouse.see(package_id, "delivered"))
        state, quantity = order.packages[package_id]
        if state == "shipped":
            order.packages[package_id] = ("delivered", quantity)
        states = {state for state, _ in order.packages.values()} - {"cancelled"}
        if state == "shipped" and order.state == "shipped" and states == {"delivered"}:
            order.state = "completed"

    @rule(order_id=orders)
    def cancel(self, order_id: int) -> None:
        order = self.model[order_id]
        before = self.run(self.warehouse.everything())
        self.run(self.warehouse.cancel(order_id))
        if order.state in {"waiting_for_release", "reserved", "processing"}:
            order.state, order.cancelled = "cancelled", order.quantity
        else:
            assert self.run(self.warehouse.everything()) == before

    @rule(order_id=orders, wanted=st.integers(0, 3))
    def close(self, order_id: int, wanted: int) -> None:
        """Seldom, so that orders get far."""
        if wanted:
            return
        order = self.model[order_id]
        before = self.run(self.warehouse.everything())
        closed = self.run(self.warehouse.close(order_id))
        states = {state for state, _ in order.packages.values()} - {"cancelled"}
        is_over = order.state in {"shipped", "completed", "cancelled"}
        assert (closed is None) == ("packed" in states and not is_over)
        if closed is None or is_over:
            assert self.run(self.warehouse.everything()) == before
            return
        order.picked, order.cancelled = order.shipped, order.quantity - order.shipped
        order.state = "shipped" if order.shipped else "cancelled"
        if order.shipped and states == {"delivered"}:
            order.state = "completed"
        assert (closed.state, closed.cancelled) == (order.state, {1: order.cancelled})

    @precondition(lambda self: any(order.shipped for order in self.model.values()))
    @rule(target=returns, place=st.integers(0, 9), quantity=SMALL)
    def send_back(self, place: int, quantity: int):
        """A return of an order that has left, so that some are allowed."""
        gone = [order_id for order_id, order in self.model.items() if order.shipped]
        return self.announce(gone[place % len(gone)], quantity)

    @rule(target=returns, order_id=orders, quantity=SMALL)
    def announce(self, order_id: int, quantity: int):
        order = self.model[order_id]
        return_id = self.run(self.warehouse.announce(order_id, {1: quantity}))
        assert (return_id is not None) == (order.returning + quantity <= order.shipped)
        if return_id is None:
            return multiple()
        order.returning += quantity
        self.announced[return_id] = (order_id, quantity)
        return return_id

    @rule(return_id=returns, good_again=st.integers(0, 4))
    def take_in(self, return_id: int, good_again: int) -> None:
        announced = self.announced[return_id]
        before = self.run(self.warehouse.everything())
        self.run(self.warehouse.take_in(return_id, {1: good_again}))
        if announced is None or good_again > announced[1]:
            assert self.run(self.warehouse.everything()) == before
            return
        self.on_hand[self.model[announced[0]].good] += good_again
        self.announced[return_id] = None

    @invariant()
    def levels_are_the_model(self) -> None:
        for good in getattr(self, "goods", ()):
            on_hand, committed, available = self.run(self.warehouse.level(good))
            assert (on_hand, available) == (self.on_hand[good], self.available(good))
            assert committed == on_hand - available

    def teardown(self) -> None:
        if not hasattr(self, "warehouse"):
            return
        for order_id, order in self.model.items():
            found = self.run(self.warehouse.read(order_id))
            line = found.lines[0]
            assert found.fulfilment_state == order.state
            assert (line.picked, line.shipped) == (order.picked, order.shipped)
            assert line.cancelled == order.cancelled
            states = {p.id: (p.state, p.lines[1]) for p in found.packages}
            assert states == order.packages
        assert self.run(self.doctor()) == []

    async def doctor(self) -> list[str]:
        async with self.database.statement() as tx:
            return await differences(tx, after_shop=self.warehouse.shop.id - 1)


async def test_any_work_leaves_what_the_model_says(database: Database, clock: FrozenClock) -> None:
    place = {"database": database, "clock": clock, "loop": asyncio.get_running_loop()}
    work = type("WorkHere", (Work,), place)

    await asyncio.to_thread(
        run_state_machine_as_test,
        work,
        settings=settings(
            max_examples=30,
            stateful_step_count=40,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
