"""The search service of a process: bounded, off the event loop, with a deadline."""

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final, TypeVar

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, Unavailable
from crossdock.kit.numbers import counted
from crossdock.shop.alerts import raise_alert
from crossdock.shop.search.asking import LIMIT_MAX, OFFSET_MAX, Explained, Found, SearchRequest
from crossdock.shop.search.engine import Contents, Engine, Standing
from crossdock.shop.search.tree import Bounds, check_bounds

T = TypeVar("T")
EDGES_MAX: Final = 50
# Filters do not score, and are lists that a program makes: they may be longer than what a person writes.
FILTER_CHARS: Final = 32_768
FILTER_CLAUSES: Final = 1_024
FILTER_PATTERNS: Final = 256  # each looks in one field, where a word of a search looks in all
EngineOf = Callable[[int], Engine]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one search may cost, how many a process runs and lets wait, and when an index is late."""

    bounds: Bounds
    deadline_ms: int
    at_once: int
    waiting_max: int
    lag_alert_s: int = 0


class Searching:
    """Searches the indexes of this machine; one for a process, closed in the end."""

    def __init__(self, engine_of: EngineOf, *, limits: Limits) -> None:
        self._engine_of = engine_of
        self._engines: dict[int, Engine] = {}
        self._limits = limits
        self._threads: ThreadPoolExecutor | None = None
        self._waiting = 0

    @property
    def bounds(self) -> Bounds:
        """How large a query may be, for parsers that would rather not read a larger one."""
        return self._limits.bounds

    async def search(self, request: SearchRequest, *, shop_id: int) -> Found:
        """Answer one request.

        Raises Invalid `too_large` or `invalid_input` for a request beyond the bounds, Unavailable
        `search_unavailable` while there is no index, and `busy` beyond the deadline or where too many
        wait.
        """
        self.check(request)
        engine = self.engine(shop_id)
        return await self._run(lambda: engine.search(request))

    async def explain(
        self, request: SearchRequest, *, shop_id: int, trial: Engine | None = None
    ) -> tuple[Explained, ...]:
        """Why the products of the page stand where they do; errors as of `search`.

        `trial` is an engine with other weights, which takes a search's place as any other does.
        """
        self.check(request)
        engine = trial or self.engine(shop_id)
        return await self._run(lambda: engine.explain(request))

    async def standing(self, shop_id: int) -> Standing:
        """How much the index knows, however many searches wait. Raises Unavailable `search_unavailable`."""
        return await asyncio.to_thread(self.engine(shop_id).standing)

    def state(self, shop_id: int) -> Hashable:
        """What is another one as soon as a search may be answered otherwise; None while there is no index."""
        return self.engine(shop_id).state()

    async def contents(self, shop_id: int) -> Contents:
        """All that the index knows, however long it takes. Raises Unavailable `search_unavailable`."""
        return await asyncio.to_thread(self.engine(shop_id).contents)

    def engine(self, shop_id: int) -> Engine:
        """The engine of a shop."""
        if shop_id not in self._engines:
            self._engines[shop_id] = self._engine_of(shop_id)
        return self._engines[shop_id]

    def is_late(self, oldest_s: int) -> bool:
        """Whether the oldest change that an index does not know is too old; never without a limit."""
        return 0 < self._limits.lag_alert_s < oldest_s

    def check(self, request: SearchRequest) -> None:
        """Raise Invalid for a request that would cost more than the bounds allow."""
        otherwise = () if request.otherwise is None else (request.otherwise,)
        check_bounds((request.query,), bounds=self._limits.bounds)
        check_bounds(otherwise, bounds=self._limits.bounds)
        filters = tuple(each.node for each in request.filters)
        check_bounds(filters, bounds=_of_filters(self._limits.bounds))
        if not 0 <= request.offset <= OFFSET_MAX or not 0 <= request.limit <= LIMIT_MAX:
            raise Invalid("invalid_input", "The page is out of range.")
        for facet in request.facets:
            edges = facet.edges
            if len(edges) > EDGES_MAX or sorted({*edges}) != list(edges) or min((1, *edges)) < 1:
                raise Invalid("invalid_input", "Edges of prices ascend from above 0.")

    async def _run(self, work: Callable[[], T]) -> T:
        limits = self._limits
        if self._waiting >= limits.waiting_max:
            raise Unavailable("busy", data={"retry_after_s": 1})
        if self._threads is None:
            self._threads = ThreadPoolExecutor(limits.at_once, thread_name_prefix="search")
        future = self._threads.submit(work)
        self._waiting += 1
        try:
            async with asyncio.timeout(limits.deadline_ms / 1000):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise Unavailable("busy", data={"retry_after_s": 2}) from None
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the threads; a search that runs is not waited for."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)


def _of_filters(bounds: Bounds) -> Bounds:
    return msgspec.structs.replace(
        bounds,
        chars=max(bounds.chars, FILTER_CHARS),
        clauses=max(bounds.clauses, FILTER_CLAUSES),
        patterns=max(bounds.patterns, FILTER_PATTERNS),
    )


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """How far a shop's index is behind: unread events that concern it, and the age of the oldest.

    `as_of` and `documents` are None while there is no index.
    """

    shop: str
    shop_id: int
    last_event: int
    as_of: int | None
    documents: int | None
    unread: int
    oldest_s: int


async def read_lags(
    tx: Transaction, *, searching: Searching, now: datetime, shop_id: int | None = None
) -> list[Lag]:
    """The lag of every shop's index on this machine, or of one."""
    shops = await tx.all(
        "select id, slug, last_sequence from shops where %s::bigint is null or id = %s order by id",
        (shop_id, shop_id),
    )
    return [
        await _read_lag(tx, searching=searching, now=now, shop=(each, slug, last))
        for each, slug, last in shops
    ]


async def alert_of_lags(tx: Transaction, *, searching: Searching, now: datetime) -> int:
    """Raise the alert `search_behind` for each index that is behind for too long; how many are new."""
    raised = 0
    for lag in await read_lags(tx, searching=searching, now=now):
        if searching.is_late(lag.oldest_s):
            message = (
                f"The search index does not know {counted(lag.unread, 'change')} of the catalogue, the oldest"
                f" {counted(lag.oldest_s, 'second')} old; see the worker's log."
            )
            raised += await raise_alert(
                tx, shop_id=lag.shop_id, kind="search_behind", message=message, now=now
            )
    return raised


async def _read_lag(
    tx: Transaction, *, searching: Searching, now: datetime, shop: tuple[int, str, int]
) -> Lag:
    shop_id, slug, last = shop
    standing: Standing | None
    try:
        standing = await searching.standing(shop_id)
    except Unavailable:
        standing = None
    as_of = standing.as_of if standing else 0
    row = await tx.one(
        "select count(*), min(created_at) from events where shop_id = %s and topic in ('catalogue', 'price')"
        " and (sequence > %s or sequence is null)",
        (shop_id, as_of),
    )
    unread, oldest = row or (0, None)
    return Lag(
        shop=slug,
        shop_id=shop_id,
        last_event=last,
        as_of=standing.as_of if standing else None,
        documents=standing.documents if standing else None,
        unread=unread,
        oldest_s=max(0, round((now - oldest).total_seconds())) if oldest else 0,
    )
