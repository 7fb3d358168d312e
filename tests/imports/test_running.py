"""A run: in batches, resumable after a kill, repeatable without a trace, dry, and one at a time."""

import json
import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from crossdock.errors import Conflict
from crossdock.imports import batches
from crossdock.imports.running import ImportOrder, run_import
from crossdock.shop.catalogue import advance_run, upsert_prepared
from tests.support.processes import environment

TABLES = ("merchants", "categories", "products", "variants", "product_categories", "promotions", "stock_levels",
          "stock_entries", "events", "import_runs", "import_refusals")  # fmt: skip


def catalogue(count, *, bad=()):
    """`count` products of two variants; a malformed line before those in `bad`."""
    lines = []
    for number in range(count):
        if number in bad:
            lines.append("oops")
        variants = [
            {"sku": f"S{number}-{size}", "retail_minor": 100, "options": {"Size": size},
             "stock": [{"pool": "own", "on_hand": 5}]}
            for size in ("S", "L")
        ]  # fmt: skip
        lines.append(
            json.dumps({"handle": f"p{number}", "name": f"Product {number}", "option_names": ["Size"],
                        "categories": [["All", f"Aisle {number % 7}"]], "variants": variants})
        )  # fmt: skip
    return "\n".join(lines)


@pytest.fixture
def small_batches(monkeypatch):
    """Batches of ten variants, so that a small file has several."""
    monkeypatch.setattr(batches, "BATCH_VARIANTS", 10)


async def everything(rows):
    """Every row of the shop with the transaction that wrote it."""
    return {
        table: sorted(await rows(f"select t.xmin::text, t::text from {table} t where shop_id = %s"))
        for table in TABLES
    }


@pytest.mark.usefixtures("small_batches")
async def test_a_finished_run_again_writes_nothing(import_, rows):
    text = catalogue(20, bad=(3, 17))
    first = await import_(text, "jsonl")
    assert (first.products_added, first.refused) == (20, 2)
    before = await everything(rows)
    again = await import_(text, "jsonl")
    assert (again.products_unchanged, again.products_added, again.refused) == (20, 0, 2)
    assert await everything(rows) == before


@pytest.mark.usefixtures("small_batches")
async def test_refusals_are_kept_with_the_run(import_, rows):
    await import_(catalogue(20, bad=(3, 17)), "jsonl")
    assert await rows(
        "select status, rows_done, products, variants, refused from import_runs where shop_id = %s"
    ) == [("done", 22, 20, 40, 2)]
    kept = await rows(
        "select row_number, reason, value from import_refusals where shop_id = %s order by 1"
    )
    assert [(row, value) for row, _, value in kept] == [(4, "oops"), (19, "oops")]
    assert all("is not JSON" in reason for _, reason, _ in kept)


async def test_a_newer_file_is_a_run_of_its_own(import_, rows):
    await import_(catalogue(3), "jsonl")
    summary = await import_(catalogue(4), "jsonl")
    assert (summary.products_added, summary.products_unchanged) == (1, 3)
    assert len(await rows("select 1 from import_runs where shop_id = %s")) == 2


async def test_a_dry_run_reports_the_same_and_leaves_nothing(import_, rows):
    text = catalogue(30, bad=(5,)) + '\n{"sku": "S1-S", "name": "Twice"}'
    before = await everything(rows)
    dry = await import_(text, "jsonl", dry_run=True)
    assert await everything(rows) == before
    wet = await import_(text, "jsonl")
    assert dry.findings == wet.findings
    for name in (
        "records",
        "products_added",
        "variants_added",
        "stock_changed",
        "refused",
        "warnings",
    ):
        assert getattr(dry, name) == getattr(wet, name)


class Stopped(Exception):
    """The run was cut off here."""


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("failing", [1, 2, 5, 8])
async def test_a_cut_off_run_goes_on_after_its_last_batch(import_, rows, monkeypatch, failing):
    text = catalogue(40, bad=(7, 33))
    calls: list[object] = []

    async def advance(tx, **parts):
        calls.append(parts)
        await advance_run(tx, **parts)
        if len(calls) == failing:
            raise Stopped

    monkeypatch.setattr("crossdock.imports.running.advance_run", advance)
    with pytest.raises(Stopped):
        await import_(text, "jsonl")
    monkeypatch.setattr("crossdock.imports.running.advance_run", advance_run)
    [(status, done)] = await rows("select status, rows_done from import_runs where shop_id = %s")
    assert status == "running"
    summary = await import_(text, "jsonl")
    assert summary.resumed_at == done
    assert summary.refused == 2
    await _is_complete(rows, products=40)
    assert len(await rows("select 1 from import_refusals where shop_id = %s")) == 2


async def _is_complete(rows, *, products):
    """Everything once, levels equal to their entries, the run finished."""
    counted = await rows(
        """select count(*), count(distinct sku), (select count(*) from products p where p.shop_id = v.shop_id),
                  (select count(*) from stock_entries e where e.shop_id = v.shop_id),
                  (select sum(on_hand) from stock_levels l where l.shop_id = v.shop_id)
           from variants v where shop_id = %s group by shop_id"""
    )
    assert counted == [(products * 2, products * 2, products, products * 2, products * 10)]
    runs = await rows("select status, products, variants from import_runs where shop_id = %s")
    assert runs == [("done", products, products * 2)]


async def test_two_runs_of_one_file_do_not_both_advance(
    database, shop, clock, tmp_path, monkeypatch
):
    path = tmp_path / "file"
    path.write_text(catalogue(20))
    order = ImportOrder(path=path, format="jsonl", shop=shop, merchant="M")
    others: list[bool] = []

    async def apply(tx, **parts):
        if not others:
            others.append(True)
            await run_import(database, order=order, clock=clock)
        return await upsert_prepared(tx, **parts)

    monkeypatch.setattr("crossdock.imports.running.upsert_prepared", apply)
    with pytest.raises(Conflict):
        await run_import(database, order=order, clock=clock)
    async with database.begin() as tx:
        assert await tx.value("select count(*) from variants where shop_id = %s", (shop.id,)) == 40


def command(path, slug, database_url, tmp_path):
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "crossdock.cli",
            "import",
            str(path),
            "--format",
            "jsonl",
            "--shop",
            slug,
            "--json",
        ],
        env=environment(database_url=database_url, data_dir=tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


async def test_a_killed_process_is_resumed_by_the_next(database_url, shop, rows, tmp_path):
    count = 6_000
    path = tmp_path / "catalogue.jsonl"
    path.write_text(catalogue(count))
    process = command(path, shop.slug, database_url, tmp_path)
    with psycopg.connect(database_url, autocommit=True) as watch:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            done = watch.execute(
                "select rows_done from import_runs where shop_id = %s", (shop.id,)
            ).fetchone()
            if done and done[0] > 0:
                break
            time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    [(status, done)] = await rows("select status, rows_done from import_runs where shop_id = %s")
    assert (status, 0 < done < count) == ("running", True)

    process = command(path, shop.slug, database_url, tmp_path)
    out, err = process.communicate(timeout=60)
    summary = json.loads(out)
    assert (process.returncode, summary["resumed_at"] >= done) == (0, True), err
    await _is_complete(rows, products=count)
    process = command(path, shop.slug, database_url, tmp_path)
    summary = json.loads(process.communicate(timeout=60)[0])
    assert (summary["products_unchanged"], summary["products_added"]) == (count, 0)
