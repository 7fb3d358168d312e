"""The application as one process runs it..."""

import asyncio

from crossdock.kit.clock import FrozenClock
from tests.support.clocked import clocked
from tests.support.simulators.http import HttpSimulator, Reply, Request


async def test_leaves_no_outgoing_connection_open_when_it_ends(
    database_url: str, tmp_path, clock: FrozenClock
) -> None:
    async def answer(_request: Request) -> Reply:
        return Reply(404)

    async with HttpSimulator(answer) as outside:
        async with clocked(
            database_url=database_url,
            data_dir=str(tmp_path),
            clock=clock,
            allowed_outbound_hosts=(outside.host,),
        ) as server:
            await server.app.services.outbound.request("GET", outside.url)
            assert outside.open_connections == 1

        async with asyncio.timeout(2):
            while outside.open_connections:
                await asyncio.sleep(0.01)
