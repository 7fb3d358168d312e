"""Compare an index with the database: every SKU that may be sold, and its price."""

from typing import Final

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Unavailable
from crossdock.shop.catalogue import PUBLIC_LOWEST
from crossdock.shop.doctor import CheckResult, Difference
from crossdock.shop.search.engine import Contents
from crossdock.shop.search.searching import Searching

CHECK: Final = "the search indexes of this machine are right"
DIFFERENCES_MAX: Final = 1_000
_TRIES: Final = 3


async def examine_indexes(db: Database, *, searching: Searching) -> CheckResult:
    """Compare each shop's index on this machine with the database; reads only.

    An index that is behind its events is not compared: `crossdock search status` tells of it.
    """
    async with db.statement() as tx:
        shops = await tx.all("select id, slug from shops order by id")
    looked_at = 0
    differences: list[Difference] = []
    for shop_id, slug in shops:
        for _ in range(_TRIES):
            found = await _compare(db, searching=searching, shop_id=shop_id, slug=slug)
            if found is not None:
                looked_at += found.looked_at
                differences += found.differences
                break
    kept = tuple(differences[:DIFFERENCES_MAX])
    return CheckResult(check=CHECK, looked_at=looked_at, differences=kept)


async def _compare(
    db: Database, *, searching: Searching, shop_id: int, slug: str
) -> CheckResult | None:
    """None where the catalogue changed meanwhile, or the index does not know all of it yet."""
    try:
        contents = await searching.contents(shop_id)
    except Unavailable:
        return None
    async with db.begin() as tx:
        await tx.run("set transaction isolation level repeatable read, read only")
        await tx.take_time()
        if await tx.value(_UNREAD, (shop_id, contents.as_of)):
            return None
        wanted = await _wanted(tx, shop_id=shop_id, contents=contents)
    found = contents.prices
    differences = [
        Difference(
            check=CHECK,
            where=f"shop {slug} variant {variant_id}",
            expected=_told(wanted.get(variant_id)),
            found=_told(found.get(variant_id)),
        )
        for variant_id in sorted(wanted.keys() | found.keys())
        if wanted.get(variant_id) != found.get(variant_id)
    ]
    return CheckResult(check=CHECK, looked_at=len(wanted), differences=tuple(differences))


async def _wanted(tx: Transaction, *, shop_id: int, contents: Contents) -> dict[int, int]:
    return dict(await tx.all(_PRICES, {"shop": shop_id, "now": contents.priced_at}))


def _told(price_minor: int | None) -> str:
    return "not there" if price_minor is None else f"at {price_minor}"


_UNREAD = """
    select exists (select 1 from events where shop_id = %s and topic in ('catalogue', 'price')
                   and (sequence is null or sequence > %s))
"""
_PRICES = f"""
    select v.id, lowest.price_minor from variants v cross join lateral {PUBLIC_LOWEST} lowest
    where v.shop_id = %(shop)s and v.listed
"""
