"""P7 for publishers: no search string, and no other parameter, makes the catalogue fail."""

import asyncio
import json
import random
import time
from collections import Counter
from urllib.parse import quote

import requests
from requests.auth import AuthBase

from crossdock.kit.clock import SystemClock
from crossdock.serving.supervisor import WEB
from proof.claim import Claim, Result, Size
from proof.claims.p07_fuzz import LANES, Fuzzing, documents
from proof.stand import Stand
from tests.support.factories import PartnerFixture
from tests.support.raw_http import Connection, Reply, request_bytes
from tests.support.search_shop import made_goods, open_shop, record_of, write
from tests.support.search_strings import search_string
from tests.support.shoppable_client import CATALOGUE, add_publisher

CHANNEL = "shoppable"
SKUS = 400
INDEX_S = 60.0
_SHARE_WITHOUT_TOKEN = 0.1


class Bearer(AuthBase):
    """Puts the token into a generated call; one in ten goes out with what it came with."""

    def __init__(self, token: str, rng: random.Random) -> None:
        self._token = token
        self._rng = rng

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._rng.random() >= _SHARE_WITHOUT_TOKEN:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class SearchFuzzing(Fuzzing):
    """Search strings of all kinds."""

    def __init__(self, stand: Stand, partner: PartnerFixture, rng: random.Random) -> None:
        super().__init__(stand, partner, 0, rng)
        self.found = 0
        self.codes: Counter[int] = Counter()

    async def searches(self, count: int) -> None:
        """Each is a page, or one that says that the search is too large."""
        lanes = [await Connection.open(self.stand.server.port) for _ in range(LANES)]
        await asyncio.gather(*(self._lane(lane, -(-count // LANES)) for lane in lanes))

    async def _lane(self, connection: Connection, count: int) -> None:
        for _ in range(count):
            text = search_string(self.rng)
            connection, reply = await self.ask(connection, self.search(text))
            self.calls += 1
            if reply is None:
                self.findings.expect(False, f"{text!r}: the connection was closed")
                continue
            self.statuses[reply.status] += 1
            self.findings.expect(self._is_right(reply), f"{text!r}: {reply.status} {reply.body!r}")
        connection.close()

    def search(self, text: str) -> bytes:
        """The request for a string, with all facets."""
        written = quote(text.encode("utf-8", "surrogatepass"))
        path = f"{CATALOGUE}?rows=3&search={written}"
        return request_bytes(
            "GET", path, headers={"Authorization": f"Bearer {self.partner.secret}"}, body=b""
        )

    def _is_right(self, reply: Reply) -> bool:
        document = reply.json()
        if not isinstance(document, dict):
            return False
        if reply.status == 200:
            self.found += document["count"] > 0
            return len(document["products"]) == min(3, document["count"])
        self.codes[document.get("code", 0)] += 1
        return reply.status == 400 and document["code"] == 30000

    async def is_answered(self) -> bool:
        """Whether the worker has built the index."""
        connection = await Connection.open(self.stand.server.port)
        reply = await connection.exchange(self.search(""))
        connection.close()
        return reply.status == 200 and json.loads(reply.body)["count"] > 0


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Generated calls, then search strings; then the same processes must answer rightly."""
    shop = await open_shop(stand.database)
    goods = [record_of(each) for each in made_goods(SKUS, rng=rng)]
    await write(stand.database, shop=shop, records=goods, now=SystemClock().now())
    partner_id, token = await add_publisher(
        stand.database, shop_id=shop.id, settings={"rate_limit_per_minute": 0}
    )
    partner = PartnerFixture(id=partner_id, shop_id=shop.id, key="", secret=token)
    fuzzing = SearchFuzzing(stand, partner, rng)
    until = time.monotonic() + INDEX_S
    while not await fuzzing.is_answered() and time.monotonic() < until:
        await asyncio.sleep(0.2)
    processes = stand.server.children(WEB)
    await asyncio.to_thread(
        fuzzing.generated,
        documents(stand)[CHANNEL],
        cases=size["generated"],
        auth=Bearer(token, rng),
    )
    await fuzzing.searches(size["searches"])
    now = stand.server.children(WEB)
    fuzzing.findings.expect(now == processes, f"processes {processes} became {now}")
    fuzzing.findings.expect(await fuzzing.is_answered(), "afterwards nothing is found")
    fuzzing.findings.expect(
        fuzzing.found * 10 > size["searches"], f"only {fuzzing.found} searches found anything"
    )
    shown = " ".join(f"{status}:{count}" for status, count in sorted(fuzzing.statuses.items()))
    return fuzzing.findings.result(
        calls=fuzzing.calls,
        answers=shown,
        found_something=fuzzing.found,
        too_large=fuzzing.codes[30000],
    )


CLAIM = Claim(
    id="P7",
    door=CHANNEL,
    title="fuzz",
    workload="calls generated from the OpenAPI document by its rules and against them; search strings "
    "of pieces of the syntax, most of them broken, with all facets",
    must_hold="0 5xx, every answer as documented, no string refused but one that is too large",
    full={"generated": 2_000, "searches": 20_000},
    quick={"generated": 150, "searches": 1_000},
    run=run,
)
