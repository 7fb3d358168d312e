"""P14 for merchants and resellers: what is another shop's, or another reseller's, is as if it did not exist."""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.db.unit_of_work import Transaction
from proof.claim import Claim, Findings, Result, Size
from proof.claims.p07_fuzz import documents
from proof.claims.p14_tenants import plain
from proof.houses import Belongings, House, add_orders, buy_stock, furnish
from proof.resellers import (
    CHANNEL,
    ask,
    call,
    make_merchant_key,
)
from proof.stand import Stand
from tests.support.factories import PartnerFixture
from tests.support.raw_http import Connection, Reply

UNKNOWN = 10**12
KINDS = {
    "products": Kind.PRODUCT,
    "variants": Kind.VARIANT,
    "resellers": Kind.RELATIONSHIP,
    "webhooks": Kind.WEBHOOK,
    "logs": Kind.WEBHOOK_LOG,
    "fulfillments": Kind.FULFILLMENT,
    "orders": Kind.ORDER,
    "customers": Kind.CUSTOMER,
    "invoices": Kind.INVOICE,
    "payments": Kind.INVOICE,
    "coupons": Kind.COUPON,
    "stock-transfers": Kind.TRANSFER,
    "inventory": Kind.ITEM,
    "embed-campaigns": Kind.CAMPAIGN,
    "payouts": Kind.CLAIM,
    "sales": Kind.SALE,
}
"""What the id after a segment of a path names."""
ALIKE = {Kind.INVOICE: (Kind.ORDER,)}
"""An order is its own invoice."""
WORDS = frozenset({"code"})
"""Segments after which a word stands, which is no id."""
SURFACES = ("/dev/v1/", "/reseller/v1/")
_CHANGING = re.compile(rb"\r\n(?:content-length|x-ratelimit-[a-z]+):[^\r]*", re.IGNORECASE)
_SEGMENT = re.compile(r"/([^/]+)/\{(\w+)\}")
# Its time of the last use changes with every call.
UNCOMPARED = {"credentials"}
TABLES = """
    select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'shop_id'
    where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace
    order by 1
"""


@dataclass(frozen=True)
class Operation:
    """A call of the OpenAPI document. `names` are (name, kind) of its path."""

    method: str
    path: str
    names: tuple[tuple[str, Kind | None], ...]
    body: Mapping[str, Any] | None

    @property
    def is_resellers(self) -> bool:
        """Whether resellers' shops call it."""
        return self.path.startswith("/reseller/")

    def request(self, secret: str, values: tuple[str, ...]) -> bytes:
        """The call with these ids in its path."""
        path = self.path
        for (name, _), value in zip(self.names, values, strict=True):
            path = path.replace("{" + name + "}", value)
        return call(secret, self.method, path, self.body)


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Every call, with a body of the fields that it requires, and a name, for a change needs one of its fields."""
    for path, methods in document["paths"].items():
        if not path.startswith(SURFACES) or WORDS & {s for s, _ in _SEGMENT.findall(path)}:
            continue
        names = tuple((name, KINDS.get(segment)) for segment, name in _SEGMENT.findall(path))
        for method, described in methods.items():
            content = described.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            sent = {*schema.get("required", ()), *({"name"} & schema.get("properties", {}).keys())}
            body = {name: _sample(name) for name in sorted(sent)} if content else None
            yield Operation(method.upper(), path, names, body)


def _sample(name: str) -> Any:
    """A value that the field takes."""
    values: dict[str, Any] = {
        "amount": 1,
        "price": 1,
        "type": "SERVICE",
        "events": ["order:paid"],
        "url": "https://receiver.example/hook",
        "email": "somebody@example.com",
        "serials": ["NEVER-ADDED"],
        "serial_ids": ["NEVER-THERE"],
        "quantity": 1,
    }
    return values.get(name, "sample")


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Try every call x every id that is not the caller's, in place of each id that it takes."""
    findings = Findings()
    houses = [await furnish(stand, name) for name in ("OURS", "THEIRS")]
    connection = await Connection.open(stand.server.port)
    for house in houses:
        for reseller, theirs in (
            (house.reseller, house.goods),
            (house.neighbour, house.neighbours),
        ):
            told = await ask(connection, reseller.fulfil(house.licence, order="O-1", key="K-1"))
            theirs.add(Kind.FULFILLMENT, told.id)
            theirs.texts += told.serials
        await buy_stock(connection, house)
        await add_orders(stand, house)
    ours, others = houses
    async with stand.database.begin() as tx:
        idle = await make_merchant_key(tx, shop=ours.shop, permissions=("payments.read",))
        before = await _digests(tx, houses)
    prober = Prober(connection, findings, every=size["every"])
    found = list(operations(documents(stand)[CHANNEL]))
    strange = [each.path for each in found if None in {kind for _, kind in each.names}]
    findings.expect(not strange, f"ids of unknown kinds: {strange}")
    for operation in found:
        callers = [ours.reseller.partner] if operation.is_resellers else [ours.merchant, idle]
        if operation.names and operation.path not in strange:
            for caller in callers:
                await prober.probe(operation, caller, ours, others)
        other = ours.merchant if operation.is_resellers else ours.reseller.partner
        await prober.shut(operation, other)
        if operation.method == "GET" and not operation.names:
            await prober.look(operation, callers[0], ours, others)
    await prober.buy(ours, others)
    async with stand.database.begin() as tx:
        after = await _digests(tx, houses)
    changed = sorted(name for name, digest in after.items() if before[name] != digest)
    findings.expect(not changed, f"changed: {changed}")
    connection.close()
    return findings.result(
        answers_compared=prober.compared,
        operations=len(found),
        lists=prober.lists,
        tables=len(after),
    )


class Prober:
    """Asks for what is foreign and for what does not exist, and compares the answers.

    It asks every so many of the questions that it is given.
    """

    def __init__(self, connection: Connection, findings: Findings, *, every: int) -> None:
        self.asked = self.compared = self.lists = 0
        self._connection = connection
        self._findings = findings
        self._every = every

    async def probe(
        self, operation: Operation, caller: PartnerFixture, ours: House, others: House
    ) -> None:
        """Put every foreign id in the place of each id, and own ones before it."""
        kinds = [kind for _, kind in operation.names if kind is not None]
        for place, kind in enumerate(kinds):
            before = tuple(ours.goods.ids[each][0] for each in kinds[:place])
            unknown = ours.wire.write(kind, UNKNOWN)
            for foreign in _foreign(kind, ours, others):
                rest = [tuple(unknown for _ in kinds[place + 1 :])]
                if all(each in others.goods.ids for each in kinds[place + 1 :]):
                    rest.append(tuple(others.goods.ids[each][0] for each in kinds[place + 1 :]))
                for after in rest:
                    names = ((*before, foreign, *after), (*before, unknown, *after))
                    await self._compare(operation, caller, names)

    async def _compare(
        self, operation: Operation, caller: PartnerFixture, names: tuple[tuple[str, ...], ...]
    ) -> None:
        self.asked += 1
        if self.asked % self._every:
            return
        replies = [await self._send(operation.request(caller.secret, each)) for each in names]
        shown = [_bare(reply, (*names[0], *names[1])) for reply in replies]
        where = f"{operation.method} {operation.path} {names[0]}"
        self._findings.expect(replies[0].status in {403, 404, 422}, f"{where}: {replies[0].status}")
        self._findings.expect(shown[0] == shown[1], f"{where}: {shown[0]!r} but {shown[1]!r}")
        self.compared += 1

    async def shut(self, operation: Operation, caller: PartnerFixture) -> None:
        """A key of one surface is none for the other."""
        values = tuple("x" for _ in operation.names)
        reply = await self._send(operation.request(caller.secret, values))
        self._findings.expect(
            reply.status == 401, f"{operation.method} {operation.path}, wrong key: {reply.status}"
        )

    async def look(
        self, operation: Operation, caller: PartnerFixture, ours: House, others: House
    ) -> None:
        """No list shows anything of others."""
        reply = await self._send(operation.request(caller.secret, ()))
        hidden = [others.goods, others.neighbours]
        if operation.is_resellers:
            hidden.append(ours.neighbours)
        texts = [text for each in hidden for text in _all_of(each)]
        shown = [text for text in texts if text.encode() in reply.body]
        self._findings.expect(not shown, f"{operation.path} shows {shown[:3]}")
        self.lists += 1

    async def buy(self, ours: House, others: House) -> None:
        """Another shop's product is none, and another reseller's order number is free."""
        path = "/reseller/v1/fulfillments"
        theirs, unknown = others.goods.ids[Kind.PRODUCT][0], ours.wire.write(Kind.PRODUCT, UNKNOWN)
        shown = []
        for name in (theirs, unknown):
            body = {"external_order_id": "N", "customer_email": "a@b.example", "product_id": name}
            reply = await self._send(ours.reseller.call("POST", path, body))
            shown.append(_bare(reply, (theirs, unknown)))
        self._findings.expect(shown[0] == shown[1], f"{path}: {shown}")
        self.compared += 1

    async def _send(self, request: bytes) -> Reply:
        reply = await self._connection.exchange(request)
        self._findings.expect(reply.status < 500, f"{request[:80]!r}: {reply.status}")
        return reply


def _bare(reply: Reply, names: tuple[str, ...]) -> bytes:
    """An answer without what changes from call to call, and without the ids that were asked for."""
    return _CHANGING.sub(b"", plain(reply, names))


def _foreign(kind: Kind, ours: House, others: House) -> Iterator[str]:
    """Ids that name nothing of this kind for the caller: others', theirs as ours would be, and of other kinds."""
    for belongings in (others.goods, others.neighbours):
        for theirs, shown in ((k, each) for k, names in belongings.ids.items() for each in names):
            yield shown
            number = others.wire.find(theirs, shown)
            if theirs == kind and number is not None and not _is_ours(kind, number, ours):
                yield ours.wire.write(kind, number)
    yield from ours.neighbours.ids.get(kind, ()) if kind == Kind.FULFILLMENT else ()
    good = {kind, *ALIKE.get(kind, ())}
    yield from (each for k, names in ours.goods.ids.items() if k not in good for each in names)


def _is_ours(kind: Kind, number: int, ours: House) -> bool:
    """Whether the number of one of theirs is that of one of ours."""
    shown = ours.wire.write(kind, number)
    return any(
        shown in belongings.ids.get(kind, ()) for belongings in (ours.goods, ours.neighbours)
    )


def _all_of(belongings: Belongings) -> list[str]:
    return [*belongings.texts, *(each for names in belongings.ids.values() for each in names)]


async def _digests(tx: Transaction, houses: list[House]) -> dict[str, str]:
    """What every table has of each of the shops."""
    tables = [row[0] for row in await tx.all(TABLES) if row[0] not in UNCOMPARED]
    found = {}
    for table, house in product(tables, houses):
        digest = await tx.value(
            f"select md5(string_agg(t::text, ' ' order by t::text)) from {table} t"
            " where shop_id = %s",
            (house.shop.id,),
        )
        found[f"{table} of {house.shop.slug}"] = str(digest)
    return found


CLAIM = Claim(
    id="P14",
    door=CHANNEL,
    title="tenant isolation",
    workload="every call with ids in its path, with those of another shop's goods, resellers, webhooks, deliveries, "
    "fulfilments, orders, customers, stock transfers, items and campaigns, with their "
    "numbers under the own shop's ids, with own ids of another kind, and with "
    "a neighbour reseller's, by a merchant with every scope, by one without, by a reseller; every list; every "
    "call with a key of the other surface",
    must_hold="the same bytes as for an id that does not exist, nothing of others shown, no table changed",
    full={"every": 1},
    quick={"every": 6},
    run=run,
    settings={"jobs": False},
)
