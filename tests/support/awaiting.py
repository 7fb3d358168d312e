"""A shop whose partner sells goods first, and pays for what it ordered afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import FrozenClock
from crossdock.shop.catalogue import ShippingTerm
from crossdock.shop.customers import Address
from crossdock.shop.orders import (
    AwaitingTerms,
    OrderItem,
    OrderRequest,
    OrderView,
    Placed,
    Placing,
    Rule,
    address_is_filled,
    all_enabled,
    all_ship_there,
    cancel_freely,
    charge_order,
    origin_rule,
    place_awaiting,
    read_order,
    variants_are_known,
)
from crossdock.shop.partners import Partner
from crossdock.shop.payments import Paying, Payment, list_payments
from tests.support.factories import ShopFixture, level, make_partner, make_shop, make_variant
from tests.support.ordering import placing
from tests.support.paying import paying
from tests.support.shopping import partner_of, set_columns
from tests.support.warehousing import differences

RULES: tuple[Rule, ...] = (
    variants_are_known,
    all_enabled,
    all_ship_there,
    origin_rule,
    address_is_filled,
)
PUNE = Address(
    first_name="Ada", last_name="Test", phone="0000000000", address_1="1 Road",
    city="Pune", state="MH", postcode="411001", country="IN",
)  # fmt: skip
DAY_S = 86_400
WINDOW_S = 7_200
TERMS = AwaitingTerms(pay_within_s=DAY_S, release_after_s=WINDOW_S)


@dataclass
class Dropship:
    """One shop and one partner."""

    db: Database
    clock: FrozenClock
    shop: ShopFixture
    partner: Partner
    service: Placing
    terms: AwaitingTerms = TERMS
    numbers: list[int] = field(default_factory=list)

    @classmethod
    async def open(cls, db: Database, clock: FrozenClock) -> "Dropship":
        """A fresh one."""
        async with db.begin() as tx:
            shop = await make_shop(tx)
            made = await make_partner(tx, shop=shop, customer_id=None)
        partner = partner_of(shop, id=made.id, customer_id=None)
        return cls(db, clock, shop, partner, placing(db, clock))

    @property
    def paying(self) -> Paying:
        """The service that pays and refunds; the payments of other tests may be by card."""
        return paying(self.db, self.clock)

    async def variant(
        self,
        *,
        shipping_minor: int = 0,
        terms: Mapping[str, int] | None = None,
        ships_to: Sequence[str] = (),
        **columns: Any,
    ) -> int:
        """A variant with its shipping price, and other prices by courier."""
        async with self.db.begin() as tx:
            variant_id = await make_variant(tx, shop=self.shop, **columns)
            rows = [ShippingTerm(courier=c, price_minor=p) for c, p in (terms or {}).items()]
            await set_columns(
                tx, "products", self.shop.id, await self.product_of(tx, variant_id),
                shipping_minor=shipping_minor, ships_to=list(ships_to),
                shipping_terms=Jsonb(msgspec.to_builtins(rows)),
            )  # fmt: skip
        return variant_id

    async def product_of(self, tx: Transaction, variant_id: int) -> int:
        """The product of a variant."""
        return int(
            await tx.value(
                "select product_id from variants where shop_id = %s and id = %s",
                (self.shop.id, variant_id),
            )
        )

    async def change(self, table: str, row_id: int, **columns: Any) -> None:
        """Set columns of a row."""
        async with self.db.begin() as tx:
            await set_columns(tx, table, self.shop.id, row_id, **columns)

    async def place(
        self, *wanted: tuple[int, int], number: str = "", to: Address = PUNE, digest: bytes = b"1"
    ) -> Placed:
        """Place an order of (variant, quantity) lines."""
        self.numbers.append(len(self.numbers) + 1)
        request = OrderRequest(
            partner_order_id=number or f"D-{self.numbers[-1]}",
            items=tuple(OrderItem(variant_id=v, quantity=q) for v, q in wanted),
            source="test",
            shipping=to,
        )
        return await place_awaiting(
            self.service,
            partner=self.partner,
            request=request,
            request_hash=digest,
            rules=RULES,
            terms=self.terms,
            depict=_depict,
        )

    async def charge(self, order_id: int, charge: str) -> bool:
        """Pay the order."""
        async with self.db.begin() as tx:
            return await self.charge_in(tx, order_id, charge)

    async def charge_in(self, tx: Transaction, order_id: int, charge: str) -> bool:
        """Pay the order in this transaction."""
        return await charge_order(
            tx,
            shop_id=self.shop.id,
            partner_id=self.partner.id,
            order_id=order_id,
            charge=charge,
            now=self.clock.now(),
        )

    async def paid(self, *wanted: tuple[int, int]) -> int:
        """The id of a paid order."""
        placed = await self.place(*wanted)
        await self.charge(placed.id, f"ch-{placed.id}")
        return placed.id

    async def cancel(self, order_id: int, line_no: int | None = None) -> int:
        """Cancel a line, or all, as the partner does."""
        async with self.db.begin() as tx:
            return await cancel_freely(
                tx,
                shop_id=self.shop.id,
                partner_id=self.partner.id,
                order_id=order_id,
                line_no=line_no,
                now=self.clock.now(),
            )

    async def read(self, order_id: int) -> OrderView:
        """The order with everything."""
        async with self.db.statement() as tx:
            return await read_order(
                tx,
                shop_id=self.shop.id,
                order_id=order_id,
                sections=("lines", "as_sold", "parts", "packages", "checkpoints", "timeline"),
            )

    async def states(self, order_id: int) -> tuple[str, str, list[str]]:
        """The order's two states, and those of its lines."""
        order = await self.read(order_id)
        lines = [line.state for line in order.lines]
        return order.payment_state, order.fulfilment_state, lines

    async def payments(self, order_id: int) -> list[Payment]:
        """Its payments."""
        async with self.db.statement() as tx:
            return await list_payments(tx, shop_id=self.shop.id, order_id=order_id)

    async def level(self, variant_id: int) -> tuple[int, ...]:
        """On hand, held, committed and available of a variant."""
        async with self.db.statement() as tx:
            return tuple(await level(tx, shop_id=self.shop.id, variant_id=variant_id))

    async def owed(self) -> int:
        """What the partner owes."""
        async with self.db.statement() as tx:
            return int(
                await tx.value(
                    "select coalesce(-sum(balance_minor), 0) from accounts"
                    " where shop_id = %s and kind = 'receivable'",
                    (self.shop.id,),
                )
            )

    async def differences(self) -> list[str]:
        """What doctor finds wrong."""
        async with self.db.statement() as tx:
            return await differences(tx, after_shop=self.shop.id - 1)


async def _depict(tx: Transaction, variant_ids: Sequence[int], now: datetime) -> dict[int, Any]:
    return {variant_id: {"variant": variant_id} for variant_id in variant_ids}
