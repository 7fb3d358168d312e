"""P18: GraphQL requests that would cost much are refused at once, by the real server.

What a refusal takes is measured twice. The time that passes runs from the first byte written to the last
byte read, on a connection that is open already; the least of several attempts counts, since a busy machine
only adds to it. The processor time is what all web processes spent on those attempts, as the kernel counts
it, divided by their number; the least of several rounds counts, for the same reason. Every attempt is
another text, so that no answer is a remembered one.
"""

import asyncio
import json
import math
import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from crossdock.serving.supervisor import WEB
from proof.claim import Claim, Findings, Result, Size
from proof.drop_shippers import CHANNEL, answered, ask, make_drop_shipper, proven, send
from proof.stand import Stand
from tests.support.factories import PartnerFixture, make_shop, make_variant
from tests.support.raw_http import Connection, Reply, request_bytes
from tests.support.shoppo_client import PATH

REFUSED_WITHIN_MS = 50.0
TIMES_MORE = 5
MEGABYTE = 1024 * 1024
DEEP, COMPLEX, PARSE = "QUERY_TOO_DEEP", "QUERY_TOO_COMPLEX", "GRAPHQL_PARSE_FAILED"
VALID, BAD = "GRAPHQL_VALIDATION_FAILED", "BAD_REQUEST"
SIMPLE = "{ productList(first: 1) { edges { node { id } } } }"
COSTLY = "{ productList(first: 200) { edges { node { skus { product { skus { product { skus { id } } } } } } } } }"


@dataclass(frozen=True)
class Attack:
    """A request that would cost much; `text` is a document, or a whole body. `codes` may refuse it."""

    name: str
    text: str
    codes: tuple[str, ...]
    is_body: bool = False
    is_chunked: bool = False


def attacks() -> Iterator[Attack]:
    """All of them: those that the claim names, then their siblings."""
    yield Attack("depth 50", deep(50), (DEEP,))
    yield Attack("depth 50 in inline fragments", deep(50, inner="... on {kind} {{ "), (DEEP,))
    yield Attack("depth 50 in fragments", chained(25), (DEEP,))
    yield Attack("depth 900", deep(900), (DEEP, COMPLEX, PARSE))
    yield Attack("introspection of depth 50", introspection(50), (VALID, DEEP, COMPLEX))
    for name in ("__typename", "productList { length }"):
        yield Attack(f"10,000 aliases of {name}", aliases(10_000, name), (COMPLEX,))
    yield Attack("10,000 aliases in a list", aliases(10_000, "id", inside=True), (COMPLEX,))
    yield Attack("600 aliases in a list", aliases(600, "id", inside=True), (COMPLEX,))
    yield Attack("600 times the same field", "{ " + "productList " * 600 + "}", (COMPLEX, VALID))
    yield Attack("a fragment that spreads itself", ring(1), (VALID,))
    yield Attack("a ring of 2 fragments", ring(2), (VALID,))
    yield Attack("a ring of 150 fragments", ring(150), (VALID, DEEP, COMPLEX))
    yield Attack("a chain of 220 fragments", chain(220), (COMPLEX,))
    yield Attack("240 times the same list", same(240), (COMPLEX,))
    yield Attack("40 fragments that spread all others", mesh(40), (VALID, DEEP, COMPLEX))
    yield Attack("2 to the power of 30 fields", doubled(30), (DEEP, COMPLEX))
    yield Attack("600 unknown fields", f"{{ {words('produktList', 600)} }}", (VALID, COMPLEX))
    yield Attack("300 fields that contradict", contradicting(300), (VALID, COMPLEX))
    yield Attack("400 variables", variables(400), (VALID, COMPLEX))
    yield Attack(
        "600 directives", "{ __typename " + "@skip(if: true) " * 250 + "}", (VALID, COMPLEX)
    )
    yield Attack(
        "a number of 40,000 digits",
        f"{{ productList(first: {'9' * 40_000}) {{ length }} }}",
        (VALID,),
    )
    yield Attack(
        "a list of depth 900", f"{{ node(id: {'[' * 900 + ']' * 900}) {{ id }} }}", (PARSE, VALID)
    )
    yield Attack("a cost of 100 million", COSTLY, (COMPLEX,))
    yield Attack("a text that never ends", '{ node(id: "' + "x" * 49_000, (PARSE,))
    yield from _bodies()


def _bodies() -> Iterator[Attack]:
    """Bodies of 5 MB, which are not read, and those that are just small enough to be."""
    large = json.dumps({"query": SIMPLE + " " * 5 * MEGABYTE})
    yield Attack("a body of 5 MB", large, (BAD,), is_body=True)
    yield Attack("a body of 5 MB in chunks", large, (BAD,), is_body=True, is_chunked=True)
    room = MEGABYTE - 1_000
    yield Attack(
        "a document of 1 MB", json.dumps({"query": "{ a }" + "#" * room}), (COMPLEX,), is_body=True
    )
    yield Attack("a body that is 1 MB deep", '{"query": ' + "[" * room, (BAD,), is_body=True)
    yield Attack(
        "a body of 1 MB of escapes",
        json.dumps({"query": "\ud800" * (room // 6)}),
        (BAD,),
        is_body=True,
    )


def deep(levels: int, *, inner: str = "") -> str:
    """So many fields below one another; `inner` opens a fragment in each of them."""
    names = ["productList(first: 1)", "edges", "node", *("skus", "product") * levels]
    kinds = ["ProductConnection", "ProductEdge", "Product", *("Sku", "Product") * levels]
    text, closing = "{ ", "id }"
    for name, kind in zip(names[: levels - 1], kinds, strict=False):
        text += f"{name} {{ {inner.format(kind=kind)}"
        closing += " }" * (2 if inner else 1)
    return text + closing


def chained(count: int) -> str:
    """Two further levels in each of so many fragments."""
    parts = [
        f"fragment f{n} on Product {{ skus {{ product {{ ...f{n + 1} }} }} }}" for n in range(count)
    ]
    last = f"fragment f{count} on Product {{ id }}"
    return f"{{ productList {{ edges {{ node {{ ...f0 }} }} }} }} {' '.join([*parts, last])}"


def introspection(levels: int) -> str:
    """A type of a type of a type."""
    return (
        "{ __schema { types { " + "fields { type { " * levels + "name" + " } }" * levels + " } } }"
    )


def aliases(count: int, name: str, *, inside: bool = False) -> str:
    """One field under so many names."""
    fields = " ".join(f"a{n}: {name}" for n in range(count))
    return (
        f"{{ productList {{ edges {{ node {{ {fields} }} }} }} }}" if inside else f"{{ {fields} }}"
    )


def ring(count: int) -> str:
    """So many fragments, each with the next one, the last with the first."""
    parts = [
        f"fragment f{n} on ProductConnection {{ ...f{(n + 1) % count} }}" for n in range(count)
    ]
    return f"{{ productList {{ ...f0 }} }} {' '.join(parts)}"


def chain(count: int) -> str:
    """So many fragments, each with the next one, the last with a field."""
    parts = [f"fragment f{n} on ProductConnection {{ ...f{n + 1} }}" for n in range(count - 1)]
    last = f"fragment f{count - 1} on ProductConnection {{ length }}"
    return f"{{ productList {{ ...f0 }} }} {' '.join([*parts, last])}"


def same(count: int) -> str:
    """The same edges so often, each of which validation compares with all others."""
    return f"{{ productList {{ {'edges { node { id } } ' * count} }} }}"


def mesh(count: int) -> str:
    """So many fragments, each with all of them."""
    spreads = " ".join(f"...f{n}" for n in range(count))
    parts = [f"fragment f{n} on ProductConnection {{ {spreads} }}" for n in range(count)]
    return f"{{ productList {{ ...f0 }} }} {' '.join(parts)}"


def doubled(times: int) -> str:
    """Fragments that have the next one twice each."""
    parts = [
        f"fragment f{n} on Product {{ ...f{n + 1} skus {{ product {{ ...f{n + 1} }} }} }}"
        for n in range(times)
    ]
    last = f"fragment f{times} on Product {{ id }}"
    return f"{{ productList {{ edges {{ node {{ ...f0 }} }} }} }} {' '.join([*parts, last])}"


def contradicting(count: int) -> str:
    """The same name for fields with different arguments."""
    return "{ " + " ".join(f"productList(first: {n}) {{ length }}" for n in range(count)) + " }"


def variables(count: int) -> str:
    """A document with so many variables, none of which is used."""
    return f"query q({' '.join(f'$v{n}: Int' for n in range(count))}) {SIMPLE}"


def words(stem: str, count: int) -> str:
    """So many misspelt names."""
    return " ".join(f"{stem}{n}" for n in range(count))


class Gauge:
    """Sends requests and measures what each takes."""

    def __init__(self, stand: Stand, partner: PartnerFixture, findings: Findings) -> None:
        self.walls_ms: list[float] = []
        self.slowest: tuple[float, str] = (0.0, "")
        self.busiest: tuple[float, str] = (0.0, "")
        self._stand = stand
        self._partner = partner
        self._findings = findings

    async def attack(self, attack: Attack, *, times: int) -> None:
        """Send it so many times, each time with other blanks at its end."""
        connection = await Connection.open(self._stand.server.port)
        await connection.exchange(ask(self._partner, SIMPLE))  # the token is known from here on
        taken: list[float] = []
        spent = math.inf
        for _ in range(TIMES_MORE):
            before = self._processor_ms()
            for _ in range(times):
                request = self._request(attack, blanks=" " * len(taken))
                connection, passed, reply = await self._exchange(connection, request)
                taken.append(passed)
                self._judge(attack, reply)
            spent = min(spent, (self._processor_ms() - before) / times)
            if max(min(taken), spent) < REFUSED_WITHIN_MS:
                break
        connection.close()
        self.walls_ms += taken
        self.slowest = max(self.slowest, (min(taken), attack.name))
        self.busiest = max(self.busiest, (spent, attack.name))
        for what, found in (("took", min(taken)), ("processor time", spent)):
            self._findings.expect(
                found < REFUSED_WITHIN_MS, f"{attack.name}: {what} {found:.1f} ms"
            )

    async def _exchange(
        self, connection: Connection, request: bytes
    ) -> tuple[Connection, float, Reply]:
        if not connection.is_open:
            connection = await Connection.open(self._stand.server.port)
        started = time.perf_counter()
        reply = await connection.exchange(request)
        return connection, (time.perf_counter() - started) * 1_000, reply

    def _request(self, attack: Attack, *, blanks: str) -> bytes:
        if not attack.is_body:
            return ask(self._partner, attack.text + blanks)
        body = (attack.text + blanks).encode()
        if not attack.is_chunked:
            return send(self._partner, body)
        head = request_bytes(
            "PUT", PATH, headers={**proven(self._partner), "Transfer-Encoding": "chunked"}
        )
        pieces = [body[at : at + 65_536] for at in range(0, len(body), 65_536)]
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
        return head.replace(b"PUT", b"POST", 1) + chunks + b"0\r\n\r\n"

    def _judge(self, attack: Attack, reply: Reply) -> None:
        document = reply.json()
        errors = document.get("errors") if isinstance(document, dict) else None
        codes = {error["extensions"]["code"] for error in errors or ()}
        right = reply.status < 500 and "data" not in (document or {}) and bool(codes)
        self._findings.expect(
            right and codes <= set(attack.codes),
            f"{attack.name}: {reply.status} {reply.body[:200]!r}",
        )

    def _processor_ms(self) -> float:
        """What the web processes have spent so far."""
        spent = [psutil.Process(pid).cpu_times() for pid in self._stand.server.children(WEB)]
        return sum(each.user + each.system for each in spent) * 1_000


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Send each attack several times, one after another; then the same processes must answer."""
    findings = Findings()
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        await make_variant(tx, shop=shop)
        partner = await make_drop_shipper(tx, shop=shop)
    processes = stand.server.children(WEB)
    gauge = Gauge(stand, partner, findings)
    chosen = list(attacks())
    for attack in chosen:
        await gauge.attack(attack, times=size["times"])
        await asyncio.sleep(0)
    findings.expect(stand.server.children(WEB) == processes, "a web process died")
    connection = await Connection.open(stand.server.port)
    page = answered(await connection.exchange(ask(partner, SIMPLE)))
    findings.expect(len(page["productList"]["edges"]) == 1, f"afterwards: {page}")
    connection.close()
    return findings.result(
        attacks=len(chosen),
        requests=len(gauge.walls_ms),
        median_ms=round(statistics.median(gauge.walls_ms), 1),
        least_ms_of_the_slowest=f"{gauge.slowest[0]:.1f} ({gauge.slowest[1]})",
        processor_ms_of_the_busiest=f"{gauge.busiest[0]:.1f} ({gauge.busiest[1]})",
    )


CLAIM = Claim(
    id="P18",
    door=CHANNEL,
    title="GraphQL abuse",
    workload="documents 50 levels deep, with 10,000 aliases, with fragments in rings; bodies of 5 MB, at once and "
    "in chunks; their siblings; each several times over an open connection, each time another text",
    must_hold="each is refused with its own code and without data; the least time from its first byte to the last "
    "of the answer is under 50 ms, and so is the processor time that the web processes spend on one",
    full={"times": 40},
    quick={"times": 10},
    run=run,
)
