"""A shop with a warehouse behind it: each step of the work in a transaction of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import FrozenClock
from crossdock.shop.customers import Address
from crossdock.shop.doctor import CHECKS
from crossdock.shop.orders import (
    Closed,
    OrderView,
    Take,
    cancel_order,
    place,
    read_order,
    refuse_second,
    release_order,
)
from crossdock.shop.partners import Partner
from crossdock.shop.stock import adjust_stock, receive_stock
from crossdock.shop.warehouse import (
    Checkpoint,
    Consignment,
    Received,
    ReturnItem,
    add_checkpoints,
    announce_return,
    capture_serials,
    close_short,
    pack_lines,
    pick_lines,
    read_serials,
    receive_return,
    ship_package,
    start_fulfilment,
    unpack_package,
    unpick_lines,
)
from tests.support.drafts import draft_of, named
from tests.support.factories import ShopFixture, box, level, make_partner, make_shop, make_variant

RECEIVER = Address(
    first_name="Noor",
    last_name="Peeters",
    email="noor@peeters.example",
    phone="+32 15 55 01 00",
    address_1="Veemarkt 7 bus 2",
    street="Veemarkt",
    house_number="7",
    box="2",
    postcode="2800",
    city="Mechelen",
    country="BE",
)


@dataclass
class Warehouse:
    """One shop, one partner, and what staff do there."""

    db: Database
    clock: FrozenClock
    shop: ShopFixture
    partner: Partner
    numbers: list[int] = field(default_factory=list)

    @classmethod
    async def open(cls, db: Database, clock: FrozenClock) -> "Warehouse":
        """A fresh one."""
        async with db.begin() as tx:
            shop = await make_shop(tx, currency="EUR")
            made = await make_partner(tx, shop=shop, channel="shopwedo", customer_id=None)
        partner = Partner(
            shop_id=shop.id,
            id=made.id,
            channel="shopwedo",
            name="Web shop",
            permissions=frozenset(),
            backorder=False,
            currency="EUR",
            min_amount_minor=None,
            max_amount_minor=None,
            visible_merchants=None,
            price_list_id=None,
            customer_id=None,
            settings={},
            revision=1,
        )
        return cls(db=db, clock=clock, shop=shop, partner=partner)

    async def variant(self, own: int | None = 10, **columns: Any) -> int:
        """A variant's id, `own` of it on hand."""
        async with self.db.begin() as tx:
            return await make_variant(tx, shop=self.shop, own=own, **columns)

    async def enter(
        self,
        *wanted: tuple[int, int],
        release: bool = True,
        immediate: bool = False,
        take: Take | None = "own_capped",
    ) -> int:
        """The id of an entered order of (variant, quantity) lines."""
        self.numbers.append(len(self.numbers) + 1)
        number = f"W-{self.numbers[-1]}"
        take = None if not release else "own" if immediate else take
        draft = draft_of(
            *(named(variant_id, quantity=many, take=take) for variant_id, many in wanted),
            shop=self.shop,
            partner_id=self.partner.id,
            number=number,
            channel="shopwedo",
            currency="EUR",
            billing=RECEIVER,
            shipping=RECEIVER,
            state="processing" if release else "waiting_for_release",
            state_when_short="reserved" if release and not immediate else None,
            release_policy=("immediate" if immediate else "when_available")
            if release
            else "by_hand",
        )
        async with self.db.statement() as tx:
            placed = await place(tx, draft=draft, now=self.clock.now())
        refuse_second(placed)
        return placed.id

    async def receive(self, variant_id: int, quantity: int) -> None:
        async with self.db.begin() as tx:
            await receive_stock(
                tx,
                shop_id=self.shop.id,
                variant_id=variant_id,
                quantity=quantity,
                now=self.clock.now(),
            )

    async def adjust(self, variant_id: int, difference: int) -> None:
        async with self.db.begin() as tx:
            await adjust_stock(
                tx,
                shop_id=self.shop.id,
                variant_id=variant_id,
                difference=difference,
                now=self.clock.now(),
            )

    async def release(self, order_id: int) -> str:
        async with self.db.begin() as tx:
            return await release_order(
                tx, shop_id=self.shop.id, order_id=order_id, now=self.clock.now()
            )

    async def start(self, order_id: int) -> None:
        async with self.db.begin() as tx:
            await start_fulfilment(
                tx, shop_id=self.shop.id, order_id=order_id, now=self.clock.now()
            )

    async def pick(self, order_id: int, quantities: Mapping[int, int]) -> None:
        async with self.db.begin() as tx:
            await pick_lines(
                tx,
                shop_id=self.shop.id,
                order_id=order_id,
                quantities=quantities,
                now=self.clock.now(),
            )

    async def pack(self, order_id: int, quantities: Mapping[int, int], weight_g: int = 0) -> int:
        async with self.db.begin() as tx:
            return await pack_lines(
                tx,
                shop_id=self.shop.id,
                order_id=order_id,
                quantities=quantities,
                now=self.clock.now(),
                weight_g=weight_g,
            )

    async def unpick(
        self, order_id: int, quantities: Mapping[int, int] | None = None
    ) -> Mapping[int, int]:
        async with self.db.begin() as tx:
            return await unpick_lines(
                tx,
                shop_id=self.shop.id,
                order_id=order_id,
                quantities=quantities,
                now=self.clock.now(),
            )

    async def unpack(self, package_id: int) -> bool:
        async with self.db.begin() as tx:
            return await unpack_package(
                tx, shop_id=self.shop.id, package_id=package_id, now=self.clock.now()
            )

    async def ship(self, package_id: int, number: str = "") -> str:
        async with self.db.begin() as tx:
            return await ship_package(
                tx,
                shop_id=self.shop.id,
                package_id=package_id,
                consignment=Consignment(
                    carrier="demo",
                    tracking_number=number or f"T{package_id}",
                    tracking_url=f"https://track.example/T{package_id}",
                ),
                now=self.clock.now(),
            )

    async def ship_all(self, order_id: int, quantities: Mapping[int, int]) -> int:
        """Pick, pack and ship; the package's id."""
        await self.pick(order_id, quantities)
        package_id = await self.pack(order_id, quantities)
        await self.ship(package_id)
        return package_id

    async def scan(self, order_id: int, line_no: int, *serials: str) -> None:
        async with self.db.begin() as tx:
            await capture_serials(
                tx,
                shop_id=self.shop.id,
                order_id=order_id,
                line_no=line_no,
                serials=serials,
                box=box(),
                now=self.clock.now(),
            )

    async def see(self, package_id: int, *codes: str) -> int:
        """What a carrier saw, now; how much of it was news."""
        async with self.db.begin() as tx:
            return await add_checkpoints(
                tx,
                shop_id=self.shop.id,
                package_id=package_id,
                checkpoints=[Checkpoint(code=code, happened_at=self.clock.now()) for code in codes],
                now=self.clock.now(),
            )

    async def cancel(self, order_id: int) -> None:
        async with self.db.begin() as tx:
            await cancel_order(tx, shop_id=self.shop.id, order_id=order_id, now=self.clock.now())

    async def close(self, order_id: int, reason: str = "") -> Closed:
        async with self.db.begin() as tx:
            return await close_short(
                tx, shop_id=self.shop.id, order_id=order_id, reason=reason, now=self.clock.now()
            )

    async def announce(self, order_id: int, quantities: Mapping[int, int]) -> int:
        items = [ReturnItem(line_no=line, quantity=many) for line, many in quantities.items()]
        async with self.db.begin() as tx:
            return await announce_return(
                tx, shop_id=self.shop.id, order_id=order_id, items=items, now=self.clock.now()
            )

    async def take_in(
        self, return_id: int, restocked: Mapping[int, int], *serials: int
    ) -> Received:
        async with self.db.begin() as tx:
            return await receive_return(
                tx,
                shop_id=self.shop.id,
                return_id=return_id,
                restocked=restocked,
                serials=serials,
                now=self.clock.now(),
            )

    async def read(self, order_id: int) -> OrderView:
        async with self.db.statement() as tx:
            return await read_order(
                tx, shop_id=self.shop.id, order_id=order_id, sections=("lines", "packages")
            )

    async def serials(self, order_id: int) -> dict[int, list[str]]:
        """The serials that were noted, by line."""
        async with self.db.statement() as tx:
            return await read_serials(tx, shop_id=self.shop.id, order_id=order_id, box=box())

    async def state(self, order_id: int) -> str:
        return (await self.read(order_id)).fulfilment_state

    async def level(self, variant_id: int) -> tuple[int, int, int]:
        """On hand, committed, available."""
        async with self.db.statement() as tx:
            on_hand, held, committed, available = await level(
                tx, shop_id=self.shop.id, variant_id=variant_id
            )
        assert held == 0
        return on_hand, committed, available

    async def entries(self, variant_id: int) -> list[tuple[Any, ...]]:
        """(kind, on hand, committed) of every entry, the oldest first."""
        async with self.db.statement() as tx:
            return await tx.all(
                "select kind, on_hand_delta, committed_delta from stock_entries"
                " where shop_id = %s and variant_id = %s order by id",
                (self.shop.id, variant_id),
            )

    async def events(self, order_id: int) -> list[str]:
        """The kinds of the order's events but for those of stock, the oldest first."""
        async with self.db.statement() as tx:
            rows = await tx.all(
                "select kind from events where shop_id = %s and subject_id = %s"
                " and kind not in ('stock.changed', 'inventory.moved') order by id",
                (self.shop.id, order_id),
            )
        return [kind for (kind,) in rows]

    async def everything(self) -> Sequence[tuple[Any, ...]]:
        """All that the shop's work has left, to show that a refusal left nothing more."""
        async with self.db.statement() as tx:
            return await tx.all(_EVERYTHING, {"shop": self.shop.id})


_EVERYTHING = """
    select 'order', to_jsonb(o)::text from orders o where shop_id = %(shop)s
    union all select 'line', to_jsonb(l)::text from order_lines l where shop_id = %(shop)s
    union all select 'allocation', to_jsonb(a)::text from order_allocations a where shop_id = %(shop)s
    union all select 'package', to_jsonb(p)::text from packages p where shop_id = %(shop)s
    union all select 'in package', to_jsonb(p)::text from package_lines p where shop_id = %(shop)s
    union all select 'serial', to_jsonb(s)::text from captured_serials s where shop_id = %(shop)s
    union all select 'checkpoint', to_jsonb(c)::text from checkpoints c where shop_id = %(shop)s
    union all select 'return', to_jsonb(r)::text from order_returns r where shop_id = %(shop)s
    union all select 'key', to_jsonb(s)::text from serials s where shop_id = %(shop)s
    union all select 'returned', to_jsonb(r)::text from order_return_lines r where shop_id = %(shop)s
    union all select 'level', to_jsonb(l)::text from stock_levels l where shop_id = %(shop)s
    union all select 'entry', e.id::text from stock_entries e where shop_id = %(shop)s
    union all select 'event', e.id::text from events e where shop_id = %(shop)s
    order by 1, 2
"""


async def differences(tx: Transaction, *, after_shop: int) -> list[str]:
    """What the doctor finds wrong in shops made after this one."""
    wrong = []
    for check, query in CHECKS.items():
        rows = await tx.all(f"select * from ({query}) found where found.wrong")
        wrong += [
            f"{check}: {where}: expected {expected}, found {found}"
            for where, expected, found, _ in rows
            if int(where.split()[1]) > after_shop and "event numbers" not in check
        ]
    return wrong
