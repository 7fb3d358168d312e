"""P7 for web shops: no call, in any encoding, gets a server error or an undocumented answer."""

import asyncio
import json
import random
import re
import secrets
import time
from collections import Counter
from urllib.parse import parse_qsl, urlencode

import requests
from requests.auth import AuthBase

from crossdock.channels.shopwedo.openapi import OPERATIONS
from crossdock.serving.supervisor import WEB
from proof.claim import Claim, Result, Size
from proof.claims.p07_fuzz import LANES, Fuzzing, documents
from proof.malformed_calls import malformed_call
from proof.stand import Stand
from proof.web_shops import CHANNEL, auth_text, call_bytes, make_web_shop, post
from tests.support.factories import PartnerFixture, make_shop, make_variant
from tests.support.raw_http import Connection, Reply

AUTH_PART = re.compile(rb'(name="auth"[^\r]*\r\n(?:[^\r]+\r\n)*\r\n)(.*?)(\r\n--)', re.DOTALL)


class TokenSigning(AuthBase):
    """Puts a valid token into a generated body; one in ten is sent as it was generated."""

    def __init__(self, partner: PartnerFixture, rng: random.Random) -> None:
        self._partner = partner
        self._rng = rng

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._rng.random() < 0.1 or not request.body:
            return request
        body = request.body
        whole = body.encode() if isinstance(body, str) else bytes(body)
        request.body = self._proven(whole, kind=str(request.headers.get("Content-Type", "")))
        request.headers["Content-Length"] = str(len(request.body))
        return request

    def _proven(self, body: bytes, *, kind: str) -> bytes:
        auth = auth_text(self._partner, timestamp=str(int(time.time())), salt=secrets.token_hex(8))
        if "multipart" in kind:
            return AUTH_PART.sub(lambda found: found[1] + auth.encode() + found[3], body)
        if "urlencoded" in kind:
            fields = dict(parse_qsl(body, keep_blank_values=True))
            return urlencode(fields | {b"auth": auth.encode()}).encode()
        try:
            document = json.loads(body)
        except ValueError:
            return body
        if isinstance(document, dict) and "auth" in document:
            document["auth"] = json.loads(auth)
        return json.dumps(document).encode()


class CallFuzzing(Fuzzing):
    """Malformed calls of every method."""

    async def calls_in_vain(self, count: int) -> Counter[str]:
        """How many malformed calls each method got."""
        sent: Counter[str] = Counter()
        lanes = [await Connection.open(self.stand.server.port) for _ in range(LANES)]
        await asyncio.gather(*(self._lane(lane, -(-count // LANES), sent) for lane in lanes))
        return sent

    async def _lane(self, connection: Connection, count: int, sent: Counter[str]) -> None:
        for _ in range(count):
            method, content_type, body = malformed_call(self.partner, self.variant_id, self.rng)
            request = post(method, content_type, body, prefix=self.rng.choice(PREFIXES))
            connection, reply = await self.ask(connection, request)
            self.calls += 1
            sent[method] += 1
            if reply is None:
                self.findings.expect(False, f"{method}, {body[:120]!r}: the connection was closed")
                continue
            self.statuses[reply.status] += 1
            self.findings.expect(
                _is_documented(method, reply),
                f"{method}, {content_type[:60]}, {body[:200]!r}: {reply.status} {reply.body[:200]!r}",
            )
        connection.close()


PREFIXES = ("/admin/api/", "/api/")


def _is_documented(method: str, reply: Reply) -> bool:
    """Whether it is JSON with a documented status, and has `error` exactly if it failed."""
    if reply.header("content-type") != "application/json":
        return False
    document = reply.json()
    has_error = isinstance(document, dict) and isinstance(document.get("error"), str)
    if reply.status == OPERATIONS[method].status:
        return isinstance(document, dict | list) and not has_error
    return reply.status in {400, 401, 413, 429} and has_error


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Send generated calls, then malformed ones; then the same processes must answer correctly."""
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        variant_id = await make_variant(tx, shop=shop, own=10**6)
        for _ in range(5):
            await make_variant(tx, shop=shop, own=rng.randrange(50))
        partner = await make_web_shop(tx, shop=shop)
    fuzzing = CallFuzzing(stand, partner, variant_id, rng)
    processes = stand.server.children(WEB)
    document = documents(stand)[CHANNEL]
    await asyncio.to_thread(
        fuzzing.generated, document, cases=size["generated"], auth=TokenSigning(partner, rng)
    )
    sent = await fuzzing.calls_in_vain(size["calls"])
    fuzzing.findings.expect(
        len(sent) == len(OPERATIONS), f"only {sorted(sent)} of {sorted(OPERATIONS)} were called"
    )
    await _still_serves(fuzzing, processes)
    async with stand.database.statement() as tx:
        orders = int(await tx.value("select count(*) from orders"))
    created = fuzzing.statuses[201]
    fuzzing.findings.expect(orders == created, f"{orders} orders from {created} successes")
    shown = " ".join(f"{status}:{count}" for status, count in sorted(fuzzing.statuses.items()))
    return fuzzing.findings.result(calls=fuzzing.calls, answers=shown, orders=orders)


async def _still_serves(fuzzing: CallFuzzing, processes: list[int]) -> None:
    stand, findings = fuzzing.stand, fuzzing.findings
    now = stand.server.children(WEB)
    findings.expect(now == processes, f"processes {processes} became {now}")
    connection = await Connection.open(stand.server.port)
    reply = await connection.exchange(
        call_bytes(fuzzing.partner, "getStock", {"sku": fuzzing.variant_id})
    )
    right = reply.status == 200 and str(fuzzing.variant_id) in reply.json()
    findings.expect(right, f"afterwards: {reply.status} {reply.body!r}")
    connection.close()


CLAIM = Claim(
    id="P7",
    door=CHANNEL,
    title="fuzz",
    workload="calls generated from the OpenAPI document by its rules and against them, proven; calls of "
    "every method in three encodings with odd values, spellings, parts, labels, cut and flipped bodies",
    must_hold="0 5xx, every answer JSON with a documented status, no process died, one order per 201",
    full={"generated": 4_000, "calls": 20_000},
    quick={"generated": 200, "calls": 1_000},
    run=run,
)
