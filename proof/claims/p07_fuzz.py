"""P7: no request gets a server error or an answer that its OpenAPI document does not describe."""

import asyncio
import random
import time
import uuid
from collections import Counter
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import seed as hypothesis_seed
from hypothesis import settings as hypothesis_settings
from requests.auth import AuthBase
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from crossdock.channels.registry import create_channels, default_settings
from crossdock.serving.supervisor import WEB
from proof.claim import Claim, Findings, Result, Size
from proof.doors import signed_request
from proof.malformed import broken_http, header_noise, malformed_body
from proof.stand import Stand
from tests.support.factories import PartnerFixture, make_partner, make_shop, make_variant
from tests.support.partner_client import CREATE, PREFIX, PRODUCTS, sign
from tests.support.raw_http import Connection, Reply, speak

LANES = 12
SHOPPEX_PARTNER = "shoppex_partner"
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


class Signing(AuthBase):
    """Signs the bytes of a generated call; one in ten is sent with its generated headers."""

    def __init__(self, partner: PartnerFixture, rng: random.Random) -> None:
        self._partner = partner
        self._rng = rng

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._rng.random() < 0.1:
            return request
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        method = str(request.method)
        timestamp, nonce = str(int(time.time())), uuid.uuid4().hex
        signature = sign(
            self._partner.secret,
            method=method,
            route=CREATE if method == "POST" else PRODUCTS,
            timestamp=timestamp,
            nonce=nonce,
            body=body,
        )
        request.headers["X-Shoppex-Key"] = self._partner.key
        request.headers["X-Shoppex-Timestamp"] = timestamp
        request.headers["X-Shoppex-Nonce"] = nonce
        request.headers["X-Shoppex-Signature"] = signature
        return request


class Fuzzing:
    """Sends invalid input in three ways and checks the answers."""

    def __init__(
        self, stand: Stand, partner: PartnerFixture, variant_id: int, rng: random.Random
    ) -> None:
        self.findings = Findings()
        self.statuses: Counter[int] = Counter()
        self.calls = 0
        self.stand = stand
        self.partner = partner
        self.variant_id = variant_id
        self.rng = rng

    def generated(self, document: dict[str, Any], *, cases: int, auth: AuthBase) -> None:
        """Calls generated from the OpenAPI document, valid and invalid."""
        schema = schemathesis.openapi.from_dict(document)
        operations: list[Any] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
        session = requests.Session()
        session.trust_env = False
        share = max(1, cases // (2 * len(operations)))
        for operation in operations:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                self._drive(operation, mode, cases=share, session=session, auth=auth)

    def _drive(
        self, operation: Any, mode: GenerationMode, *, cases: int, session: Any, auth: AuthBase
    ) -> None:
        @hypothesis_seed(self.rng.randrange(10**9))
        @hypothesis_settings(
            max_examples=cases,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def attempt(case: Any) -> None:
            self.calls += 1
            try:
                reply = case.call(
                    base_url=self.stand.server.url, session=session, auth=auth, timeout=20
                )
            except (requests.exceptions.InvalidHeader, UnicodeError):
                return
            self.statuses[reply.status_code] += 1
            case.validate_response(reply, checks=CHECKS)

        try:
            attempt()
        except Exception as error:  # noqa: BLE001 - whatever schemathesis finds is the finding
            text = "".join(map(str, getattr(error, "exceptions", [error])))
            self.findings.expect(False, f"{operation.label}, {mode.value}: {text[:1500]}")

    async def bodies(self, count: int) -> None:
        """Signed orders with malformed bodies: each gets a 4xx of the channel, or is an order."""
        lanes = [await Connection.open(self.stand.server.port) for _ in range(LANES)]
        share = -(-count // LANES)
        await asyncio.gather(*(self._send_bodies(lane, share) for lane in lanes))

    async def _send_bodies(self, connection: Connection, count: int) -> None:
        for _ in range(count):
            body = malformed_body(self.variant_id, self.rng)
            request = signed_request(
                self.partner,
                "POST",
                body=body,
                timestamp=int(time.time()),
                nonce=uuid.uuid4().hex,
                headers=header_noise(self.rng),
            )
            connection, reply = await self.ask(connection, request)
            if reply is None:
                self._judge_silence(body)
                continue
            self.calls += 1
            self.statuses[reply.status] += 1
            self.findings.expect(_is_clean(reply), f"{body[:80]!r}: {reply.status} {reply.body!r}")
        connection.close()

    async def ask(self, connection: Connection, request: bytes) -> tuple[Connection, Reply | None]:
        """Send a request; retry on a new connection if a used one was closed, as any HTTP client does."""
        for fresh in (not connection.is_open, True):
            if fresh:
                connection = await Connection.open(self.stand.server.port)
            try:
                async with asyncio.timeout(20):
                    return connection, await connection.exchange(request)
            except ConnectionError:
                continue
        return connection, None

    def _judge_silence(self, body: bytes) -> None:
        """A server may close the connection without an answer only if the body is too large."""
        self.findings.expect(len(body) > 200_000, f"{body[:80]!r}: the connection was closed")

    async def sockets(self, count: int) -> None:
        """Send bytes that are not HTTP, or too many of them."""
        paths = [PREFIX + PRODUCTS, PREFIX + CREATE, "/order-detail/", "/health"]
        slots = asyncio.Semaphore(LANES)

        async def one() -> None:
            sent = broken_http(self.rng.choice(paths), self.rng)
            async with slots:
                heard = await speak(self.stand.server.port, sent, half_close=True, wait_s=3)
            self.calls += 1
            if heard:
                status = int(heard[9:12])
                self.statuses[status] += 1
                self.findings.expect(status < 500, f"{sent[:80]!r}: {heard[:200]!r}")

        await asyncio.gather(*(one() for _ in range(count)))

    async def still_serves(self, processes: list[int]) -> None:
        """Afterwards the same processes run and answer correctly."""
        now = self.stand.server.children(WEB)
        self.findings.expect(now == processes, f"processes {processes} became {now}")
        connection = await Connection.open(self.stand.server.port)
        request = signed_request(
            self.partner, "GET", timestamp=int(time.time()), nonce=uuid.uuid4().hex
        )
        reply = await connection.exchange(request)
        self.findings.expect(reply.status == 200, f"afterwards: {reply.status} {reply.body!r}")
        connection.close()


def _is_clean(reply: Reply) -> bool:
    document = reply.json()
    if not isinstance(document, dict) or not (reply.header("content-type") or "").startswith(
        "application/json"
    ):
        return False
    if reply.status == 201:
        return document.get("success") is True
    told = document.get("data", {}).get("status") == reply.status
    return 400 <= reply.status < 500 and document.get("success") is False and told


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Send generated calls, malformed bodies and broken HTTP; then the same processes must still run."""
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        variant_id = await make_variant(tx, shop=shop, own=10**6)
        for _ in range(5):
            await make_variant(tx, shop=shop, own=rng.randrange(50), origin=rng.choice("*S"))
        partner = await make_partner(tx, shop=shop)
    fuzzing = Fuzzing(stand, partner, variant_id, rng)
    processes = stand.server.children(WEB)
    await asyncio.to_thread(
        fuzzing.generated,
        documents(stand)[SHOPPEX_PARTNER],
        cases=size["generated"],
        auth=Signing(partner, rng),
    )
    await fuzzing.bodies(size["bodies"])
    await fuzzing.sockets(size["sockets"])
    await fuzzing.still_serves(processes)
    orders = await _orders(stand)
    created = fuzzing.statuses[201] + fuzzing.statuses[200]
    fuzzing.findings.expect(orders <= created, f"{orders} orders from {created} successes")
    shown = " ".join(f"{status}:{count}" for status, count in sorted(fuzzing.statuses.items()))
    return fuzzing.findings.result(calls=fuzzing.calls, answers=shown, orders=orders)


def documents(stand: Stand) -> dict[str, dict[str, Any]]:
    """The OpenAPI document of each channel that has one, by name, generated from this code."""
    from crossdock.compose import Services
    from crossdock.db.runtime import create_runtime

    settings = default_settings().having(database_url=stand.url, data_dir=str(stand.folder))
    channels = create_channels(Services(create_runtime(settings)))
    return {channel.name: channel.openapi() for channel in channels if channel.openapi}


async def _orders(stand: Stand) -> int:
    async with stand.database.statement() as tx:
        return int(await tx.value("select count(*) from orders"))


CLAIM = Claim(
    id="P7",
    title="fuzz",
    workload="calls generated from the OpenAPI document by its rules and against them, signed; signed "
    "orders with malformed bodies, encodings and headers; broken HTTP on raw sockets",
    must_hold="0 5xx, 0 answers outside the document, no process died, nothing written without a success",
    full={"generated": 4_000, "bodies": 20_000, "sockets": 2_000},
    quick={"generated": 300, "bodies": 1_000, "sockets": 150},
    run=run,
)
