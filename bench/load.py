"""Load: precomputed requests over a fixed number of keep-alive connections."""

import asyncio
import json
import random
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from proof.doors import signed_request
from proof.web_shops import call_bytes
from tests.support.factories import PartnerFixture
from tests.support.raw_http import Connection, Reply
from tests.support.shopwedo_client import order_of

LANES = 16


@dataclass(frozen=True)
class Load:
    """The result of a run: answers per second, and response times."""

    rate: float
    p50_ms: float
    p99_ms: float
    body_bytes: int
    seconds: float


async def drive(port: int, requests: Sequence[bytes], *, status: int, lanes: int = LANES) -> Load:
    """Send all requests, `lanes` at a time; every answer must have the status."""
    connections = [await Connection.open(port) for _ in range(lanes)]
    waiting = iter(requests)
    times: list[float] = []
    size = 0

    async def lane(connection: Connection) -> int:
        total = 0
        for request in waiting:
            started = time.perf_counter()
            reply = await connection.exchange(request)
            times.append(time.perf_counter() - started)
            total += len(reply.body)
            _check(reply, status)
        return total

    started = time.perf_counter()
    try:
        size = sum(await asyncio.gather(*map(lane, connections)))
    finally:
        for connection in connections:
            connection.close()
    seconds = time.perf_counter() - started
    times.sort()
    return Load(
        rate=len(requests) / seconds,
        p50_ms=1000 * times[len(times) // 2],
        p99_ms=1000 * times[len(times) * 99 // 100],
        body_bytes=size,
        seconds=seconds,
    )


def _check(reply: Reply, status: int) -> None:
    if reply.status != status:
        raise RuntimeError(f"{reply.status} instead of {status}: {reply.body[:300]!r}")


def reads(
    partner: PartnerFixture, count: int, *, headers: dict[str, str] | None = None
) -> list[bytes]:
    """Signed requests for the partner's list."""
    now = int(time.time())
    return [
        signed_request(partner, "GET", timestamp=now, nonce=uuid.uuid4().hex, headers=headers)
        for _ in range(count)
    ]


def orders(partner: PartnerFixture, count: int, *, baskets: Iterator[Sequence[int]]) -> list[bytes]:
    """Signed orders of one unit of each variant in the next basket."""
    now = int(time.time())
    found = []
    for _ in range(count):
        items = [{"product_id": variant, "quantity": 1} for variant in next(baskets)]
        body = json.dumps({"items": items, "id_order_partner": uuid.uuid4().hex}).encode()
        found.append(
            signed_request(partner, "POST", timestamp=now, nonce=uuid.uuid4().hex, body=body)
        )
    return found


def stock_reads(web_shop: PartnerFixture, count: int) -> list[bytes]:
    """Calls of a web shop for its first page of stock."""
    return [call_bytes(web_shop, "getStock", {"limit": 50}) for _ in range(count)]


def consigned_orders(
    web_shop: PartnerFixture, count: int, *, baskets: Iterator[Sequence[int]]
) -> list[bytes]:
    """Orders of a web shop, to be released, of one unit of each variant in the next basket."""
    return [
        call_bytes(
            web_shop,
            "createOrder",
            order_of(*((variant, 1) for variant in next(baskets)), release=True),
        )
        for _ in range(count)
    ]


def random_baskets(variants: Sequence[int], rng: random.Random) -> Iterator[tuple[int, int]]:
    """Random pairs of different variants."""
    while True:
        first, second = rng.sample(variants, 2)
        yield first, second
