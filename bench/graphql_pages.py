"""Pages of products through GraphQL, compared with a bare application that makes the same page."""

import statistics
from collections.abc import Container
from typing import Any

from bench.floors.programs import bare_app
from bench.load import drive
from bench.measure import Measured, Size, alternate, compare
from bench.population import PAGE, populated
from bench.processors import postmaster, tree_cpu_s
from proof.drop_shippers import ask, make_drop_shipper
from proof.stand import Ground
from tests.support.raw_http import Connection, request_bytes

FLOOR = 0.60


async def measure_page(
    ground: Ground, size: Size, *, name: str, stand_name: str, query: str, path: str
) -> Measured:
    """Warm, keep-alive, 16 lanes, one worker; the caller sees 50 of 2,000 products."""
    async with populated(ground, stand_name, variants=2_000) as (stand, shop):
        async with stand.database.begin() as tx:
            merchant_id = await tx.value(
                "select visible_merchants[1] from partners where id = %s", (shop.page_partner.id,)
            )
            shipper = await make_drop_shipper(tx, shop=shop.shop, visible_merchants=(merchant_id,))
        root = await postmaster(stand.database)
        with (
            stand.serving(workers=1, log_level="info") as server,
            bare_app(
                stand.url,
                shop_id=shop.shop.id,
                merchant_id=merchant_id,
                file=stand.folder / "none",
            ) as bare,
        ):
            asked, page = ask(shipper, query, first=PAGE), request_bytes("POST", path)
            told = await _page(server.port, asked)
            faults = () if told == await _page(bare, page) else ("the two pages differ",)
            latencies: list[float] = []
            web, database = list[float](), list[float]()

            async def ours() -> float:
                before = tree_cpu_s(server.process.pid), tree_cpu_s(root)
                load = await drive(server.port, [asked] * size["calls"], status=200)
                latencies.append(load.p99_ms)
                web.append(1e6 * (tree_cpu_s(server.process.pid) - before[0]) / size["calls"])
                database.append(1e6 * (tree_cpu_s(root) - before[1]) / size["calls"])
                return load.rate

            async def theirs() -> float:
                return (await drive(bare, [page] * size["calls"], status=200)).rate

            await alternate(ours, theirs, pairs=1)
            found = await alternate(ours, theirs, pairs=size["pairs"])
    line = compare(name, "requests/s", *found, floor=FLOOR)
    figures = {
        "p99_ms": round(max(latencies[1:]), 1),
        "CPU_us_a_request:_web": round(statistics.median(web[1:])),
        "database": round(statistics.median(database[1:])),
    }
    return Measured(lines=(line,), faults=faults, figures=figures)


async def _page(port: int, request: bytes) -> Any:
    """The answer without the ids, which the bare application cannot make."""
    connection = await Connection.open(port)
    try:
        return without_ids((await connection.exchange(request)).json())
    finally:
        connection.close()


def without_ids(value: Any, *, names: Container[str] = ("id",)) -> Any:
    """The same JSON without any field of these names."""
    if isinstance(value, dict):
        return {
            key: without_ids(each, names=names) for key, each in value.items() if key not in names
        }
    if isinstance(value, list):
        return [without_ids(each, names=names) for each in value]
    return value
