"""P5 for resellers and merchants: a call that is sent any number of times has one effect and one answer."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.db.unit_of_work import Transaction
from proof.claim import Claim, Findings, Result, Size
from proof.resellers import (
    CHANNEL,
    CONFLICT,
    FULFILLMENTS,
    Books,
    Licence,
    Reseller,
    call,
    make_licence,
    make_merchant_key,
    make_reseller,
    numbered,
    open_programme,
)
from proof.stand import Stand
from tests.support.factories import PartnerFixture, ShopFixture, make_shop
from tests.support.raw_http import Connection, Reply

CREDIT = 10**9
SERIALS = 2_000
QUANTITIES = (1, 2, 3)
BUSY = b"The first call with this Idempotency-Key is still running."
BUSY_MAX, AGAIN_S = 200, 0.05


@dataclass(frozen=True)
class Way:
    """A way of asking: the request of a number for a quantity. `counted` is what it writes one of."""

    name: str
    request: Callable[[str, int], bytes]
    counted: str
    told_once: tuple[str, ...] = ()
    """Credentials, as object and field of `data`: the call that did it is told them alone."""


@dataclass(frozen=True)
class Sent:
    """A number that was used, with the quantity that won, and what it was answered."""

    way: Way
    number: str
    quantity: int
    answer: str


class Answer(NamedTuple):
    """The data of an answer, or the code of a refusal; `is_first`: this call did it.

    `was_busy`: the server was at first, and may have done it all the same. `has_credential`: it was told one, which
    `text` is without.
    """

    text: str
    is_first: bool
    has_credential: bool
    was_busy: bool


class Sender:
    """Sends one number from all connections at once."""

    def __init__(self, connections: list[Connection], findings: Findings) -> None:
        self.answers: Counter[str] = Counter()
        self._connections = connections
        self._findings = findings

    async def first(self, way: Way, number: str, *, varies: bool) -> Sent:
        """Send a new number with one body or three: one call does it, and the others of its body are told so."""
        quantities = [QUANTITIES[n % 3] if varies else 1 for n in range(len(self._connections))]
        found = await self._together(way, number, quantities)
        where = f"{way.name}, {number}"
        did = [q for q, told in zip(quantities, found, strict=True) if told.is_first]
        if not did:  # who did it was told that the server is busy, and then asked again
            pairs = zip(quantities, found, strict=True)
            did = [q for q, told in pairs if told.was_busy and told.text != CONFLICT][:1]
        won = did[0] if did else 0
        right = {q: {CONFLICT} for q in quantities if q != won}
        told: dict[int, set[str]] = {}
        for quantity, each in zip(quantities, found, strict=True):
            told.setdefault(quantity, set()).add(each.text)
        same = told.pop(won, set())
        self._findings.expect(len(same) == 1, f"{where}: {len(same)} different answers")
        answer = min(same, default="")
        self._findings.expect(len(did) == 1, f"{where}: {len(did)} calls did it: {found[:3]}")
        self._findings.expect(answer.startswith("{"), f"{where}: {answer}")
        self._findings.expect(told == right, f"{where}: {told} instead of {right}")
        return Sent(way, number, won, answer)

    async def again(self, sent: Sent, *, where: str) -> None:
        """The same body is answered as before, another is a conflict, and nobody does it anew."""
        quantities = [sent.quantity, sent.quantity, sent.quantity + 7, sent.quantity + 7]
        found = await self._together(sent.way, sent.number, quantities)
        right = [sent.answer, sent.answer, CONFLICT, CONFLICT]
        is_repeat = not any(each.is_first for each in found)
        self._findings.expect(
            is_repeat and [each.text for each in found] == right,
            f"{sent.way.name}, {sent.number}, {where}: {found}, was {sent.answer}",
        )

    async def _together(self, way: Way, number: str, quantities: list[int]) -> list[Answer]:
        found = await asyncio.gather(
            *(
                _ask(connection, way, way.request(number, quantity))
                for connection, quantity in zip(self._connections, quantities, strict=False)
            )
        )
        for each in found:
            self._findings.expect(
                each.has_credential == (each.is_first and bool(way.told_once)),
                f"{way.name}, {number}: a credential {'told' if each.has_credential else 'kept back'}",
            )
        self.answers.update("answered" if each.text[0] == "{" else each.text for each in found)
        return list(found)


async def _ask(connection: Connection, way: Way, request: bytes) -> Answer:
    """Send it until the server is not busy."""
    for tries in range(BUSY_MAX):
        reply = await connection.exchange(request)
        if reply.status != 503 and BUSY not in reply.body:
            return Answer(*_read(reply, way), was_busy=tries > 0)
        await asyncio.sleep(AGAIN_S)
    return Answer(*_read(reply, way), was_busy=True)


def _read(reply: Reply, way: Way) -> tuple[str, bool, bool]:
    """What it is answered, but for whether it is a repeat; whether it is none, and has a credential."""
    document = reply.json()
    if isinstance(document, dict) and isinstance(document.get("data"), dict):
        data = document["data"]
        is_repeat = data.pop("reused", False) or reply.header("idempotent-replayed") == "true"
        credentials = [
            data[place].pop(field) for place, field in (name.split(".") for name in way.told_once)
        ]
        has_credential = any(each is not None for each in credentials)
        text = json.dumps(data, sort_keys=True)
        return text, reply.status == 201 and not is_repeat, has_credential
    if isinstance(document, dict) and isinstance(document.get("error"), dict):
        return str(document["error"]["code"]), False, False
    return f"{reply.status} {reply.body[:200]!r}", False, False


def _ways_of(reseller: Reseller, licence: Licence) -> list[Way]:
    """Those of a reseller's shop: a key in the header or in the body, an order's number, an address."""

    def key_in_body(number: str, quantity: int) -> bytes:
        body = {
            "external_order_id": number,
            "customer_email": "buyer@example.com",
            "product_id": reseller.ids.write(Kind.PRODUCT, licence.product_id),
            "quantity": quantity,
            "idempotency_key": number,
        }
        return reseller.call("POST", FULFILLMENTS, body)

    def key_in_header(number: str, quantity: int) -> bytes:
        return reseller.fulfil(licence, order=number, key=number, quantity=quantity)

    def order_alone(number: str, quantity: int) -> bytes:
        return reseller.fulfil(licence, order=number, quantity=quantity)

    def address_alone(number: str, quantity: int) -> bytes:
        return reseller.fulfil_by_address(licence, order=number, quantity=quantity)

    return [
        Way("key in the header", key_in_header, "fulfilments"),
        Way("key in the body", key_in_body, "fulfilments"),
        Way("order alone", order_alone, "fulfilments"),
        Way("address alone", address_alone, "fulfilments"),
    ]


def _ways_to_manage(merchant: PartnerFixture, product: str) -> list[Way]:
    """Those of a merchant's back office, each with an Idempotency-Key."""

    def way(
        name: str,
        path: str,
        body: Callable[[str, int], object],
        counted: str,
        told_once: tuple[str, ...] = (),
    ) -> Way:
        def request(number: str, quantity: int) -> bytes:
            sent = body(number, quantity)
            return call(merchant.secret, "POST", path, sent, **{"Idempotency-Key": number})

        return Way(name, request, counted, told_once)

    return [
        way(
            "createProduct",
            "/dev/v1/products",
            lambda number, price: {"title": number, "price": price, "type": "SERVICE"},
            "products",
        ),
        way(
            "inviteReseller",
            "/dev/v1/resellers/invite",
            lambda number, limit: {
                "email": f"{number.lower()}@example.com",
                "purchase_limit_daily": limit,
            },
            "invitations",
            ("invitation.token", "invitation.accept_url"),
        ),
        way(
            "addSerials",
            f"/dev/v1/products/{product}/serials",
            lambda number, place: {"serials": [f"{number}-{place}"]},
            "serials",
        ),
    ]


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Send half of the numbers with one body, half with three; then again, and after a restart."""
    findings = Findings()
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        await open_programme(tx, shop)
        licence = await make_licence(tx, shop=shop, serials=numbered("KEY", SERIALS))
        resellers = [await make_reseller(tx, shop=shop, credit_minor=CREDIT) for _ in range(2)]
        merchant = await make_merchant_key(tx, shop=shop)
        product = resellers[0].ids.write(Kind.PRODUCT, licence.product_id)
        before = await _count(tx, shop)
    asked = [_ways_of(reseller, licence) for reseller in resellers]
    ways = [*asked[0], *asked[1], *_ways_to_manage(merchant, product)]
    used: list[tuple[Sent, int]] = []
    answers: Counter[str] = Counter()
    with stand.serving():
        sender = Sender(await stand.connect(size["together"]), findings)
        for place in range(size["numbers"]):
            number = f"N-{place // len(ways)}-{place % len(ways) % 4}"
            way = ways[place % len(ways)]
            sent = await sender.first(way, number, varies=rng.random() < 0.5)
            await sender.again(sent, where="at once")
            used.append((sent, place % len(ways) // 4))
        answers += sender.answers
    with stand.serving():
        sender = Sender(await stand.connect(4), findings)
        for sent, _ in used:
            await sender.again(sent, where="after a restart")
        answers += sender.answers
    async with stand.database.statement() as tx:
        written = {name: count - before[name] for name, count in (await _count(tx, shop)).items()}
        right = Counter(sent.way.counted for sent, _ in used)
        findings.expect(
            written == {name: right[name] for name in written}, f"{written}, not {dict(right)}"
        )
        for place, reseller in enumerate(resellers):
            theirs = [sent.quantity for sent, owner in used if owner == place]
            books = Books.of(len(theirs), units=sum(theirs), credit_minor=CREDIT)
            found = await Books.read(tx, reseller)
            findings.expect(found == books, f"reseller {reseller.id}: {found} instead of {books}")
    return findings.result(numbers=len(used), ways=len(ways), **answers)


async def _count(tx: Transaction, shop: ShopFixture) -> dict[str, int]:
    row = await tx.one(_WRITTEN, {"shop": shop.id})
    assert row is not None  # counts have one row
    names = ("fulfilments", "products", "invitations", "serials")
    return dict(zip(names, row, strict=True))


_WRITTEN = """
    select (select count(*) from reseller_fulfilments where shop_id = %(shop)s),
           (select count(*) from products where shop_id = %(shop)s),
           (select count(*) from reseller_invitations where shop_id = %(shop)s),
           (select count(*) from serials where shop_id = %(shop)s)
"""

CLAIM = Claim(
    id="P5",
    door=CHANNEL,
    title="idempotency",
    workload="100 parallel calls under one number: fulfilments of two resellers by a key in the header, in the body, "
    "by the order's number and by an address alone, and a merchant's calls with an Idempotency-Key; with one body and "
    "with three; all numbers again with the same body and with another, at once and after a restart",
    must_hold="one effect, one debit and identical answers each but for credentials, which are told once; a conflict "
    "on another body; each reseller's numbers are its own",
    full={"numbers": 220, "together": 100},
    quick={"numbers": 11, "together": 100},
    run=run,
    server=False,
)
