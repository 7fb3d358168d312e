"""Batch concurrent calls into one round trip: calls that arrive during a flush join the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batcher(Generic[Item, Answer]):
    """Calls `flush` with all items that are waiting; there is no timer.

    `flush` gets at most `max_items` items and returns one result per item, in order. An exception
    that it raises is raised to every caller of the batch. At most `max_flights` flushes run at once.
    """

    def __init__(
        self,
        flush: Callable[[list[Item]], Awaitable[Sequence[Answer]]],
        *,
        max_items: int = 64,
        max_flights: int = 1,
    ) -> None:
        self._flush = flush
        self._max_items = max_items
        self._max_flights = max_flights
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._flights: set[asyncio.Task[None]] = set()

    async def __call__(self, item: Item) -> Answer:
        """The result for `item`, computed in a batch with those of other callers."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._launch()
        return await future

    def _launch(self) -> None:
        while self._waiting and len(self._flights) < self._max_flights:
            batch, self._waiting = (
                self._waiting[: self._max_items],
                self._waiting[self._max_items :],
            )
            task = asyncio.create_task(self._run(batch))
            self._flights.add(task)
            task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flights.discard(task)
        self._launch()

    async def _run(self, batch: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._flush([item for item, _ in batch])
            if len(answers) != len(batch):
                raise ValueError(f"{len(answers)} answers to {len(batch)} items")
        except BaseException as error:  # noqa: BLE001 - handed to every caller of the batch
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)
