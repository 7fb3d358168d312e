"""A bare Starlette application on the same server: `python -m bench.floors.bare_app PORT URL SHOP MERCHANT FILE`.

/page, /stock, /goods, /products, /shelf, /back-office and /wares each run one query for 50 rows and answer JSON.
/board does so for 50 orders and answers HTML. /file streams a file.
"""

import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, LiteralString
from zoneinfo import ZoneInfo

import msgspec
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from jinja2 import Environment
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

PAGE = """
    select v.id, v.name, v.retail_minor, l.available, l.available, v.origin, v.upc
    from variants v join stock_levels l on l.shop_id = v.shop_id and l.variant_id = v.id and l.pool = 'own'
    where v.shop_id = %s and v.merchant_id = %s order by v.id limit 50
"""


STOCK = """
    select v.id, v.sku, v.merchant_sku, v.name, v.weight_g, l.on_hand, l.available, v.updated_at, l.updated_at
    from variants v join stock_levels l on l.shop_id = v.shop_id and l.variant_id = v.id and l.pool = 'own'
    where v.shop_id = %s and v.merchant_id = %s order by v.id limit 50
"""
GOODS = """
    select p.id, p.name, p.brand, p.description, p.handle, p.shipping_minor, p.free_shipping, m.id, m.name,
           m.shipping_flat_minor, m.free_shipping_from_minor, v.id, v.sku, v.merchant_sku, v.upc, v.retail_minor,
           l.available
    from products p join merchants m on m.shop_id = p.shop_id and m.id = p.merchant_id
    join variants v on v.shop_id = p.shop_id and v.product_id = p.id
    join stock_levels l on l.shop_id = v.shop_id and l.variant_id = v.id and l.pool = 'own'
    where p.shop_id = %s and p.merchant_id = %s order by p.id limit 50
"""
PRODUCTS = """
    select p.id, p.name, p.brand, p.handle, p.enabled and m.enabled, p.updated_at
    from products p join merchants m on m.shop_id = p.shop_id and m.id = p.merchant_id
    where p.shop_id = %s and p.merchant_id = %s order by p.created_at desc, p.id desc limit 50
"""
SHELF = """
    select p.id, p.name, p.brand, p.handle, p.description, p.enabled and m.enabled, p.created_at, p.updated_at,
           m.id, m.name, v.id, v.sku, v.name, v.retail_minor, v.listed, l.available
    from products p join merchants m on m.shop_id = p.shop_id and m.id = p.merchant_id
    join variants v on v.shop_id = p.shop_id and v.product_id = p.id
    join stock_levels l on l.shop_id = v.shop_id and l.variant_id = v.id and l.pool = 'own'
    where p.shop_id = %s and p.merchant_id = %s order by p.created_at desc, p.id desc limit 50
"""
BACK_OFFICE = """
    select p.id, p.name, p.handle, p.description, p.enabled, p.created_at, p.updated_at, v.retail_minor, l.on_hand,
           l.available
    from products p
    join variants v on v.shop_id = p.shop_id and v.product_id = p.id
    join stock_levels l on l.shop_id = v.shop_id and l.variant_id = v.id and l.pool = 'own'
    where p.shop_id = %s and p.merchant_id = %s order by p.created_at desc, p.id desc limit 50
"""
WARES = """
    select p.id, p.name, v.retail_minor, l.available
    from products p
    join variants v on v.shop_id = p.shop_id and v.product_id = p.id
    join stock_levels l on l.shop_id = v.shop_id and l.variant_id = v.id and l.pool = 'own'
    where p.shop_id = %s and p.merchant_id = %s order by p.id limit 50
"""
BOARD = """
    select o.id, o.placed_at, p.name, o.partner_order_id, o.shipping ->> 'first_name', o.shipping ->> 'last_name',
           o.shipping ->> 'country', o.fulfilment_state, o.payment_state, o.currency, o.total_minor,
           (select sum(quantity) from order_lines l where l.shop_id = o.shop_id and l.order_id = o.id),
           (select sum(shipped) from order_lines l where l.shop_id = o.shop_id and l.order_id = o.id)
    from orders o join partners p on p.shop_id = o.shop_id and p.id = o.partner_id
    where o.shop_id = %s and %s > 0 order by o.id desc limit 50
"""
BOARD_PAGE = Environment(autoescape=True).from_string(
    "<!doctype html><title>Orders</title><table>{% for row in rows %}<tr>"
    '<td><a href="/orders/{{ row[0] }}">{{ row[0] }}</a></td>'
    '<td><time datetime="{{ row[1].isoformat() }}">{{ row[1].strftime("%d %b %Y, %H:%M") }}</time></td>'
    "<td>{{ row[2] }} <span>{{ row[3] }}</span></td><td>{{ row[4] }} {{ row[5] }} <span>{{ row[6] }}</span></td>"
    '<td><span class="{{ row[7] }}">{{ row[7] }}</span> {{ row[12] }}/{{ row[11] }}</td>'
    '<td><span class="{{ row[8] }}">{{ row[8] }}</span></td>'
    '<td>{{ row[9] }} {{ "{:,.2f}".format(row[10] / 100) }}</td></tr>{% endfor %}</table>'
)
ZONE = ZoneInfo("Europe/Brussels")

Rows = Sequence[tuple[Any, ...]]


class Row(msgspec.Struct):
    """An element of the same list."""

    id: int
    name: str
    price: str
    stock_quantity: int
    stock_sc: int
    origen: str
    upc: str


def stock_item(row: tuple[Any, ...]) -> dict[str, Any]:
    """An element of the same object."""
    variant_id, sku, merchant_sku, name, weight, on_hand, available, changed, counted = row
    return {
        "sku": variant_id,
        "reference": sku,
        "reference2": merchant_sku or sku,
        "description": name,
        "warehouse_id": 1,
        "weight": weight,
        "items_in_box": 1,
        "level": on_hand,
        "atp": available,
        "master_atp": available,
        "status": 1 if available > 0 else 2,
        "status_string": "active" if available > 0 else "out_of_stock",
        "tht_alert": "",
        "tht_date": False,
        "last_update": php_time(changed),
        "last_atp_update": php_time(counted),
    }


def product(row: tuple[Any, ...]) -> dict[str, Any]:
    """A product of one colour and one size, as the publishers' catalogue tells it."""
    product_id, name, brand, description, handle, charge, is_free, merchant_id, merchant, *rest = (
        row
    )
    flat, free_from, variant_id, sku, merchant_sku, upc, retail, available = rest
    price, number = retail / 100, str(variant_id)
    own = {
        "id": number,
        "sku": number,
        "upc": upc,
        "merchant_sku": merchant_sku or sku,
        "retail_price": price,
        "price": price,
        "active": available > 0,
    }
    size = {**own, "url": "", "url2": None}
    return {
        **own,
        "part_number": str(product_id),
        "name": name,
        "brand": brand,
        "merchant": merchant,
        "merchant_id": str(merchant_id),
        "description": description,
        "url": "",
        "image": "",
        "alt_images": [],
        "on_sale": False,
        "free_shipping": is_free,
        "shipping_charge": charge / 100,
        "ship_free_min": (free_from or 0) / 100,
        "ship_flat_rate": flat / 100,
        "delivery_fee": 0.0,
        "merchant_item_id": handle,
        "coupons": [],
        "colors": [{"color": "", "retail_price": price, "images": [], "sizes": [size]}],
    }


def edge(row: tuple[Any, ...]) -> dict[str, Any]:
    """A product in its edge; its id is its number."""
    product_id, name, brand, handle, enabled, changed = row
    node = {
        "id": str(product_id),
        "name": name,
        "brand": brand,
        "identifier": handle,
        "enabled": enabled,
        "timeUpdated": int(changed.timestamp()),
    }
    return {"node": node}


def shelved(row: tuple[Any, ...]) -> dict[str, Any]:
    """A product of one Sku in its edge; ids are numbers."""
    product_id, name, brand, handle, description, enabled, created, changed, *rest = row
    merchant_id, merchant, variant_id, sku, title, retail, is_sold, available = rest
    count = available if is_sold else 0
    variant = {
        "id": str(variant_id),
        "identifier": sku,
        "description": title,
        "price": retail / 100,
        "msrp": retail / 100,
        "inventory": count,
        "enabled": is_sold,
    }
    node = {
        "id": str(product_id),
        "name": name,
        "brand": brand,
        "identifier": handle,
        "description": description,
        "enabled": enabled,
        "inventory": count,
        "timeCreated": int(created.timestamp()),
        "timeUpdated": int(changed.timestamp()),
        "merchant": {"id": str(merchant_id), "name": merchant},
        "skus": [variant],
    }
    return {"node": node}


def owned(row: tuple[Any, ...]) -> dict[str, Any]:
    """A product of serials as its shop's back office sees it."""
    product_id, name, handle, description, enabled, created, changed, retail, on_hand, available = (
        row
    )
    number = str(product_id)
    return {
        "id": number,
        "uniqid": number,
        "shop_id": number,
        "slug": handle,
        "type": "SERIALS",
        "title": name,
        "name": name,
        "description": description,
        "currency": "USD",
        "price": retail / 100,
        "price_display": f"{retail // 100}.{retail % 100:02}",
        "cost": None,
        "image": None,
        "stock": on_hand,
        "available_stock": available,
        "on_hold": not enabled,
        "variants": [],
        "created_at": int(created.timestamp()),
        "updated_at": int(changed.timestamp()),
    }


def ware(row: tuple[Any, ...]) -> dict[str, Any]:
    """The same as a reseller without a discount sees it."""
    product_id, name, retail, available = row
    number, price = str(product_id), f"{retail // 100}.{retail % 100:02}"
    return {
        "product_id": number,
        "uniqid": number,
        "title": name,
        "type": "SERIALS",
        "orderable": available > 0,
        "stock": available,
        "currency": "USD",
        "base_price": price,
        "wholesale_price": price,
        "discount_percent": 0,
        "custom_fields": [],
        "variants": [],
    }


def php_time(moment: datetime) -> dict[str, Any]:
    """A time as PHP writes it."""
    text = moment.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S.%f")
    return {"date": text, "timezone_type": 3, "timezone": "Europe/Brussels"}


def page(rows: Rows) -> Any:
    """/page."""
    return [Row(r[0], r[1], f"{r[2] // 100}.{r[2] % 100:02}", *r[3:]) for r in rows]


def stock(rows: Rows) -> Any:
    """/stock."""
    return {str(row[0]): stock_item(row) for row in rows}


def goods(rows: Rows) -> Any:
    """/goods."""
    return {"count": len(rows), "products": [product(row) for row in rows]}


def products(rows: Rows) -> Any:
    """/products."""
    found = {"length": len(rows), "edges": [edge(row) for row in rows]}
    return {"data": {"productList": found}}


def shelf(rows: Rows) -> Any:
    """/shelf."""
    return {"data": {"productList": {"edges": [shelved(row) for row in rows]}}}


def back_office(rows: Rows) -> Any:
    """/back-office."""
    return {
        "data": [owned(row) for row in rows],
        "pagination": {"next_cursor": None, "has_more": False},
        "stats": {"total": len(rows), "published": len(rows), "low_stock": 0, "out_of_stock": 0},
    }


def wares(rows: Rows) -> Any:
    """/wares."""
    pages = {"total": len(rows), "page": 1, "limit": 50, "total_pages": 1, "has_more": False}
    return {"data": [ware(row) for row in rows], "pagination": {**pages, "per_page": 50}}


PAGES: Final = (
    ("/page", "GET", PAGE, page),
    ("/stock", "POST", STOCK, stock),
    ("/goods", "GET", GOODS, goods),
    ("/products", "POST", PRODUCTS, products),
    ("/shelf", "POST", SHELF, shelf),
    ("/back-office", "GET", BACK_OFFICE, back_office),
    ("/wares", "GET", WARES, wares),
)


def create_app(url: str, *, shop_id: int, merchant_id: int, file: Path) -> Starlette:
    """A route for each page, one for the file, and a pool."""
    pool = AsyncConnectionPool(
        url, min_size=2, max_size=10, open=False, kwargs={"autocommit": True}
    )

    def route(path: str, method: str, query: LiteralString, render: Callable[[Rows], Any]) -> Route:
        async def answer(request: Request) -> Response:
            if method == "POST":
                await request.body()
            async with pool.connection() as connection:
                cursor = await connection.execute(query, (shop_id, merchant_id))
                rows = await cursor.fetchall()
            return Response(msgspec.json.encode(render(rows)), media_type="application/json")

        return Route(path, answer, methods=[method])

    async def board(_: Request) -> Response:
        async with pool.connection() as connection:
            cursor = await connection.execute(BOARD, (shop_id, merchant_id))
            rows = await cursor.fetchall()
        return Response(BOARD_PAGE.render(rows=rows), media_type="text/html")

    async def whole(_: Request) -> Response:
        return FileResponse(file, media_type="application/json")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with pool:
            yield

    routes = [
        *(route(*each) for each in PAGES),
        Route("/board", board),
        Route("/file", whole),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


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
