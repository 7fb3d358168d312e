"""B1: a signed page of 50 catalogue rows, compared with a bare application that makes the same page."""

import random

from bench.floors.programs import bare_app
from bench.load import drive, reads
from bench.measure import Bench, Measured, Size, alternate, compare
from bench.population import populated
from proof.stand import Ground
from tests.support.raw_http import request_bytes

FLOOR = 0.45


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """Warm, keep-alive, 16 lanes, one worker. The protocol needs one write per read: the nonce."""
    async with populated(ground, "b1", variants=2_000) as (stand, shop):
        with (
            stand.serving(workers=1, log_level="info") as server,
            bare_app(
                stand.url,
                shop_id=shop.shop.id,
                merchant_id=await _merchant(stand, shop.page_partner.id),
                file=stand.folder / "none",
            ) as bare,
        ):
            page = request_bytes("GET", "/page")
            latencies: list[float] = []

            async def ours() -> float:
                load = await drive(server.port, reads(shop.page_partner, size["calls"]), status=200)
                latencies.append(load.p99_ms)
                return load.rate

            async def theirs() -> float:
                return (await drive(bare, [page] * size["calls"], status=200)).rate

            await alternate(ours, theirs, pairs=1)
            found = await alternate(ours, theirs, pairs=size["pairs"])
    line = compare("50 rows, shoppex_partner", "requests/s", *found, floor=FLOOR)
    return Measured(lines=(line,), figures={"p99_ms": round(max(latencies[1:]), 1)})


async def _merchant(stand, partner_id: int) -> int:
    async with stand.database.statement() as tx:
        return await tx.value(
            "select visible_merchants[1] from partners where id = %s", (partner_id,)
        )


BENCH = Bench(
    id="B1",
    title="a page of 50 catalogue rows",
    compared_with="a bare Starlette app on the same server: one query for the same rows, the same JSON",
    full={"calls": 4_000, "pairs": 7},
    quick={"calls": 1_000, "pairs": 5},
    run=run,
)
