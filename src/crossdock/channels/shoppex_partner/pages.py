"""The order page at order_detail_url: read-only, for anyone with the order's key (spec 4.5)."""

from pathlib import Path
from typing import Final

import msgspec
from fastapi import Request, Response

from crossdock.channels.plumbing import Pages
from crossdock.db.unit_of_work import Database
from crossdock.errors import NotFound
from crossdock.gate import Seller, buyer_language, only_shop, page_headers, seller_of
from crossdock.kit.languages import lazy, speaking
from crossdock.kit.numbers import read_number
from crossdock.shop.orders import OrderView, PackageView, Section, read_order_by_key
from crossdock.shop.shops import Shop, read_shop_by_id

PAGE_HEADERS = page_headers(images="'self' https: data:")
_KEY_LENGTH_MAX = 64

_SECTIONS: tuple[Section, ...] = ("lines", "packages", "returns")

_ROAD = (
    lazy("Received"),
    lazy("Processing"),
    lazy("In fulfilment"),
    lazy("Shipped"),
    lazy("Completed"),
)
_PLACES: dict[str, tuple[int, str]] = {
    "waiting_for_release": (0, lazy("Waiting for release")),
    "reserved": (0, lazy("Reserved")),
    "processing": (1, lazy("Processing")),
    "in_fulfilment": (2, lazy("In fulfilment")),
    "partially_shipped": (3, lazy("Partly shipped")),
    "shipped": (3, lazy("Shipped")),
    "completed": (4, lazy("Completed")),
}


_SENT: Final = {"shipped": lazy("On its way"), "delivered": lazy("Delivered")}
"""A package that the buyer is told of, in words."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the status line; `phase` is done, current, coming or stopped."""

    name: str
    phase: str


def steps(state: str) -> list[Step]:
    """The status line of an order."""
    if state == "cancelled":
        return [
            Step(name=lazy("Received"), phase="done"),
            Step(name=lazy("Cancelled"), phase="stopped"),
        ]
    place, name = _PLACES[state]
    line = []
    for number, station in enumerate(_ROAD):
        if number == place:
            phase = "done" if state == "completed" else "current"
            line.append(Step(name=name, phase=phase))
        else:
            line.append(Step(name=station, phase="done" if number < place else "coming"))
    return line


def _link(package: PackageView) -> str:
    """The package's tracking page, or '' for what is no link: a connector may have told anything."""
    url = package.tracking_url
    return url if url.startswith(("https://", "http://")) else ""


def create_pages() -> Pages:
    """The channel's templates."""
    return Pages(Path(__file__).parent / "templates", headers=PAGE_HEADERS)


class OrderPages:
    """The order page."""

    def __init__(self, db: Database, *, public_url: str) -> None:
        self._db = db
        self._base = public_url.rstrip("/")
        self._page = create_pages().page

    async def show(self, request: Request) -> Response:
        """The order's page, or the same 404 page for every wrong pair of id and key."""
        try:
            order, shop = await self._read(request)
        except NotFound:
            return await self._missing(request)
        language = buyer_language(
            request, of_shop=shop.languages, named=order.language, country=order.shipping.country
        )
        with speaking(language):
            return self._show(order, seller=seller_of(shop))

    async def _missing(self, request: Request) -> Response:
        shop = await only_shop(self._db)
        with speaking(buyer_language(request, of_shop=shop.languages if shop else ())):
            return self._page(
                "order_missing.html", code=404, seller=seller_of(shop) if shop else None
            )

    def _show(self, order: OrderView, *, seller: Seller) -> Response:
        line = steps(order.fulfilment_state)
        return self._page(
            "order_detail.html",
            seller=seller,
            order=order,
            steps=line,
            status=[step for step in line if step.phase != "coming"][-1],
            packages=[package for package in order.packages if package.state in _SENT],
            names={line.line_no: line.name for line in order.lines},
            sent=_SENT,
            link=_link,
            images={line.line_no: self._image(line.image) for line in order.lines},
        )

    async def _read(self, request: Request) -> tuple[OrderView, Shop]:
        order_id = read_number(request.query_params.get("order_id", ""))
        order_key = request.query_params.get("key", "")
        if order_id is None:
            raise NotFound("order_not_found")
        if not order_key or len(order_key) > _KEY_LENGTH_MAX:
            raise NotFound("order_not_found")
        async with self._db.statement() as tx:
            order = await read_order_by_key(
                tx, order_id=order_id, order_key=order_key, sections=_SECTIONS
            )
            return order, await read_shop_by_id(tx, shop_id=order.shop_id)

    def _image(self, url: str | None) -> str:
        """An image URL that the page may load: a path on this server, or https; else ''."""
        own = (url or "").removeprefix(self._base)
        is_own = own.startswith("/") and not own.startswith("//")
        return own if is_own or own.startswith("https://") else ""
