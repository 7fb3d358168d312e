"""P6: a signed call is accepted once, within its window, and only exactly as it was signed."""

import asyncio
import json
import random
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from proof.claim import Claim, Findings, Result, Size
from proof.doors import signed_request
from proof.stand import Stand
from tests.support.factories import PartnerFixture, make_partner, make_shop, make_variant
from tests.support.partner_client import CREATE, PREFIX, PRODUCTS, sign
from tests.support.raw_http import Connection, Reply

NOW = datetime(2026, 4, 9, 9, 20, tzinfo=UTC)
WINDOW_S = 300
LANES = 24
TOGETHER = 6
ORDER_SHARE = 0.15
HEADERS = ("X-Shoppex-Key", "X-Shoppex-Timestamp", "X-Shoppex-Nonce", "X-Shoppex-Signature")
PARTS = ("method", "path", *HEADERS, "body")


@dataclass(frozen=True)
class Call:
    """The parts of a signed call, so that one bit of one part can be flipped."""

    method: str
    path: bytes
    headers: dict[str, bytes]
    body: bytes

    def encoded(self) -> bytes:
        """The bytes that are sent."""
        lines = [self.method.encode() + b" " + self.path + b" HTTP/1.1", b"Host: crossdock.test"]
        lines += [name.encode() + b": " + value for name, value in self.headers.items()]
        lines.append(b"Content-Type: application/json")
        if self.body:
            lines.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body


class Forger:
    """Makes genuine calls for two partners, and forged copies of them."""

    def __init__(self, partners: list[PartnerFixture], variant_id: int, rng: random.Random) -> None:
        self._partners = partners
        self._variant_id = variant_id
        self._rng = rng

    def genuine(self, *, offset_s: int | None = None) -> Call:
        """A partner's call with a timestamp within the window."""
        partner = self._rng.choice(self._partners)
        offset = self._rng.randint(-250, 250) if offset_s is None else offset_s
        method = "POST" if self._rng.random() < ORDER_SHARE else "GET"
        route = CREATE if method == "POST" else PRODUCTS
        body = self._order() if method == "POST" else b""
        timestamp, nonce = str(int(NOW.timestamp()) + offset), uuid.uuid4().hex
        signature = sign(
            partner.secret,
            method=method,
            route=route,
            timestamp=timestamp,
            nonce=nonce,
            body=body,
        )
        values = (partner.key, timestamp, nonce, signature)
        headers = {name: value.encode() for name, value in zip(HEADERS, values, strict=True)}
        return Call(method, (PREFIX + route).encode(), headers, body)

    def forged(self, call: Call) -> tuple[str, bytes]:
        """The call with one bit of one signed part flipped: (part, request)."""
        while True:
            part = self._rng.choice(PARTS)
            if part == "body" and not call.body:
                continue
            if request := self._turned(call, part):
                return part, request

    def _order(self) -> bytes:
        items = [{"product_id": self._variant_id, "quantity": 1}]
        return json.dumps({"items": items, "id_order_partner": uuid.uuid4().hex}).encode()

    def _turned(self, call: Call, part: str) -> bytes | None:
        """None if the flipped bit changes nothing that is signed, or breaks the header line."""
        if part == "method":
            other = {"GET": "POST", "POST": "GET"}[call.method]
            return Call(other, call.path, call.headers, call.body).encoded()
        before = {"path": call.path, "body": call.body}.get(part) or call.headers[part]
        place, bit = self._rng.randrange(len(before)), self._rng.randrange(8)
        after = bytearray(before)
        after[place] ^= 1 << bit
        if part == "X-Shoppex-Signature" and bytes(after).lower() == before.lower():
            return None
        if after[place] in b"\r\n" and part != "body":
            return None
        if part == "path":
            return Call(call.method, bytes(after), call.headers, call.body).encoded()
        if part == "body":
            return Call(call.method, call.path, call.headers, bytes(after)).encoded()
        return Call(
            call.method, call.path, {**call.headers, part: bytes(after)}, call.body
        ).encoded()


class Lanes:
    """Many connections, so that every worker process gets some; broken ones are reopened."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._free: list[Connection | None] = [None] * LANES
        self._turn = asyncio.Semaphore(LANES)

    async def send(self, request: bytes) -> Reply | None:
        """The answer, or None if the server closed the connection."""
        async with self._turn:
            connection = self._free.pop(0)
            try:
                if connection is None or not connection.is_open:
                    connection = await Connection.open(self._stand.server.port)
                async with asyncio.timeout(20):
                    return await connection.exchange(request)
            except ConnectionError:
                return None
            finally:
                self._free.append(connection)

    async def all(self, requests: list[bytes]) -> list[Reply | None]:
        """Send all requests, LANES at a time."""
        return list(await asyncio.gather(*(self.send(request) for request in requests)))

    def close(self) -> None:
        """Close every connection."""
        for connection in self._free:
            if connection:
                connection.close()


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """The server's clock is frozen, so that the edges of the window are exact."""
    findings = Findings()
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        variant_id = await make_variant(tx, shop=shop, own=10**6)
        partners = [await make_partner(tx, shop=shop) for _ in range(2)]
    forger = Forger(partners, variant_id, rng)
    with stand.serving(clock=_clock_at(0)):
        lanes = Lanes(stand)
        captured = await _capture(lanes, forger, size["calls"], findings)
        replays = await _replay(lanes, captured, findings, where="again")
        races = await _race(lanes, forger, size["races"], findings)
        forged = await _forge(lanes, forger, size["calls"], findings)
        await _edges(lanes, forger, findings)
        await _other_key(lanes, partners, findings)
        lanes.close()
    sample = rng.sample(captured, min(len(captured), size["after_restart"]))
    for offset_s in (0, WINDOW_S):
        with stand.serving(clock=_clock_at(offset_s)):
            lanes = Lanes(stand)
            replays += await _replay(
                lanes, sample, findings, where=f"after a restart, {offset_s} s on"
            )
            lanes.close()
    orders = await _orders(stand)
    expected = sum(call.method == "POST" for call in captured) + races
    findings.expect(orders >= expected, f"{orders} orders for {expected} calls")
    return findings.result(
        calls=len(captured), replays_refused=replays, races=races, forgeries_refused=forged
    )


async def _capture(lanes: Lanes, forger: Forger, count: int, findings: Findings) -> list[Call]:
    calls = [forger.genuine() for _ in range(count)]
    replies = await lanes.all([call.encoded() for call in calls])
    for reply in replies:
        findings.expect(_accepted(reply), f"a genuine call was refused: {_shown(reply)}")
    return calls


async def _replay(lanes: Lanes, calls: list[Call], findings: Findings, *, where: str) -> int:
    replies = await lanes.all([call.encoded() for call in calls])
    allowed = {"partner_auth_reused_nonce", "partner_auth_expired_timestamp"}
    for reply in replies:
        refused = reply is not None and reply.status == 401 and _code(reply) in allowed
        findings.expect(refused, f"replayed {where}: {_shown(reply)}")
    return len(replies)


async def _race(lanes: Lanes, forger: Forger, count: int, findings: Findings) -> int:
    """Send one call six times at once: one is accepted. Returns how many orders that made."""
    orders = 0
    for _ in range(count):
        call = forger.genuine()
        replies = await lanes.all([call.encoded()] * TOGETHER)
        accepted = sum(map(_accepted, replies))
        findings.expect(accepted == 1, f"{accepted} of {TOGETHER} equal calls were accepted")
        orders += call.method == "POST"
    return orders


async def _forge(lanes: Lanes, forger: Forger, count: int, findings: Findings) -> int:
    """Send a call with one flipped bit before the genuine one: it is refused, and the genuine one is accepted."""
    parts: Counter[str] = Counter()
    calls = [forger.genuine() for _ in range(count)]
    forgeries = [forger.forged(call) for call in calls]
    replies = await lanes.all([request for _, request in forgeries])
    for (part, _), reply in zip(forgeries, replies, strict=True):
        parts[part] += 1
        clean = reply is None or 400 <= reply.status < 500
        findings.expect(clean, f"a turned bit in {part}: {_shown(reply)}")
    for reply in await lanes.all([call.encoded() for call in calls]):
        findings.expect(_accepted(reply), f"a forgery spent its model's nonce: {_shown(reply)}")
    findings.expect(len(parts) == len(PARTS), f"only {sorted(parts)} were forged")
    return count


async def _edges(lanes: Lanes, forger: Forger, findings: Findings) -> None:
    for offset_s, inside in ((-300, True), (300, True), (-301, False), (301, False)):
        reply = await lanes.send(forger.genuine(offset_s=offset_s).encoded())
        right = _accepted(reply) if inside else _code(reply) == "partner_auth_expired_timestamp"
        findings.expect(right, f"stamped {offset_s:+} s: {_shown(reply)}")


async def _other_key(lanes: Lanes, partners: list[PartnerFixture], findings: Findings) -> None:
    """A nonce belongs to its key: another partner can use the same one."""
    nonce = uuid.uuid4().hex
    for partner in partners:
        request = signed_request(partner, "GET", timestamp=int(NOW.timestamp()), nonce=nonce)
        reply = await lanes.send(request)
        findings.expect(_accepted(reply), f"one nonce, two keys: {_shown(reply)}")


async def _orders(stand: Stand) -> int:
    async with stand.database.statement() as tx:
        return int(await tx.value("select count(*) from orders"))


def _clock_at(offset_s: int) -> str:
    return (NOW + timedelta(seconds=offset_s)).isoformat()


def _accepted(reply: Reply | None) -> bool:
    return reply is not None and 200 <= reply.status < 300


def _code(reply: Reply | None) -> str:
    document = reply.json() if reply else None
    return str(document.get("code", "")) if isinstance(document, dict) else ""


def _shown(reply: Reply | None) -> str:
    return "no answer" if reply is None else f"{reply.status} {reply.body[:200]!r}"


CLAIM = Claim(
    id="P6",
    title="replay and forgery",
    workload="captured signed calls sent again to all workers, six at once, and after restarts; as many "
    "with one bit turned in method, route, key, time, nonce, signature or body; the window's edges",
    must_hold="each call accepted once, within 300 s, as signed; a forgery spends no nonce",
    full={"calls": 10_000, "races": 200, "after_restart": 500},
    quick={"calls": 500, "races": 20, "after_restart": 100},
    run=run,
    server=False,
)
