"""An index that follows the events..."""

import asyncio
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from crossdock.db.unit_of_work import Database
from crossdock.errors import Conflict, Unavailable
from crossdock.kit.clock import FrozenClock, SystemClock
from crossdock.shop.catalogue import (
    CategoryRecord,
    MerchantRecord,
    ProductRecord,
    Promotion,
    VariantRecord,
    upsert_categories,
    upsert_merchants,
)
from crossdock.shop.events import MerchantChanged, PackagePacked, number_events, write_event
from crossdock.shop.pricing import CouponTerms, add_coupon
from crossdock.shop.search import (
    Building,
    Filter,
    Follower,
    LocalEngine,
    Range,
    Scope,
    SearchRequest,
    Word,
    rebuild,
    words_request,
)
from crossdock.shop.search.local import folders
from crossdock.shop.shops import Shop
from tests.support.processes import ROOT, environment
from tests.support.search_engines import assert_equal
from tests.support.search_made import made_request
from tests.support.search_oracle import BruteForce
from tests.support.search_shop import (
    Goods,
    building,
    catch_up,
    engine,
    expected,
    made_goods,
    open_shop,
    record_of,
    write,
)

ALL = SearchRequest(scope=Scope(currency="USD"), limit=1_000)


@pytest.fixture
async def alone(empty_database_url: str):
    """A database without other tests' shops."""
    pool = Database(empty_database_url, min_size=1, max_size=8)
    await pool.open()
    yield pool
    await pool.close()


@pytest.fixture
async def shop(alone: Database) -> Shop:
    return await open_shop(alone)


@pytest.fixture
def kept(alone: Database, tmp_path: Path, clock: FrozenClock) -> Building:
    return building(alone, root=tmp_path / "search", clock=clock)


@pytest.fixture
async def follower(kept: Building):
    found = Follower(kept)
    yield found
    await found.close()


@pytest.fixture
def search(kept: Building, shop: Shop) -> LocalEngine:
    return engine(kept, shop)


def a_product(handle: str = "lamp", **more) -> ProductRecord:
    values = {
        "handle": handle,
        "name": f"Steel {handle}",
        "merchant": "Norden",
        "currency": "USD",
        "variants": (VariantRecord(sku=handle.upper(), retail_minor=1_000),),
    }
    return ProductRecord(**values | more)


def named(search: LocalEngine, words: str) -> int:
    return search.search(words_request(words, currency="USD")).count


async def test_is_built_by_itself_and_takes_in_what_comes_after(
    alone, shop, follower, search, clock
):
    await write(alone, shop=shop, records=[a_product("lamp")], now=clock.now())
    with pytest.raises(Unavailable, match="not ready"):
        search.standing()

    await catch_up(follower)
    assert (named(search, "steel"), search.standing().as_of) == (1, 1)

    await write(alone, shop=shop, records=[a_product("desk")], now=clock.now())
    assert named(search, "steel") == 1
    assert await catch_up(follower) == 1
    assert (named(search, "steel"), search.standing().as_of) == (2, 2)

    await write(alone, shop=shop, records=[a_product("desk", enabled=False)], now=clock.now())
    await catch_up(follower)
    assert (named(search, "steel"), named(search, "desk")) == (1, 0)


async def test_knows_new_names_of_merchants_and_categories(alone, shop, follower, search, clock):
    product = a_product(categories=(("Home", "Lights"),))
    await write(alone, shop=shop, records=[product], now=clock.now())
    await catch_up(follower)
    assert (named(search, "norden"), named(search, "lights")) == (1, 1)

    async with alone.begin() as tx:
        await upsert_merchants(
            tx,
            shop_id=shop.id,
            records=[MerchantRecord(name="NORDEN!", email="a@b.example")],
            now=clock.now(),
        )
        await tx.run("update categories set name = 'Wohnen' where name = 'Home'")
        await upsert_categories(
            tx, shop_id=shop.id, records=[CategoryRecord(path=("Home",), sort=3)], now=clock.now()
        )
    async with alone.begin() as tx:
        await number_events(tx, shop_id=shop.id)
    await catch_up(follower)

    facets = search.search(
        words_request("lamp", currency="USD", facets=facet("merchant", "category"))
    )
    assert [value.label for value in facets.facets["merchant"]] == ["NORDEN!"]
    assert {value.label for value in facets.facets["category"]} == {"Home", "Home > Lights"}


def facet(*names):
    from crossdock.shop.search import FacetRequest

    return tuple(FacetRequest(facet=name) for name in names)


async def test_asks_two_statements_while_nothing_happens_however_many_shops_there_are(
    alone, shop, kept, empty_database_url, clock
):
    others = [await open_shop(alone) for _ in range(3)]
    for each in (shop, *others):
        await write(alone, shop=each, records=[a_product()], now=clock.now())
    statements: list[str] = []

    async def note(statement: str) -> None:
        statements.append(statement)

    counted = Database(empty_database_url, hook=note)
    await counted.open()
    follower = Follower(msgspec.structs.replace(kept, db=counted))
    await catch_up(follower)
    for _ in range(3):
        statements.clear()
        clock.move(timedelta(seconds=2))
        assert await follower.step() == 0
        assert len(statements) == 2
    await follower.close()
    await counted.close()


async def test_notes_what_touches_no_product_once_it_is_old_enough(
    alone, shop, kept, follower, search, clock
):
    await write(alone, shop=shop, records=[a_product()], now=clock.now())
    await catch_up(follower)
    async with alone.begin() as tx:
        payload = MerchantChanged(merchant_ids=[2**40])
        await write_event(tx, shop_id=shop.id, event=payload, now=clock.now())
    async with alone.begin() as tx:
        await number_events(tx, shop_id=shop.id)

    await follower.step()
    assert search.standing().as_of == 1
    for _ in range(7):
        clock.move(timedelta(seconds=1))
        await follower.step()
    assert search.standing().as_of == 2


async def test_opens_no_more_files_the_longer_another_has_the_folder(alone, shop, kept, clock):
    second = Follower(kept)
    with folders.lock(kept.folder(shop.id), folders.WRITING) as is_ours:
        assert is_ours
        await second.step()
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(50):
            assert await second.step() == 0
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 5
    await second.close()


async def test_waits_longer_after_each_build_that_fails(alone, shop, kept, follower, clock):
    await write(alone, shop=shop, records=[a_product()], now=clock.now())
    folder = kept.folder(shop.id)
    tries = []
    with capture_logs() as records:
        (folder / f"{folders.BUILDING}.lock").mkdir(parents=True)  # which cannot be opened
        for _second in range(16):
            await follower.step()
            tries.append(sum(each["event"] == "an index is built" for each in records))
            clock.move(timedelta(seconds=1))
        (folder / f"{folders.BUILDING}.lock").rmdir()
        clock.move(timedelta(minutes=1))
        await catch_up(follower)

    assert tries[-1] == 4  # at once, then after 2, 4 and 8 seconds
    assert folders.read_current(folder) is not None


async def test_changes_prices_when_the_clock_does(alone, shop, follower, search, clock):
    start, end = clock.now() + timedelta(hours=1), clock.now() + timedelta(hours=2)
    promotion = Promotion(price_minor=600, starts_at=start, ends_at=end)
    sale = VariantRecord(sku="S", retail_minor=1_000, sale_minor=700, sale_starts_at=end)
    promoted = VariantRecord(sku="P", retail_minor=1_000, promotions=(promotion,))
    records = [a_product("sale", variants=(sale,)), a_product("promoted", variants=(promoted,))]
    await write(alone, shop=shop, records=records, now=clock.now())
    await catch_up(follower)

    async def on_sale() -> dict[str, int]:
        await catch_up(follower)
        answer = search.search(words_request("", currency="USD", facets=facet("on_sale")))
        return {value.value: value.count for value in answer.facets["on_sale"]}

    assert await on_sale() == {"false": 2}
    clock.move(timedelta(hours=1))
    assert await on_sale() == {"false": 1, "true": 1}
    clock.move(timedelta(hours=1))
    assert await on_sale() == {"false": 1, "true": 1}
    clock.move(timedelta(hours=-2))
    assert await on_sale() == {"false": 2}


async def test_knows_coupons_and_what_they_make_of_prices(alone, shop, follower, search, clock):
    await write(alone, shop=shop, records=[a_product("lamp"), a_product("desk")], now=clock.now())
    await catch_up(follower)
    ends_at = clock.now() + timedelta(hours=1)
    async with alone.begin() as tx:
        await add_coupon(
            tx,
            shop_id=shop.id,
            terms=CouponTerms(code="TENTH", kind="percent_off", percent_bp=1_000),
            now=clock.now(),
            ends_at=ends_at,
        )
    async with alone.begin() as tx:
        await number_events(tx, shop_id=shop.id)
    await catch_up(follower)

    def cheap() -> SearchRequest:
        below = Filter(node=Range(field="price", high=900))
        return SearchRequest(
            scope=Scope(currency="USD"), filters=(below,), facets=facet("coupon", "on_sale")
        )

    found = search.search(cheap())
    assert found.count == 2
    assert [(value.label, value.count) for value in found.facets["coupon"]] == [("TENTH", 2)]
    assert [value.value for value in found.facets["on_sale"]] == ["false"]
    kind = Filter(node=Word(text="percent_off", field="coupon_kind"))
    assert search.search(SearchRequest(scope=Scope(currency="USD"), filters=(kind,))).count == 2

    clock.move(timedelta(hours=1))
    await catch_up(follower)
    assert search.search(cheap()).count == 0


async def test_is_built_anew_where_it_is_lost(alone, shop, kept, follower, search, clock):
    await write(alone, shop=shop, records=[a_product()], now=clock.now())
    await catch_up(follower)
    assert named(search, "steel") == 1

    shutil.rmtree(kept.folder(shop.id))
    with pytest.raises(Unavailable):
        named(search, "steel")
    await catch_up(follower)
    assert named(search, "steel") == 1


async def test_is_built_anew_where_another_version_or_another_database_made_it(
    alone, shop, kept, follower, search, clock
):
    await write(alone, shop=shop, records=[a_product()], now=clock.now())
    await catch_up(follower)
    first = folders.read_current(kept.folder(shop.id))
    (kept.folder(shop.id) / "current").write_text("v0-older")
    await catch_up(follower)
    second = folders.read_current(kept.folder(shop.id))
    assert second not in {None, first}

    async with alone.begin() as tx:  # a backup from before the last event was restored
        await tx.run("update shops set last_sequence = 0 where id = %s", (shop.id,))
    await catch_up(follower)
    assert folders.read_current(kept.folder(shop.id)) not in {None, second}
    assert search.standing().as_of == 0


async def test_notes_events_that_change_nothing_once_in_a_while(
    alone, shop, follower, search, clock
):
    await write(alone, shop=shop, records=[a_product()], now=clock.now())
    await catch_up(follower)

    async def pack() -> None:
        async with alone.begin() as tx:
            event = PackagePacked(package_id=1)
            await write_event(tx, shop_id=shop.id, event=event, now=clock.now(), subject_id=1)
        async with alone.begin() as tx:
            await number_events(tx, shop_id=shop.id)
        await catch_up(follower)

    await pack()
    assert search.standing().as_of == 1
    clock.move(timedelta(seconds=6))
    await pack()
    assert search.standing().as_of == 3


async def test_is_rebuilt_while_searches_go_on(alone, shop, kept, follower, search, clock):
    goods = made_goods(1_000, rng=random.Random(5))
    await write(alone, shop=shop, records=[record_of(each) for each in goods], now=clock.now())
    await catch_up(follower)
    right = search.search(ALL).count
    before = folders.read_current(kept.folder(shop.id))
    counts: list[int] = []
    stop = asyncio.Event()

    async def ask() -> None:
        while not stop.is_set():
            counts.append((await asyncio.to_thread(search.search, ALL)).count)

    asking = asyncio.create_task(ask())
    built = await rebuild(kept, shop_id=shop.id)
    added = a_product("added")
    await write(alone, shop=shop, records=[added], now=clock.now())
    await catch_up(follower)
    stop.set()
    await asking

    assert set(counts) <= {right, right + 1}
    assert built.products >= right
    assert folders.read_current(kept.folder(shop.id)) != before
    assert named(search, "added") == 1
    assert before is not None
    assert not before.exists()


async def test_is_built_by_one_process_at_a_time(shop, kept):
    with folders.lock(kept.folder(shop.id), folders.BUILDING) as is_ours:
        assert is_ours
        with pytest.raises(Conflict):
            await rebuild(kept, shop_id=shop.id)


async def test_is_written_by_one_follower_at_a_time(alone, shop, kept, follower, clock):
    await write(alone, shop=shop, records=[a_product()], now=clock.now())
    await catch_up(follower)
    second = Follower(kept)
    await write(alone, shop=shop, records=[a_product("desk")], now=clock.now())
    assert await catch_up(second) == 0
    assert await catch_up(follower) == 1
    await follower.close()
    await write(alone, shop=shop, records=[a_product("shelf")], now=clock.now())
    assert await catch_up(second) == 1
    await second.close()


async def test_stays_fresh_while_another_shop_s_is_built(
    alone, shop, kept, empty_database_url, clock
):
    """Given a build that is held up, when another shop's goods change, then its index takes them in."""
    may_go_on, is_building = asyncio.Event(), asyncio.Event()

    async def hold_builds(statement: str) -> None:
        if statement.startswith("select id from products where shop_id"):  # only a build lists them
            is_building.set()
            await may_go_on.wait()

    await write(alone, shop=shop, records=[a_product()], now=clock.now())
    first = Follower(kept)
    await catch_up(first)
    await first.close()
    other = await open_shop(alone)
    await write(alone, shop=other, records=[a_product()], now=clock.now())
    held = Database(empty_database_url, hook=hold_builds)
    await held.open()
    follower = Follower(msgspec.structs.replace(kept, db=held))
    assert await follower.step(waits=False) == 0
    await asyncio.wait_for(is_building.wait(), 10)
    await write(alone, shop=shop, records=[a_product("desk")], now=clock.now())
    assert await follower.step(waits=False) == 1
    assert named(engine(kept, shop), "steel") == 2
    with pytest.raises(Unavailable):
        engine(kept, other).standing()

    may_go_on.set()
    await catch_up(follower)
    assert named(engine(kept, other), "steel") == 1
    await follower.close()
    await held.close()


async def test_nodes_agree_on_what_they_know(alone, shop, clock, tmp_path):
    """Each node builds its own: the answers of one event number are the same."""
    rng = random.Random(2)
    nodes = [building(alone, root=tmp_path / name, clock=clock) for name in ("one", "two")]
    followers = [Follower(node) for node in nodes]
    goods = made_goods(600, rng=rng)
    records = [record_of(each) for each in goods]
    await write(alone, shop=shop, records=records[: len(records) // 2], now=clock.now())
    await catch_up(followers[0])
    await write(alone, shop=shop, records=records[len(records) // 2 :], now=clock.now())
    for follower in followers:  # the second sees all of it at once
        await catch_up(follower)

    one, two = (engine(node, shop) for node in nodes)
    assert one.standing() == two.standing()
    for number in range(100):
        request = made_request(rng)
        assert_equal(one.search(request), two.search(request), request=request, where=str(number))
    for follower in followers:
        await follower.close()


REBUILD_AND_DIE = """
    import asyncio, os, signal, sys
    from pathlib import Path
    from crossdock.db.unit_of_work import Database
    from crossdock.kit.clock import SystemClock
    from crossdock.shop.search import rebuild
    from tests.support.search_shop import building

    def die(documents):
        if documents > 100:
            os.kill(os.getpid(), signal.SIGKILL)

    async def main(url, root, shop_id):
        db = Database(url, min_size=1, max_size=2)
        await db.open()
        await rebuild(building(db, root=Path(root), clock=SystemClock()), shop_id=int(shop_id), progress=die)

    asyncio.run(main(*sys.argv[1:]))
"""


async def test_is_untouched_by_a_rebuild_that_dies(
    alone, empty_database_url, shop, kept, follower, search, clock
):
    goods = made_goods(3_000, rng=random.Random(5))
    await write(alone, shop=shop, records=[record_of(each) for each in goods], now=clock.now())
    await catch_up(follower)
    before = search.search(ALL)
    arguments = [empty_database_url, str(kept.root), str(shop.id)]
    process = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", textwrap.dedent(REBUILD_AND_DIE), *arguments],
        env={**environment(), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        check=False,
    )
    assert process.returncode == -signal.SIGKILL
    assert len([each for each in kept.folder(shop.id).iterdir() if each.is_dir()]) == 2
    assert search.search(ALL) == before

    await rebuild(kept, shop_id=shop.id)
    assert len([each for each in kept.folder(shop.id).iterdir() if each.is_dir()]) == 2
    await catch_up(follower)
    assert len([each for each in kept.folder(shop.id).iterdir() if each.is_dir()]) == 1
    assert search.search(ALL).hits == before.hits


@pytest.mark.slow
async def test_is_right_after_the_worker_is_killed_at_any_moment(
    alone, empty_database_url, shop, tmp_path
):
    """SIGKILL of the real worker while goods come, change and go."""
    seed = random.randrange(10**9)
    rng = random.Random(seed)
    goods = made_goods(1_500, rng=rng)
    settings = {
        "database_url": empty_database_url,
        "data_dir": tmp_path,
        "search_color_options": "colour",
    }
    sold: Goods = []
    rest = list(goods)
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-m", "crossdock", "worker"],
            env=environment(**settings),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 2 + 3 * rng.random()
        while time.monotonic() < deadline:
            part, rest = rest[:20], rest[20:]
            gone, sold = sold[:5], [*sold[5:], *part]
            records = [record_of(each) for each in part]
            records += [record_of(each, enabled=False) for each in gone]
            await write(alone, shop=shop, records=records, now=SystemClock().now())
            await asyncio.sleep(0.05)
        process.kill()
        await asyncio.to_thread(process.wait)

    kept = building(alone, root=tmp_path / "search", clock=SystemClock())
    follower = Follower(kept)
    await catch_up(follower)
    await follower.close()
    async with alone.statement() as tx:
        oracle = BruteForce(await expected(tx, shop=shop, goods=sold))
    for number in range(60):
        request = made_request(rng)
        where = f"seed {seed}, search {number}: {request}"
        assert_equal(
            engine(kept, shop).search(request), oracle.search(request), request=request, where=where
        )


async def test_forgets_nothing_when_it_cannot_write(alone, shop, kept, follower, search, clock):
    """What a full disk or a lost folder refuses is read again, not taken for written."""
    await write(alone, shop=shop, records=[a_product()], now=clock.now())
    await catch_up(follower)
    path = folders.read_current(kept.folder(shop.id))
    assert path is not None
    hidden = path.with_name("hidden")
    await write(alone, shop=shop, records=[a_product("desk")], now=clock.now())
    await catch_up(follower)  # the writer is open now
    await write(alone, shop=shop, records=[a_product("shelf")], now=clock.now())
    path.rename(hidden)
    path.mkdir()
    (path / "meta.json").write_text("{}")  # still the current one, but not to be written to
    await follower.step()
    shutil.rmtree(path)
    hidden.rename(path)

    await catch_up(follower)
    await catch_up(follower)
    assert named(search, "steel") == 3
    assert search.standing().as_of == 3
