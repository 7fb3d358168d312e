"""B1 for a shop's back office and for resellers: a page of 50 products, compared with a bare application's."""

import random
import statistics
from collections.abc import Awaitable, Callable
from typing import Any

from bench.floors.programs import bare_app
from bench.graphql_pages import without_ids
from bench.load import drive
from bench.measure import Bench, Line, Measured, Size, alternate, compare
from bench.population import populated
from bench.processors import postmaster, tree_cpu_s
from proof.resellers import call, make_merchant_key, make_reseller, open_programme
from proof.stand import Ground, Stand
from tests.support.raw_http import Connection, request_bytes

FLOOR = 0.60
DEV, RESELLER = "/dev/v1/products", "/reseller/v1/products"
_FLOORS = {DEV: "/back-office", RESELLER: "/wares"}
_IDS = frozenset({"id", "uniqid", "shop_id", "product_id"})


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """Warm, keep-alive, 16 lanes, one worker; both callers see the same 50 of 2,000 products."""
    async with populated(ground, "b1r", variants=2_000) as (stand, shop):
        keys, merchant_id = await _furnish(stand, shop)
        root = await postmaster(stand.database)
        lines, faults = list[Line](), list[str]()
        figures: dict[str, float | int | str] = {}
        with (
            stand.serving(workers=1, log_level="info") as server,
            bare_app(
                stand.url,
                shop_id=shop.shop.id,
                merchant_id=merchant_id,
                file=stand.folder / "none",
            ) as bare,
        ):
            for path, key in keys.items():
                asked, page = call(key, "GET", path), request_bytes("GET", _FLOORS[path])
                if await _page(server.port, asked) != await _page(bare, page):
                    faults.append(f"the two pages of {path} differ")
                cpu_us = list[float]()

                async def ours(asked: bytes = asked, cpu_us: list[float] = cpu_us) -> float:
                    before = tree_cpu_s(server.process.pid) + tree_cpu_s(root)
                    load = await drive(server.port, [asked] * size["calls"], status=200)
                    used_s = tree_cpu_s(server.process.pid) + tree_cpu_s(root) - before
                    cpu_us.append(1e6 * used_s / size["calls"])
                    return load.rate

                theirs = _driving(bare, page, calls=size["calls"])
                await alternate(ours, theirs, pairs=1)
                found = await alternate(ours, theirs, pairs=size["pairs"])
                lines.append(compare(f"50 rows, {path}", "requests/s", *found, floor=FLOOR))
                figures[f"CPU_us_a_request:_{path}"] = round(statistics.median(cpu_us[1:]))
    return Measured(lines=tuple(lines), faults=tuple(faults), figures=figures)


async def _furnish(stand: Stand, shop: Any) -> tuple[dict[str, str], int]:
    """The keys by path, and the merchant whose 50 products are sold by serials."""
    async with stand.database.begin() as tx:
        merchant_id = await tx.value(
            "select visible_merchants[1] from partners where id = %s", (shop.page_partner.id,)
        )
        await tx.run("update products set virtual = true where merchant_id = %s", (merchant_id,))
        await open_programme(tx, shop.shop)
        merchant = await make_merchant_key(tx, shop=shop.shop, visible_merchants=(merchant_id,))
        reseller = await make_reseller(tx, shop=shop.shop)
    return {DEV: merchant.secret, RESELLER: reseller.partner.secret}, merchant_id


def _driving(port: int, page: bytes, *, calls: int) -> Callable[[], Awaitable[float]]:
    async def drives() -> float:
        return (await drive(port, [page] * calls, status=200)).rate

    return drives


async def _page(port: int, request: bytes) -> Any:
    """The answer without the ids, which the bare application cannot make."""
    connection = await Connection.open(port)
    try:
        return without_ids((await connection.exchange(request)).json(), names=_IDS)
    finally:
        connection.close()


BENCH = Bench(
    id="B1",
    title="a page of 50 products of a shop's back office, and of a reseller",
    compared_with="a bare Starlette app on the same server: one query for the same products, the same JSON",
    full={"calls": 3_000, "pairs": 7},
    quick={"calls": 1_000, "pairs": 5},
    run=run,
)
