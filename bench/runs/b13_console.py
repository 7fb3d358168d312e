"""B13: the console's board of orders in a busy shop, compared with a bare application that lists the same rows."""

import random

from bench.floors.programs import bare_app
from bench.load import drive
from bench.measure import Bench, Measured, Size, absolute, alternate, compare
from bench.population import Population, add_orders, populated
from bench.processors import postmaster, tree_cpu_s
from proof.stand import Ground, Stand
from tests.support.people import PlainBrowser, make_person
from tests.support.raw_http import Connection, request_bytes

FLOOR = 0.30
LONGEST_MS = 100.0
ROWS = 50


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """Warm, keep-alive, one worker: its rate at 16 lanes, and how long a page takes alone."""
    async with populated(ground, "b13", variants=size["variants"]) as (stand, shop):
        await add_orders(stand.url, shop, count=size["orders"])
        root = await postmaster(stand.database)
        with (
            stand.serving(workers=1, log_level="info") as server,
            bare_app(
                stand.url,
                shop_id=shop.shop.id,
                merchant_id=shop.shop.merchant_id,
                file=stand.folder / "none",
            ) as bare,
        ):
            page = await _board(stand, shop, server.url)
            faults = await _faults(server.port, page)
            used_us: list[float] = []

            async def ours() -> float:
                before = tree_cpu_s(server.process.pid) + tree_cpu_s(root)
                load = await drive(server.port, [page] * size["calls"], status=200)
                used_s = tree_cpu_s(server.process.pid) + tree_cpu_s(root) - before
                used_us.append(1e6 * used_s / size["calls"])
                return load.rate

            async def theirs() -> float:
                asked = [request_bytes("GET", "/board")] * size["calls"]
                return (await drive(bare, asked, status=200)).rate

            await alternate(ours, theirs, pairs=1)
            found = await alternate(ours, theirs, pairs=size["pairs"])
            alone = await drive(server.port, [page] * size["alone"], status=200, lanes=1)
    lines = (
        compare("50 orders, console", "pages/s", *found, floor=FLOOR),
        absolute("a page alone, 99th percentile", "ms", [alone.p99_ms], limit=LONGEST_MS),
    )
    figures = {
        "CPU_us_a_page": round(min(used_us[1:])),
        "page_bytes": round(alone.body_bytes / size["alone"]),
        "p50_ms": round(alone.p50_ms, 1),
    }
    return Measured(lines=lines, faults=faults, figures=figures)


async def _board(stand: Stand, shop: Population, url: str) -> bytes:
    """The request of a signed-in person for all orders."""
    async with stand.database.begin() as tx:
        person = await make_person(tx, shop_id=shop.shop.id, role="manager")
    async with PlainBrowser(url) as browser:
        await browser.sign_in(person.email)
        cookie = f"crossdock={browser.cookie}"
    return request_bytes("GET", "/console/orders?view=all", headers={"Cookie": cookie})


async def _faults(port: int, page: bytes) -> tuple[str, ...]:
    connection = await Connection.open(port)
    try:
        body = (await connection.exchange(page)).body
    finally:
        connection.close()
    rows = body.count(b'<td class="id">')
    return () if rows == ROWS else (f"the page has {rows} rows",)


BENCH = Bench(
    id="B13",
    title="a page of 50 orders in the console of a busy shop",
    compared_with="a bare Starlette app on the same server: one query for the same rows, a plain Jinja2 table",
    full={"variants": 100_000, "orders": 100_000, "calls": 1_000, "alone": 300, "pairs": 7},
    quick={"variants": 10_000, "orders": 10_000, "calls": 300, "alone": 100, "pairs": 5},
    run=run,
)
