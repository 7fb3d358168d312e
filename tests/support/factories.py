"""Factories with defaults: a shop, goods, a partner. Each test has a shop of its own."""

import itertools
from datetime import datetime
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import Terms, add_credential, add_partner

MASTER_KEY = bytes(range(32))
ADDRESS = {
    "first_name": "Ada",
    "last_name": "Moreno",
    "company": "Moreno Retail",
    "email": "ada@moreno.example",
    "phone": "+1 305 555 0100",
    "address_1": "1 Harbour Way",
    "city": "Miami",
    "state": "FL",
    "postcode": "33101",
    "country": "US",
}
_numbers = itertools.count(1)


class ShopFixture(msgspec.Struct, frozen=True):
    """A shop with one merchant and one customer."""

    id: int
    slug: str
    merchant_id: int
    customer_id: int


class PartnerFixture(msgspec.Struct, frozen=True):
    """A partner with its credential."""

    id: int
    shop_id: int
    key: str
    secret: str


def box() -> SecretBox:
    """The box of the tests' master key."""
    return SecretBox(MASTER_KEY)


async def make_shop(
    tx: Transaction, *, currency: str = "USD", slug: str = "", time_zone: str = "Europe/Brussels"
) -> ShopFixture:
    """A fresh shop with a merchant and a complete, active customer."""
    slug = slug or f"shop-{RandomIds().random_token(10).lower()}"
    shop_id = await tx.value(
        "insert into shops (slug, name, currency, time_zone) values (%s, %s, %s, %s) returning id",
        (slug, "Test shop", currency, time_zone),
    )
    merchant_id = await make_merchant(tx, shop_id=shop_id, slug="main")
    customer_id = await make_customer(tx, shop_id=shop_id)
    return ShopFixture(id=shop_id, slug=slug, merchant_id=merchant_id, customer_id=customer_id)


async def make_merchant(tx: Transaction, *, shop_id: int, slug: str = "") -> int:
    """A merchant's id."""
    slug = slug or f"m{next(_numbers)}"
    return int(
        await tx.value(
            "insert into merchants (shop_id, slug, name) values (%s, %s, %s) returning id",
            (shop_id, slug, slug.title()),
        )
    )


async def make_customer(
    tx: Transaction,
    *,
    shop_id: int,
    email: str = "",
    active: bool = True,
    billing: dict[str, str] | None = None,
    shipping: dict[str, str] | None = None,
    sales_rep_id: int | None = None,
) -> int:
    """A customer's id; complete unless told otherwise."""
    return int(
        await tx.value(
            "insert into customers (shop_id, email, active, billing, shipping, sales_rep_id, sales_rep_source)"
            " values (%s, %s, %s, %s, %s, %s, %s) returning id",
            (
                shop_id,
                email or f"c{next(_numbers)}-{RandomIds().random_token(6)}@example.com",
                active,
                Jsonb(ADDRESS if billing is None else billing),
                Jsonb(ADDRESS if shipping is None else shipping),
                sales_rep_id,
                "stored" if sales_rep_id else None,
            ),
        )
    )


async def make_variant(
    tx: Transaction,
    *,
    shop: ShopFixture,
    own: int | None = 10,
    supplier: int | None = None,
    price_minor: int | None = 1999,
    **columns: Any,
) -> int:
    """A variant of a product of its own, with levels received into the pools that are given."""
    number = next(_numbers)
    merchant_id = columns.pop("merchant_id", shop.merchant_id)
    product_id = await tx.value(
        "insert into products (shop_id, merchant_id, handle, name) values (%s, %s, %s, %s) returning id",
        (shop.id, merchant_id, f"p-{number}", f"Product {number}"),
    )
    values = {
        "shop_id": shop.id,
        "product_id": product_id,
        "merchant_id": merchant_id,
        "sku": f"SKU-{number}",
        "name": f"Product {number}",
        "currency": "USD",
        "retail_minor": price_minor,
        "upc": f"{number:012d}",
        **columns,
    }
    names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    variant_id = int(
        await tx.value(
            f"insert into variants ({names}) values ({marks}) returning id", list(values.values())
        )
    )
    for pool, quantity in (("own", own), ("supplier", supplier)):
        if quantity is not None:
            await receive(tx, shop=shop, variant_id=variant_id, pool=pool, quantity=quantity)
    return variant_id


async def receive(
    tx: Transaction, *, shop: ShopFixture, variant_id: int, quantity: int, pool: str = "own"
) -> None:
    """Goods come in."""
    posting = {"variant_id": variant_id, "pool": pool, "kind": "receive", "on_hand": quantity}
    await tx.run("select post_stock(%s, %s, 'factory', null, now())", (shop.id, Jsonb([posting])))


async def make_partner(
    tx: Transaction,
    *,
    shop: ShopFixture,
    channel: str = "shoppex_partner",
    key: str = "",
    is_test: bool = True,
    terms: Terms | None = None,
    **changes: Any,
) -> PartnerFixture:
    """A partner with every permission, the shop's customer and one credential, with a given `key` if there is one."""
    defaults: dict[str, Any] = {
        "permissions": ("products.read", "orders.create"),
        "customer_id": shop.customer_id,
        "settings": {"rate_limit_per_minute": 0},
    }
    partner_id = await add_partner(
        tx,
        shop_id=shop.id,
        channel=channel,
        name=f"Partner {next(_numbers)}",
        terms=terms or Terms(**(defaults | changes)),
    )
    credential = await add_credential(
        tx, partner_id=partner_id, ids=RandomIds(), box=box(), key=key, is_test=is_test
    )
    return PartnerFixture(
        id=partner_id, shop_id=shop.id, key=credential.key, secret=credential.secret
    )


async def level(
    tx: Transaction, *, shop_id: int, variant_id: int, pool: str = "own"
) -> tuple[int, int, int, int]:
    """on_hand, held, committed, available."""
    row = await tx.one(
        "select on_hand, held, committed, available from stock_levels"
        " where shop_id = %s and variant_id = %s and pool = %s",
        (shop_id, variant_id, pool),
    )
    assert row is not None
    return row[0], row[1], row[2], row[3]


def moment(text: str) -> datetime:
    """An ISO time."""
    return datetime.fromisoformat(text)
