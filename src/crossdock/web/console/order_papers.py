"""Papers for the warehouse: pick lists of an order or a view, and the slip in a package."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.errors import NotFound
from crossdock.gate import Gate
from crossdock.kit.languages import gettext
from crossdock.shop.orders import OrderView, read_board, read_order, read_orders
from crossdock.web.console.board_address import read_address
from crossdock.web.console.order_paths import number_of, order_of
from crossdock.web.console.papers import PAPERS_MAX, packing_slip_pdf, pick_list_pdf


class PaperPages:
    """The papers as PDF. They show what is to be done now, and change nothing."""

    def __init__(self, gate: Gate, *, services: Services) -> None:
        self._gate = gate
        self._services = services
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def pick_list(self, request: Request) -> Response:
        """What is left to pick of an order."""
        visit = await self._gate.require_person(request, right="orders.fulfil")
        async with self._db.statement() as tx:
            order = await read_order(
                tx, shop_id=visit.person.shop_id, order_id=order_of(request), sections=("lines",)
            )
        return await self._pick_list([order], now=self._clock.now())

    async def pick_lists(self, request: Request) -> Response:
        """What is left to pick of the first PAPERS_MAX orders of a view, the oldest of them first."""
        visit = await self._gate.require_person(request, right="orders.fulfil")
        shop_id, now = visit.person.shop_id, self._clock.now()
        filters = read_address(request.query_params).filters
        async with self._db.statement() as tx:
            rows, _ = await read_board(
                tx, shop_id=shop_id, filters=filters, limit=PAPERS_MAX, now=now
            )
            ids = sorted(row.id for row in rows)
            orders = await read_orders(tx, shop_id=shop_id, order_ids=ids, sections=("lines",))
        return await self._pick_list(orders, now=now)

    async def slip(self, request: Request) -> Response:
        """What is in a package."""
        visit = await self._gate.require_person(request, right="orders.fulfil")
        async with self._db.statement() as tx:
            order = await read_order(
                tx,
                shop_id=visit.person.shop_id,
                order_id=order_of(request),
                sections=("lines", "packages"),
            )
        number = number_of(request.path_params["package"])
        package = next((each for each in order.packages if each.id == number), None)
        if package is None:
            raise NotFound("not_found", gettext("The order has no such package."))
        data = await asyncio.to_thread(
            packing_slip_pdf,
            order,
            package,
            fonts=self._services.label_fonts,
            now=self._clock.now(),
        )
        return _pdf(data)

    async def _pick_list(self, orders: Sequence[OrderView], *, now: datetime) -> Response:
        data = await asyncio.to_thread(
            pick_list_pdf, orders, fonts=self._services.label_fonts, now=now
        )
        return _pdf(data)


def _pdf(data: bytes) -> Response:
    return Response(data, media_type="application/pdf", headers={"Cache-Control": "no-store"})
