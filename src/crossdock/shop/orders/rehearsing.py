"""What a move of an order would do to stock and money, told before it is made: the move itself, rolled back."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar

import msgspec

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import CrossdockError
from crossdock.shop.orders.cancelling import Cancelled, cancel_order
from crossdock.shop.orders.giving_back import GivenBack
from crossdock.shop.orders.moving import lock_order
from crossdock.shop.orders.paying import find_authorised, note_transfer, read_owed
from crossdock.shop.orders.states import OrderState

Result = TypeVar("Result")
Told_co = TypeVar("Told_co", covariant=True)


class StockChange(msgspec.Struct, frozen=True, kw_only=True):
    """The change of a level; `available` is what can be sold more, or less."""

    variant_id: int
    sku: str
    pool: str
    on_hand: int
    available: int


class Rehearsed(msgspec.Struct, Generic[Told_co], frozen=True, kw_only=True):
    """What the move returned, the order's states around it, and what of its levels would change."""

    result: Told_co
    before: OrderState
    after: OrderState
    stock: list[StockChange]


async def rehearse(
    db: Database,
    *,
    shop_id: int,
    order_id: int,
    move: Callable[[Transaction], Awaitable[Result]],
) -> Rehearsed[Result]:
    """Make the move and roll it back. Raises NotFound `order_not_found`, and what the move raises.

    Until then the order and its levels are locked, so a move asks nobody outside.
    """
    async with db.trial() as tx:
        await tx.all(_LOCK_PACKAGES, (shop_id, order_id))
        before = await lock_order(tx, shop_id=shop_id, order_id=order_id)
        last = await tx.value("select max(id) from stock_entries where shop_id = %s", (shop_id,))
        result = await move(tx)
        rows = await tx.all(_CHANGES, {"shop": shop_id, "order": order_id, "last": last or 0})
        return Rehearsed(
            result=result,
            before=before,
            after=await lock_order(tx, shop_id=shop_id, order_id=order_id),
            stock=[
                StockChange(**dict(zip(StockChange.__struct_fields__, row, strict=True)))
                for row in rows
            ],
        )


class CancelPart(msgspec.Struct, kw_only=True):
    """What cancelling orders would do, added up.

    `units` can be sold again; `money` has the amount in minor units by how it is given back (see `give_back`) and its
    currency.
    """

    orders: int = 0
    units: int = 0
    money: dict[tuple[GivenBack, str], int] = msgspec.field(default_factory=dict)

    def add(self, other: "CancelPart") -> None:
        """Have the other orders in it too."""
        self.orders += other.orders
        self.units += other.units
        for key, minor in other.money.items():
            self.money[key] = self.money.get(key, 0) + minor


class CancelSum(msgspec.Struct, frozen=True, kw_only=True):
    """What cancelling several orders would do, by the state that each is in now.

    `refused` says why an order would stay as it is. `last` is the number of the last order that was looked at.
    """

    by_state: dict[OrderState, CancelPart]
    refused: dict[int, CrossdockError]
    last: int

    @property
    def whole(self) -> CancelPart:
        """All states together."""
        added = CancelPart()
        for part in self.by_state.values():
            added.add(part)
        return added

    @property
    def looked_at(self) -> int:
        """How many orders were looked at."""
        return self.whole.orders + len(self.refused)


async def rehearse_cancelling(
    db: Database,
    *,
    shop_id: int,
    order_ids: Sequence[int],
    now: datetime,
    has_time: Callable[[], bool] = lambda: True,
) -> CancelSum:
    """What `cancel_order` would do to each of these orders, added up; each is rolled back before the next.

    Ends after an order when no time is left; one is always looked at.
    """
    by_state: dict[OrderState, CancelPart] = {}
    refused: dict[int, CrossdockError] = {}
    last = 0
    for order_id in order_ids:
        if last and not has_time():
            break
        last = order_id
        cancel = partial(_cancel, shop_id=shop_id, order_id=order_id, now=now)
        try:
            told = await rehearse(db, shop_id=shop_id, order_id=order_id, move=cancel)
        except CrossdockError as error:
            refused[order_id] = error
            continue
        by_state.setdefault(told.before, CancelPart()).add(_part(told))
    return CancelSum(by_state=by_state, refused=refused, last=last)


def _part(told: Rehearsed[tuple[Cancelled, str]]) -> CancelPart:
    done, currency = told.result
    return CancelPart(
        orders=1,
        units=sum(change.available for change in told.stock),
        money={(done.given_back, currency): done.amount_minor} if done.given_back else {},
    )


async def _cancel(
    tx: Transaction, *, shop_id: int, order_id: int, now: datetime
) -> tuple[Cancelled, str]:
    done = await cancel_order(tx, shop_id=shop_id, order_id=order_id, now=now)
    currency = await tx.value(
        "select currency from orders where shop_id = %s and id = %s", (shop_id, order_id)
    )
    return done, currency


async def rehearse_payment(
    db: Database, *, shop_id: int, order_id: int, reference: str, now: datetime
) -> Rehearsed[int]:
    """What `pay_order` would do; its result is the amount, in minor units. Raises as that does."""

    async def pay(tx: Transaction) -> int:
        state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
        owed = await read_owed(tx, shop_id=shop_id, order_id=order_id)
        if state.payment == "awaiting":
            await note_transfer(
                tx, shop_id=shop_id, order_id=order_id, reference=reference, now=now
            )
        else:
            await find_authorised(tx, shop_id=shop_id, order_id=order_id)
        return owed

    return await rehearse(db, shop_id=shop_id, order_id=order_id, move=pay)


# Packages before their order, as everybody locks them.
_LOCK_PACKAGES = """
    select 1 from packages where shop_id = %s and order_id = %s and state = 'packed' order by id for no key update
"""
# The order is locked, so no entry of it is anybody else's.
_CHANGES = """
    select e.variant_id, v.sku, e.pool, sum(e.on_hand_delta)::bigint,
           sum(e.on_hand_delta - e.held_delta - e.committed_delta)::bigint
    from stock_entries e join variants v on v.shop_id = e.shop_id and v.id = e.variant_id
    where e.shop_id = %(shop)s and e.id > %(last)s and e.order_id = %(order)s
    group by e.variant_id, v.sku, e.pool
    having sum(e.on_hand_delta) <> 0 or sum(e.held_delta + e.committed_delta) <> 0
    order by v.sku, e.pool
"""
