"""A bare Starlette application on the same server: `python -m bench.floors.bare_app PORT URL SHOP MERCHANT FILE`.

/page is one query for 50 rows and their JSON. /file streams a file.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

QUERY = """
    select v.id, v.name, v.retail_minor, l.available, l.available, v.origin, v.upc
    from variants v join stock_levels l on l.shop_id = v.shop_id and l.variant_id = v.id and l.pool = 'own'
    where v.shop_id = %s and v.merchant_id = %s order by v.id limit 50
"""


class Row(msgspec.Struct):
    """An element of the same list."""

    id: int
    name: str
    price: str
    stock_quantity: int
    stock_sc: int
    origen: str
    upc: str


def create_app(url: str, *, shop_id: int, merchant_id: int, file: Path) -> Starlette:
    """Two routes and a pool."""
    pool = AsyncConnectionPool(
        url, min_size=2, max_size=10, open=False, kwargs={"autocommit": True}
    )

    async def page(_: Request) -> Response:
        async with pool.connection() as connection:
            cursor = await connection.execute(QUERY, (shop_id, merchant_id))
            rows = await cursor.fetchall()
        body = msgspec.json.encode(
            [Row(r[0], r[1], f"{r[2] // 100}.{r[2] % 100:02}", *r[3:]) for r in rows]
        )
        return Response(body, media_type="application/json")

    async def whole(_: Request) -> Response:
        return FileResponse(file, media_type="application/json")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with pool:
            yield

    return Starlette(routes=[Route("/page", page), Route("/file", whole)], lifespan=lifespan)


async def serve(port: int, app: Starlette) -> None:
    """The same server with the same options as the product's."""
    await Server(
        app,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        backpressure=512,
        log_enabled=False,
    ).serve()


def main() -> None:
    """Serve until killed."""
    port, url, shop_id, merchant_id, file = sys.argv[1:]
    app = create_app(url, shop_id=int(shop_id), merchant_id=int(merchant_id), file=Path(file))
    uvloop.run(serve(int(port), app))


if __name__ == "__main__":
    main()
