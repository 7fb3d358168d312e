"""Resellers' own shops: their relationships and serials, how they ask for one, and what an answer means."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from crossdock.channels.shoppex_reseller import NAME
from crossdock.channels.shoppex_reseller.auth import MERCHANT_PREFIX, RESELLER_PREFIX
from crossdock.channels.shoppex_reseller.ids import Kind, WireIds
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import Terms, add_credential, add_partner, set_terms
from crossdock.shop.resellers import (
    ProgramChanges,
    ResellerTerms,
    accept_invitation,
    add_key,
    change_program,
    credit,
    invite,
)
from crossdock.shop.shops import read_id_key
from crossdock.shop.stock import SERIALS_MAX, add_serials
from proof.doors import BROKEN, SHORT, SOLD, UNAVAILABLE, Outcome
from tests.support.factories import PartnerFixture, ShopFixture, box, make_variant
from tests.support.raw_http import Connection, Reply, request_bytes

CHANNEL = NAME
FULFILLMENTS = "/reseller/v1/fulfillments"
DYNAMIC = f"{FULFILLMENTS}/dynamic"
UNLIMITED = {"rate_limit_per_minute": 0}
PRICE = 1_000
STOCK_GONE, MONEY_GONE, CONFLICT = (
    "STOCK_UNAVAILABLE",
    "INSUFFICIENT_BALANCE",
    "IDEMPOTENCY_CONFLICT",
)


@dataclass(frozen=True)
class Licence:
    """A product that is sold by serials, as one thing."""

    product_id: int
    variant_id: int


@dataclass(frozen=True)
class Reseller:
    """A relationship, and the key of its shop."""

    id: int
    partner: PartnerFixture
    ids: WireIds

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> bytes:
        """The bytes of a call with its key."""
        return call(self.partner.secret, method, path, body, **headers)

    def fulfil(
        self, licence: Licence, *, order: str, key: str | None = None, quantity: int = 1
    ) -> bytes:
        """A fulfilment, with an Idempotency-Key where there is one."""
        headers = {} if key is None else {"Idempotency-Key": key}
        body = self._asked(licence, order=order, quantity=quantity)
        return self.call("POST", FULFILLMENTS, body, **headers)

    def fulfil_by_address(self, licence: Licence, *, order: str, quantity: int = 1) -> bytes:
        """The same by an address alone."""
        asked = self._asked(licence, order=order, quantity=quantity)
        query = urlencode({**asked, "api_key": self.partner.secret})
        return request_bytes("GET", f"{DYNAMIC}?{query}")

    def _asked(self, licence: Licence, *, order: str, quantity: int) -> dict[str, Any]:
        return {
            "external_order_id": order,
            "customer_email": "buyer@example.com",
            "product_id": self.ids.write(Kind.PRODUCT, licence.product_id),
            "quantity": quantity,
        }


def call(key: str, method: str, path: str, body: Any = None, **headers: str) -> bytes:
    """The bytes of a call with a key, of a merchant's or of a reseller's."""
    given = {"Authorization": f"Bearer {key}", **headers}
    if body is None:
        return request_bytes(method, path, headers=given)
    given["Content-Type"] = "application/json"
    return request_bytes(method, path, headers=given, body=json.dumps(body).encode())


async def open_programme(tx: Transaction, shop: ShopFixture) -> None:
    """Switch the programme on, without a discount: a unit costs what everybody pays."""
    changes = ProgramChanges(enabled=True, default_mode="both")
    await change_program(tx, shop_id=shop.id, changes=changes, now=datetime.now(UTC))


async def make_reseller(
    tx: Transaction, *, shop: ShopFixture, credit_minor: int = 0, **terms: Any
) -> Reseller:
    """A relationship from invitation to key, without a limit of calls."""
    ids, now = RandomIds(), datetime.now(UTC)
    email = f"{ids.random_token(10).lower()}@reseller.example"
    invited = await invite(
        tx, shop_id=shop.id, email=email, terms=ResellerTerms(**terms), ids=ids, now=now
    )
    made = await accept_invitation(tx, token=invited.token, channel=CHANNEL, ids=ids, now=now)
    await set_terms(tx, partner_id=made.partner_id, terms=Terms(settings=UNLIMITED))
    key = await add_key(
        tx, shop_id=shop.id, reseller_id=made.id, prefix=RESELLER_PREFIX, ids=ids, box=box()
    )
    if credit_minor:
        await credit(tx, shop_id=shop.id, reseller_id=made.id, amount_minor=credit_minor, now=now)
    partner = PartnerFixture(made.partner_id, shop.id, key.key, key.secret)
    return Reseller(made.id, partner, await wire_ids(tx, shop))


async def make_merchant_key(
    tx: Transaction, *, shop: ShopFixture, permissions: tuple[str, ...] = ("*",), **terms: Any
) -> PartnerFixture:
    """A key of the shop's own back office."""
    ids = RandomIds()
    partner_id = await add_partner(
        tx,
        shop_id=shop.id,
        channel=CHANNEL,
        name=f"Merchant {ids.random_token(8)}",
        terms=Terms(permissions=permissions, settings=UNLIMITED, **terms),
    )
    made = await add_credential(
        tx, partner_id=partner_id, ids=ids, box=box(), proof="bearer", prefix=MERCHANT_PREFIX
    )
    return PartnerFixture(partner_id, shop.id, made.key, made.secret)


async def wire_ids(tx: Transaction, shop: ShopFixture) -> WireIds:
    """The ids that the shop gives to its things."""
    return WireIds(bytes(await read_id_key(tx, shop_id=shop.id)))


async def make_licence(
    tx: Transaction, *, shop: ShopFixture, serials: Sequence[str], currency: str = "USD"
) -> Licence:
    """A product with these serials in stock, PRICE each."""
    variant = await make_variant(tx, shop=shop, own=None, price_minor=PRICE, currency=currency)
    product = await tx.value("select product_id from variants where id = %s", (variant,))
    await tx.run("update products set virtual = true where id = %s", (product,))
    for start in range(0, len(serials), SERIALS_MAX):
        await add_serials(
            tx,
            shop_id=shop.id,
            variant_id=variant,
            serials=serials[start : start + SERIALS_MAX],
            box=box(),
            now=datetime.now(UTC),
        )
    return Licence(product, variant)


def numbered(prefix: str, count: int) -> list[str]:
    """So many serials, in the order in which they are sold."""
    return [f"{prefix}-{number:06d}" for number in range(count)]


@dataclass(frozen=True)
class Told:
    """What a fulfilment was answered with: the fulfilment, or a code of refusal.

    `reused`: an earlier request had made it. `tries`: how often it was sent until the server was not busy;
    what it was too busy to acknowledge may have been done.
    """

    status: int
    code: str = ""
    id: str = ""
    serials: tuple[str, ...] = ()
    balance_after: str = ""
    reused: bool = False
    text: str = ""
    tries: int = 1

    @property
    def is_made(self) -> bool:
        """Whether this call made the fulfilment, as far as can be told."""
        return self.status == 201 or (bool(self.id) and self.tries > 1)

    @property
    def is_busy(self) -> bool:
        """Whether it is to be sent again."""
        return self.status == 503


def told_by(reply: Reply) -> Told:
    """What an answer says; `text` is the beginning of one that is neither."""
    document = reply.json()
    if isinstance(document, dict) and reply.status in {200, 201} and "data" in document:
        data = document["data"]
        return Told(
            reply.status,
            id=data["id"],
            serials=tuple(data["serials"]),
            balance_after=data["balance_after"],
            reused=data["reused"],
        )
    if isinstance(document, dict) and isinstance(document.get("error"), dict):
        return Told(reply.status, code=document["error"]["code"], text=f"{reply.body[:200]!r}")
    return Told(reply.status, code="?", text=f"{reply.status} {reply.body[:200]!r}")


async def ask(connection: Connection, request: bytes) -> Told:
    """Send it until the answer is another than that the server is busy."""
    tries = 1
    while (told := told_by(await connection.exchange(request))).is_busy and tries < _BUSY_MAX:
        tries += 1
        await asyncio.sleep(_AGAIN_S)
    return replace(told, tries=tries)


_BUSY_MAX = 200
_AGAIN_S = 0.05


@dataclass(frozen=True)
class ResellerDoor:
    """The reseller channel, for one reseller who sells one licence, whatever variant others sell.

    An order's number is its Idempotency-Key; sent again it is answered with the first fulfilment, which
    counts as sold. The order that an outcome names is the fulfilment.
    """

    reseller: Reseller
    licence: Licence
    name: str = CHANNEL

    @property
    def partner(self) -> PartnerFixture:
        """Who buys."""
        return self.reseller.partner

    async def begin(
        self, connection: Connection, variant_id: int, *, quantity: int, number: str
    ) -> str:
        """The number as it is: nothing goes before a fulfilment."""
        return number

    def order(
        self, variant_id: int, *, quantity: int, number: str, timestamp: int, nonce: str
    ) -> bytes:
        """A fulfilment of the licence."""
        return self.reseller.fulfil(self.licence, order=number, key=number, quantity=quantity)

    def outcome(self, reply: Reply) -> Outcome:
        """By the status and the error's code; the fulfilment's number is read from its id."""
        told = told_by(reply)
        if told.code == STOCK_GONE:
            return Outcome(SHORT)
        if told.is_busy and reply.header("retry-after"):
            return Outcome(UNAVAILABLE, text=told.code)
        number = self.reseller.ids.find(Kind.FULFILLMENT, told.id) if told.id else None
        if number is None:
            return Outcome(BROKEN, text=told.text or f"{told.id} is no fulfilment's id")
        return Outcome(SOLD, order_id=number)

    def question(self, outcome: Outcome, *, number: str) -> bytes | None:
        """None: its answers leave nothing open."""
        return None

    def answer(self, outcome: Outcome, reply: Reply) -> Outcome:
        """Never called."""
        return outcome


@dataclass(frozen=True)
class Books:
    """What is written of a reseller: its balance, its fulfilments, their units, price and serials."""

    balance_minor: int
    fulfilments: int
    units: int
    spent_minor: int
    serials: int

    @classmethod
    async def read(cls, tx: Transaction, reseller: Reseller) -> "Books":
        """What is written now; a serial that was sold twice counts once."""
        row = await tx.one(_BOOKS, {"shop": reseller.partner.shop_id, "reseller": reseller.id})
        assert row is not None  # sums have one row
        return cls(*row)

    @classmethod
    def of(cls, fulfilments: int, *, credit_minor: int, units: int | None = None) -> "Books":
        """What is to be written after so many fulfilments at PRICE, paid from this credit."""
        units = fulfilments if units is None else units
        spent = PRICE * units
        return cls(credit_minor - spent, fulfilments, units, spent, units)


_BOOKS = """
    select coalesce((select a.balance_minor from accounts a
                     where a.shop_id = %(shop)s and a.kind = 'prepaid' and a.owner = 'reseller:' || %(reseller)s), 0),
           count(*), coalesce(sum(f.quantity), 0)::bigint, coalesce(sum(f.total_minor), 0)::bigint,
           (select count(distinct b.serial_id)
            from reseller_fulfilments g join serial_sales b on b.shop_id = g.shop_id and b.order_id = g.order_id
            where g.shop_id = %(shop)s and g.reseller_id = %(reseller)s)
    from reseller_fulfilments f where f.shop_id = %(shop)s and f.reseller_id = %(reseller)s
"""
