"""Carts in tests: a shop of several merchants, a partner who sells for them, and its shoppers."""

from dataclasses import dataclass
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.carts import (
    CartItem,
    CartRules,
    Carts,
    CartView,
    CheckedOut,
    CheckingOut,
    Checkout,
    check_out,
    create_cart,
    put_items,
    read_cart,
)
from crossdock.shop.orders import OrderView, read_order
from crossdock.shop.partners import Partner
from crossdock.shop.payments import Paying
from crossdock.shop.pricing import TaxTable
from tests.support.drafts import BUYER
from tests.support.factories import (
    ShopFixture,
    level,
    make_merchant,
    make_partner,
    make_shop,
    make_variant,
)
from tests.support.ledger import balances
from tests.support.paying import GOOD, card, paying


@dataclass
class Mall:
    """One shop that sells in USD, and one partner of it."""

    db: Database
    clock: FrozenClock
    shop: ShopFixture
    partner: Partner
    carts: Carts

    @classmethod
    async def open(
        cls, db: Database, clock: FrozenClock, *, currency: str = "USD", **rules: Any
    ) -> "Mall":
        """A fresh one."""
        async with db.begin() as tx:
            shop = await make_shop(tx, currency=currency)
            fixture = await make_partner(tx, shop=shop)
        service = Carts(db=db, clock=clock, ids=RandomIds(), rules=CartRules(**rules))
        return cls(db, clock, shop, partner_of(shop, currency=currency, id=fixture.id), service)

    async def merchant(self, **terms: Any) -> int:
        """One more merchant, on these terms."""
        async with self.db.begin() as tx:
            merchant_id = await make_merchant(tx, shop_id=self.shop.id)
            await set_columns(tx, "merchants", self.shop.id, merchant_id, **terms)
        return merchant_id

    async def variant(
        self, *, shipping_minor: int = 0, free_shipping: bool = False, **values: Any
    ) -> int:
        """A variant of which there are 10, unless told otherwise."""
        async with self.db.begin() as tx:
            wanted: dict[str, Any] = {"currency": self.partner.currency} | values
            variant_id = await make_variant(tx, shop=self.shop, **wanted)
            product_id = await tx.value(
                "select product_id from variants where shop_id = %s and id = %s",
                (self.shop.id, variant_id),
            )
            await set_columns(
                tx, "products", self.shop.id, product_id,
                shipping_minor=shipping_minor, free_shipping=free_shipping,
            )  # fmt: skip
        return variant_id

    async def change(self, table: str, row_id: int, **values: Any) -> None:
        """Change a row of the shop."""
        async with self.db.begin() as tx:
            await set_columns(tx, table, self.shop.id, row_id, **values)

    async def cart(self, *wanted: tuple[int, int]) -> str:
        """The id of a cart with these quantities of variants."""
        cart = await create_cart(self.carts, partner=self.partner)
        if wanted:
            await self.put(cart.id, *wanted)
        return cart.id

    async def put(self, cart_id: str, *wanted: tuple[int, int], **more: Any) -> CartView:
        """Put quantities of variants into the cart."""
        items = [CartItem(variant=variant, quantity=quantity) for variant, quantity in wanted]
        return await put_items(
            self.carts, partner=self.partner, cart_id=cart_id, items=items, **more
        )

    async def read(self, cart_id: str) -> CartView:
        """The cart now."""
        return await read_cart(self.carts, partner=self.partner, cart_id=cart_id)

    @property
    def paying(self) -> Paying:
        """Payments by the sandbox."""
        return paying(self.db, self.clock)

    async def check_out(
        self, cart_id: str, *, card_number: str = GOOD, partner: Partner | None = None, **more: Any
    ) -> CheckedOut:
        """The order that the cart becomes."""
        taxes = more.pop("taxes", None) or TaxTable(self.db)
        service = CheckingOut(
            carts=self.carts, paying=more.pop("paying", None) or self.paying, taxes=taxes
        )
        line_data = {"line_data": more.pop("line_data")} if "line_data" in more else {}
        values: dict[str, Any] = {
            "cart_id": cart_id, "billing": BUYER, "shipping": BUYER, "card": card(card_number),
            "provider": "sandbox", "source": "test",
        }  # fmt: skip
        return await check_out(
            service,
            partner=partner or self.partner,
            checkout=Checkout(**(values | more)),
            **line_data,
        )

    async def order(self, order_id: int) -> OrderView:
        """The order with its lines, parts and what happened to it."""
        async with self.db.statement() as tx:
            return await read_order(
                tx, shop_id=self.shop.id, order_id=order_id, sections=("lines", "parts", "timeline")
            )

    async def level(self, variant_id: int) -> tuple[int, int, int, int]:
        """on hand, held, committed, available."""
        async with self.db.statement() as tx:
            return await level(tx, shop_id=self.shop.id, variant_id=variant_id)

    async def balances(self) -> dict[str, int]:
        """Every balance that is not zero."""
        async with self.db.statement() as tx:
            found = await balances(tx, shop_id=self.shop.id)
        return {name: minor for name, minor in found.items() if minor}

    async def payment_states(self) -> list[str]:
        """The states of the shop's payments, the oldest first."""
        async with self.db.statement() as tx:
            rows = await tx.all(
                "select state from payments where shop_id = %s order by id", (self.shop.id,)
            )
        return [state for (state,) in rows]

    async def count(self, table: str) -> int:
        """How many rows of the shop a table has."""
        async with self.db.statement() as tx:
            query = f"select count(*) from {table} where shop_id = %s"
            return int(await tx.value(query, (self.shop.id,)))

    async def another_partner(self, **changes: Any) -> Partner:
        """Another partner of the same shop."""
        async with self.db.begin() as tx:
            fixture = await make_partner(tx, shop=self.shop)
        return msgspec.structs.replace(self.partner, id=fixture.id, **changes)


def partner_of(shop: ShopFixture, **changes: Any) -> Partner:
    """A partner of the shop, straight as a channel hands it over."""
    values: dict[str, Any] = {
        "shop_id": shop.id, "id": 1, "channel": "test", "name": "Partner", "permissions": frozenset(),
        "backorder": False, "currency": "USD", "min_amount_minor": None, "max_amount_minor": None,
        "visible_merchants": None, "price_list_id": None, "customer_id": None, "settings": {}, "revision": 1,
    }  # fmt: skip
    return Partner(**(values | changes))


def quantities(cart: CartView) -> dict[int, int]:
    """Of each variant that can be bought: how many."""
    return {line.variant_id: line.quantity for line in cart.lines}


async def set_columns(tx: Any, table: str, shop_id: int, row_id: int, **values: Any) -> None:
    """Change columns of a row."""
    if values:
        names = ", ".join(f"{name} = %s" for name in values)
        await tx.run(
            f"update {table} set {names} where shop_id = %s and id = %s",
            (*values.values(), shop_id, row_id),
        )
