"""The order page behind order_detail_url: read-only, for whoever holds the order's key (spec 4.5)."""

from pathlib import Path

import jinja2
from fastapi import Request, Response

from crossdock.db.unit_of_work import Database
from crossdock.errors import NotFound
from crossdock.kit.money import format_minor
from crossdock.shop.orders import Order, read_order_by_key

PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' https: data:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
}
_ID_LENGTH_MAX = 18
_KEY_LENGTH_MAX = 64

STATE_NAMES = {
    "waiting_for_release": "Waiting for release",
    "reserved": "Reserved",
    "processing": "Processing",
    "in_fulfilment": "In fulfilment",
    "partially_shipped": "Partially shipped",
    "shipped": "Shipped",
    "completed": "Completed",
    "cancelled": "Cancelled",
}


def environment() -> jinja2.Environment:
    """The channel's templates, with everything escaped."""
    folder = Path(__file__).parent / "templates"
    made = jinja2.Environment(loader=jinja2.FileSystemLoader(folder), autoescape=True)
    made.filters["money"] = format_minor
    return made


class OrderPages:
    """Shows one order to the holder of its key."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._templates = environment()

    async def show(self, request: Request) -> Response:
        """The order's page, or the one 404 page for every wrong pair of id and key."""
        try:
            order = await self._read(request)
        except NotFound:
            return self._page("order_missing.html", status=404)
        return self._page("order_detail.html", status=200, order=order, states=STATE_NAMES)

    async def _read(self, request: Request) -> Order:
        order_id = request.query_params.get("order_id", "")
        order_key = request.query_params.get("key", "")
        if not (order_id.isascii() and order_id.isdigit()) or len(order_id) > _ID_LENGTH_MAX:
            raise NotFound("order_not_found")
        if not order_key or len(order_key) > _KEY_LENGTH_MAX:
            raise NotFound("order_not_found")
        async with self._db.statement() as tx:
            return await read_order_by_key(tx, order_id=int(order_id), order_key=order_key)

    def _page(self, template: str, *, status: int, **values: object) -> Response:
        html = self._templates.get_template(template).render(**values)
        return Response(html, status_code=status, headers=PAGE_HEADERS, media_type="text/html")
