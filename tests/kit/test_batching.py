"""A batcher..."""

import asyncio

import pytest

from crossdock.kit.batching import Batcher


async def test_gathers_calls_while_a_flush_is_under_way() -> None:
    batches: list[list[int]] = []

    async def flush(items: list[int]) -> list[int]:
        batches.append(items)
        await asyncio.sleep(0.01)
        return [item * 2 for item in items]

    double = Batcher(flush, max_flights=1)
    answers = await asyncio.gather(*(double(number) for number in range(10)))

    assert answers == [number * 2 for number in range(10)]
    assert batches == [[0], list(range(1, 10))]


async def test_splits_a_crowd_at_its_limit() -> None:
    sizes: list[int] = []

    async def flush(items: list[int]) -> list[int]:
        sizes.append(len(items))
        await asyncio.sleep(0)
        return items

    same = Batcher(flush, max_items=4, max_flights=1)
    await asyncio.gather(*(same(number) for number in range(10)))

    assert sizes == [1, 4, 4, 1]


async def test_hands_a_failure_to_every_caller_of_the_batch_and_goes_on() -> None:
    async def flush(items: list[int]) -> list[int]:
        await asyncio.sleep(0)
        if 1 in items:
            raise ValueError("no ones")
        return items

    same = Batcher(flush, max_flights=1)
    answers = await asyncio.gather(same(0), same(1), same(2), return_exceptions=True)

    assert answers[0] == 0
    assert [type(answer) for answer in answers[1:]] == [ValueError, ValueError]
    assert await same(5) == 5


async def test_lets_nobody_wait_for_an_answer_that_a_flush_forgot() -> None:
    async def forgetful(items: list[int]) -> list[int]:
        return items[:-1]

    same = Batcher(forgetful, max_flights=1)
    calls = (asyncio.wait_for(same(number), 1) for number in range(3))
    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(answer) for answer in answers] == [ValueError, ValueError, ValueError]


async def test_goes_on_when_a_caller_leaves() -> None:
    released = asyncio.Event()

    async def flush(items: list[int]) -> list[int]:
        await released.wait()
        return items

    same = Batcher(flush, max_flights=1)
    leaving = asyncio.create_task(same(1))
    staying = asyncio.create_task(same(2))
    await asyncio.sleep(0)
    leaving.cancel()
    released.set()

    assert await staying == 2
    with pytest.raises(asyncio.CancelledError):
        await leaving
