"""P2: under random operations from many tasks, stock always equals a model's."""

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from crossdock.errors import NotFound, Refused
from crossdock.shop.orders import cancel_order, place
from crossdock.shop.stock import (
    adjust_stock,
    expire_holds,
    hold_stock,
    receive_stock,
    release_hold,
)
from proof.claim import Claim, Findings, Result, Size
from proof.doors import SHORT, SOLD, ShoppexPartnerDoor, buy
from proof.stand import Stand
from tests.support.drafts import draft_of, line_of
from tests.support.factories import ShopFixture, level, make_partner, make_shop, make_variant
from tests.support.raw_http import Connection

START = 500
TASKS = 8
BETWEEN_CHECKS = 100
SHORT_HOLD = 2
SHORT_TTL_S = 3_600
LONG_TTL_S = 86_400


@dataclass
class Model:
    """The expected stock; each successful operation changes it, in any order."""

    on_hand: int = START
    held: int = 0
    committed: int = 0
    orders: dict[int, int] = field(default_factory=dict)
    short_holds: list[int] = field(default_factory=list)
    long_holds: dict[int, int] = field(default_factory=dict)

    @property
    def level(self) -> tuple[int, int, int, int]:
        """on hand, held, committed, available."""
        return (
            self.on_hand,
            self.held,
            self.committed,
            self.on_hand - self.held - self.committed,
        )


class Flow:
    """The operations, through the channel or the core; each that succeeds updates the model."""

    def __init__(
        self,
        stand: Stand,
        shop: ShopFixture,
        variant_id: int,
        door: ShoppexPartnerDoor,
        rng: random.Random,
    ) -> None:
        self.model = Model()
        self.findings = Findings()
        self.done = 0
        self.refused = 0
        self._stand = stand
        self._shop = shop
        self._variant_id = variant_id
        self._door = door
        self._rng = rng
        self._operations: list[tuple[int, Callable[[Connection], Awaitable[None]]]] = [
            (30, self.buy),
            (20, self.hold),
            (10, self.release),
            (10, self.commit),
            (4, self.expire),
            (14, self.cancel),
            (8, self.restock),
            (4, self.count),
        ]

    async def step(self, connection: Connection) -> None:
        """One random operation."""
        weights = [weight for weight, _ in self._operations]
        operation = self._rng.choices(self._operations, weights)[0][1]
        try:
            await operation(connection)
        except (Refused, NotFound):
            self.refused += 1
        self.done += 1

    async def buy(self, connection: Connection) -> None:
        """Order through the channel."""
        quantity = self._rng.randint(1, 12)
        outcome = await buy(
            connection,
            self._door,
            self._variant_id,
            quantity=quantity,
            number=f"PO-{uuid.uuid4().hex}",
            timestamp=int(time.time()),
            nonce=uuid.uuid4().hex,
        )
        if outcome.kind == SOLD:
            self.model.committed += quantity
            self.model.orders[outcome.order_id] = quantity
        else:
            self.refused += 1
            self.findings.expect(outcome.kind == SHORT, f"buying: {outcome.text or outcome.kind}")

    async def hold(self, _: Connection) -> None:
        """Place a hold; short ones have one size, so that the number of expired ones gives their quantity."""
        is_short = self._rng.random() < 0.5
        quantity = SHORT_HOLD if is_short else self._rng.randint(1, 9)
        async with self._stand.database.begin() as tx:
            hold = await hold_stock(
                tx,
                shop_id=self._shop.id,
                variant_id=self._variant_id,
                quantity=quantity,
                ttl_s=SHORT_TTL_S if is_short else LONG_TTL_S,
                now=_now(),
            )
        self.model.held += quantity
        if is_short:
            self.model.short_holds.append(hold.id)
        else:
            self.model.long_holds[hold.id] = quantity

    async def release(self, _: Connection) -> None:
        """Release a hold; refused if it has expired meanwhile."""
        if not (hold := self._pick_hold()):
            return
        async with self._stand.database.begin() as tx:
            await release_hold(tx, shop_id=self._shop.id, hold_id=hold[0], now=_now())
        self.model.held -= hold[1]

    async def commit(self, _: Connection) -> None:
        """Convert a hold into an order's stock, in the order's own statement."""
        if not (hold := self._pick_hold()):
            return
        line = line_of(
            self._variant_id, shop=self._shop, quantity=hold[1], take="hold", hold_id=hold[0]
        )
        draft = draft_of(line, shop=self._shop, partner_id=self._door.partner.id)
        async with self._stand.database.begin() as tx:
            placed = await place(tx, draft=draft, now=_now())
        self.model.held -= hold[1]
        self.model.committed += hold[1]
        self.model.orders[placed.id] = hold[1]

    async def expire(self, _: Connection) -> None:
        """Expire the short holds, two hours later."""
        async with self._stand.database.begin() as tx:
            count = await expire_holds(tx, now=_now() + timedelta(hours=2))
        self.model.held -= count * SHORT_HOLD

    async def cancel(self, _: Connection) -> None:
        """Cancel an order that nobody works on; all its stock is released."""
        if not self.model.orders:
            return
        order_id = self._rng.choice(list(self.model.orders))
        quantity = self.model.orders.pop(order_id)
        async with self._stand.database.begin() as tx:
            await cancel_order(tx, shop_id=self._shop.id, order_id=order_id, now=_now())
        self.model.committed -= quantity

    async def restock(self, _: Connection) -> None:
        """Receive goods."""
        quantity = self._rng.randint(1, 40)
        async with self._stand.database.begin() as tx:
            await receive_stock(
                tx,
                shop_id=self._shop.id,
                variant_id=self._variant_id,
                quantity=quantity,
                now=_now(),
            )
        self.model.on_hand += quantity

    async def count(self, _: Connection) -> None:
        """Correct the level upwards, as after a count."""
        difference = self._rng.randint(1, 3)
        async with self._stand.database.begin() as tx:
            await adjust_stock(
                tx,
                shop_id=self._shop.id,
                variant_id=self._variant_id,
                difference=difference,
                now=_now(),
            )
        self.model.on_hand += difference

    async def compare(self) -> None:
        """Compare the level with the model, and its entries with the level."""
        async with self._stand.database.begin() as tx:
            found = await level(tx, shop_id=self._shop.id, variant_id=self._variant_id)
            entries = await tx.one(
                "select sum(on_hand_delta), sum(held_delta), sum(committed_delta)"
                " from stock_entries where shop_id = %s and variant_id = %s and pool = 'own'",
                (self._shop.id, self._variant_id),
            )
        assert entries is not None
        on_hand, held, committed, available = found
        self.findings.expect(
            on_hand == available + held + committed and available >= 0,
            f"after {self.done}: the level does not add up: {found}",
        )
        self.findings.expect(
            found == self.model.level,
            f"after {self.done}: the level is {found}, the model {self.model.level}",
        )
        self.findings.expect(
            tuple(map(int, entries)) == found[:3],
            f"after {self.done}: entries sum to {entries}, the level is {found}",
        )

    def _pick_hold(self) -> tuple[int, int] | None:
        """Take a hold out of the model, so that no other task uses it."""
        if self.model.short_holds and self._rng.random() < 0.5:
            place = self._rng.randrange(len(self.model.short_holds))
            return self.model.short_holds.pop(place), SHORT_HOLD
        if not self.model.long_holds:
            return None
        hold_id = self._rng.choice(list(self.model.long_holds))
        return hold_id, self.model.long_holds.pop(hold_id)


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Eight tasks, which pause after every 100 operations for a comparison."""
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        variant_id = await make_variant(tx, shop=shop, own=START)
        partner = await make_partner(tx, shop=shop)
    flow = Flow(stand, shop, variant_id, ShoppexPartnerDoor(partner), rng)
    connections = await stand.connect(TASKS)
    while flow.done < size["operations"]:
        target = flow.done + BETWEEN_CHECKS
        await asyncio.gather(*(_work(flow, connection, target) for connection in connections))
        await flow.compare()
    for connection in connections:
        connection.close()
    return flow.findings.result(
        operations=flow.done, refused=flow.refused, comparisons=flow.done // BETWEEN_CHECKS
    )


async def _work(flow: Flow, connection: Connection, target: int) -> None:
    while flow.done < target:
        await flow.step(connection)


def _now() -> datetime:
    return datetime.now(UTC)


CLAIM = Claim(
    id="P2",
    title="mixed flow",
    workload="stock 500; buy through the door, hold, release, commit, expire, cancel, restock, count "
    "at random from 8 tasks",
    must_hold="on hand = available + held + committed = the sum of the entries = the model, "
    "after every 100 operations",
    full={"operations": 5_000},
    quick={"operations": 500},
    run=run,
)
