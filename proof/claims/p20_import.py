"""P20: an import that is killed and started again has the same result as an undisturbed one."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from proof.claim import Claim, Findings, Result, Size
from proof.stand import Stand
from tests.support.catalogue_files import (
    MadeProduct,
    made_products,
    write_jsonl,
    write_shopify_csv,
)
from tests.support.factories import ShopFixture, make_shop
from tests.support.processes import environment

Writer = Callable[[Path, Iterator[MadeProduct]], dict[str, int]]

FORMATS: tuple[tuple[str, Writer], ...] = (
    ("jsonl", write_jsonl),
    ("shopify-csv", write_shopify_csv),
)
MEMORY_MAX_MB = 400
RUN_MAX_S = 1_800


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """For each format: kill at random places, resume, compare with the file, import again."""
    findings = Findings()
    figures: dict[str, int | float | str] = {}
    for name, write in FORMATS:
        async with stand.database.begin() as tx:
            shop = await make_shop(tx)
        path = stand.folder / f"catalogue.{name}"
        made = made_products(size["variants"], seed=rng.randrange(10**9), prefix=name)
        stock = write(path, made)
        importing = Importing(stand, path, name, shop=shop)
        started = time.monotonic()
        for share in _places(size["kills"], rng):
            importing.run(kill_at=share, total=len(stock))
        summary = importing.run()
        key = name.replace("-", "_")
        figures[f"{key}_s"] = time.monotonic() - started
        findings.expect(importing.exit_code == 0, f"{name}: {summary}")
        await _compare(stand, shop_id=shop.id, stock=stock, findings=findings, name=name)
        again = importing.run()
        changed = [k for k, v in again.items() if k.endswith(("_added", "_changed")) and v]
        findings.expect(
            importing.exit_code == 0 and not changed, f"{name}: a second import changed {again}"
        )
        peak = importing.peak_mb
        findings.expect(peak < MEMORY_MAX_MB, f"{name}: {peak:.0f} MB of memory")
        figures |= {f"{key}_kills": importing.kills, f"{key}_peak_mb": peak}
    return findings.result(variants=size["variants"], **figures)


class Importing:
    """Runs of `crossdock import` over one file."""

    def __init__(self, stand: Stand, path: Path, file_format: str, *, shop: ShopFixture) -> None:
        self.kills = 0
        self.peak_mb = 0.0
        self.exit_code = 0
        self._stand = stand
        self._shop_id = shop.id
        self._command = [
            *(sys.executable, "-m", "crossdock", "import", str(path)),
            *("--format", file_format, "--shop", shop.slug, "--json"),
        ]

    def run(self, *, kill_at: float | None = None, total: int = 0) -> dict[str, int]:
        """Run to the end, or kill it once a share of the variants is committed; returns the summary."""
        process = subprocess.Popen(
            self._command,
            env=environment(**self._stand.server_settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._stand.folder,
        )
        deadline = time.monotonic() + RUN_MAX_S
        with psycopg.connect(self._stand.url, autocommit=True) as watch:
            while process.poll() is None and time.monotonic() < deadline:
                self._measure(process.pid)
                if kill_at is not None and _written(watch, self._shop_id) >= kill_at * total:
                    process.send_signal(signal.SIGKILL)
                    self.kills += 1
                    break
                time.sleep(0.01)
        output, _ = process.communicate(timeout=60)
        self.exit_code = process.returncode
        return _summary(output)

    def _measure(self, pid: int) -> None:
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        except OSError:
            return
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                self.peak_mb = max(self.peak_mb, int(line.split()[1]) / 1024)


def _places(kills: int, rng: random.Random) -> list[float]:
    """Increasing shares of the file; the first kill comes before anything is committed."""
    return [0.0, *sorted(rng.uniform(0.05, 0.9) for _ in range(kills - 1))]


def _written(watch: psycopg.Connection, shop_id: int) -> int:
    """Variants that the shop's run has committed; -1 before the run is known."""
    row = watch.execute(
        "select variants from import_runs where shop_id = %s order by id desc limit 1", (shop_id,)
    ).fetchone()
    return int(row[0]) if row else -1


def _summary(output: bytes) -> dict[str, int]:
    try:
        found = json.loads(output)
    except ValueError:
        return {}
    return {key: value for key, value in found.items() if isinstance(value, int)}


async def _compare(
    stand: Stand, *, shop_id: int, stock: dict[str, int], findings: Findings, name: str
) -> None:
    async with stand.database.begin() as tx:
        rows = await tx.all(
            "select v.sku, coalesce(l.on_hand, 0) from variants v left join stock_levels l"
            " on l.shop_id = v.shop_id and l.variant_id = v.id and l.pool = 'own' where v.shop_id = %s",
            (shop_id,),
        )
    found = dict(rows)
    wrong = [sku for sku, on_hand in stock.items() if found.get(sku, -1) != on_hand]
    findings.expect(len(rows) == len(found), f"{name}: {len(rows) - len(found)} variants doubled")
    findings.expect(len(found) == len(stock), f"{name}: {len(found)} of {len(stock)} variants")
    findings.expect(not wrong, f"{name}: {len(wrong)} levels differ from the file: {wrong[:5]}")


CLAIM = Claim(
    id="P20",
    title="import killed and resumed",
    workload="`crossdock import` of a JSON Lines and a Shopify CSV file, killed -9 several times, "
    "resumed, then run once more",
    must_hold="complete, nothing doubled, stock as in the file, the extra run changes nothing, "
    "under 400 MB of memory",
    full={"variants": 100_000, "kills": 6},
    quick={"variants": 6_000, "kills": 3},
    run=run,
    server=False,
)
