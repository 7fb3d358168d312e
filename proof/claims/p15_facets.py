"""P15: every count and facet of a search equals what testing every SKU gives."""

import random
import time

from crossdock.kit.clock import SystemClock
from crossdock.shop.search import Document, Follower
from crossdock.shop.shops import Shop
from proof.claim import Claim, Findings, Result, Size
from proof.stand import Stand
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
    sold_by,
    write,
)


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Build the index over a part of the goods; the rest is added, changed and removed afterwards."""
    findings = Findings()
    shop = await open_shop(stand.database)
    clock = SystemClock()
    kept = building(stand.database, root=stand.folder / "search", clock=clock)
    follower = Follower(kept)
    goods = made_goods(size["skus"], rng=rng)
    first = len(goods) // 2
    await write(
        stand.database,
        shop=shop,
        records=[record_of(each) for each in goods[:first]],
        now=clock.now(),
    )
    await catch_up(follower)
    sold = await _change(stand, shop, goods, first=first, rng=rng)
    await catch_up(follower)
    await follower.close()
    documents = await _expected(stand, shop, sold)
    local, oracle = engine(kept, shop), BruteForce(documents)
    ids = _ids(documents)
    ours_s = theirs_s = 0.0
    hits = 0
    for number in range(size["searches"]):
        request = made_request(rng, merchant_ids=ids[0], category_ids=ids[1])
        began = time.perf_counter()
        found = local.search(request)
        ours_s += (between := time.perf_counter()) - began
        right = oracle.search(request)
        theirs_s += time.perf_counter() - between
        hits += found.count > 0
        try:
            assert_equal(found, right, request=request, where=f"search {number}: {request}")
        except AssertionError as error:
            findings.expect(False, str(error).splitlines()[0])
    findings.expect(hits * 5 > size["searches"], f"only {hits} searches found anything")
    return findings.result(
        skus=local.standing().documents,
        searches=size["searches"],
        found_something=hits,
        ms_a_search=round(1000 * ours_s / size["searches"], 2),
        ms_by_trying=round(1000 * theirs_s / size["searches"], 1),
    )


async def _change(
    stand: Stand, shop: Shop, goods: Goods, *, first: int, rng: random.Random
) -> Goods:
    """Change and remove some goods, and add the rest; returns what is sold afterwards."""
    clock = SystemClock()
    others = made_goods(sum(map(len, goods[:first])), rng=rng)
    changed = [sold_by(new, old) for new, old in zip(others, goods[: first // 4], strict=False)]
    gone = goods[first // 4 : first // 3]
    records = [record_of(each) for each in (*changed, *goods[first:])]
    records += [record_of(each, enabled=False) for each in gone]
    await write(stand.database, shop=shop, records=records, now=clock.now())
    return [*changed, *goods[first // 3 :]]


async def _expected(stand: Stand, shop: Shop, goods: Goods) -> list[Document]:
    async with stand.database.statement() as tx:
        return await expected(tx, shop=shop, goods=goods)


def _ids(documents: list[Document]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    merchants = {each.merchant_id for each in documents}
    categories = {each.id for document in documents for each in document.categories}
    return tuple(sorted(merchants)), tuple(sorted(categories))


CLAIM = Claim(
    id="P15",
    title="counts and facets are exact",
    workload="2,000 [100] random searches on 50,000 [2,000] SKUs, half of them indexed from events",
    must_hold="count, every facet, order and page are what trying every SKU gives",
    full={"skus": 50_000, "searches": 2_000},
    quick={"skus": 2_000, "searches": 100},
    run=run,
    server=False,
)
