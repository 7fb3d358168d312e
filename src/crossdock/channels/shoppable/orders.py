"""GET /v3/order/{number}: an order again, as its checkout answered it (spec 7.3)."""

from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from crossdock.channels.shoppable.auth import Authenticator
from crossdock.channels.shoppable.numbers import read_order_number
from crossdock.channels.shoppable.order_answers import WireOrderLine
from crossdock.channels.shoppable.order_showing import OrderShowing
from crossdock.channels.shoppable.routes import Operation, Route, parameter
from crossdock.channels.shoppable.wire import answered
from crossdock.db.unit_of_work import Database
from crossdock.errors import NotFound
from crossdock.shop.orders import Section, read_order
from crossdock.shop.partners import Credential, Partner

PATH = "/v3/order"
PERMISSION = "orders.read"
_SECTIONS: tuple[Section, ...] = ("lines", "parts", "packages", "timeline")


class OrderCalls:
    """The call of an order, and what a checkout answers."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def routes(self, authenticator: Authenticator) -> tuple[Route, ...]:
        """The route of the call."""
        handler = authenticator.guarded(self.show, permission=PERMISSION)
        path = f"{PATH}/{{number}}"
        return (Route(method="GET", path=path, handler=handler, operation=SHOW),)

    async def show(self, request: Request, credential: Credential) -> Response:
        """The order with this number. Raises NotFound, also for another partner's."""
        order_id = read_order_number(unquote(request.path_params["number"]))
        if order_id is None:
            raise NotFound("order_not_found")
        return answered(await self.lines(order_id, partner=credential.partner))

    async def lines(self, order_id: int, *, partner: Partner) -> list[WireOrderLine]:
        """The order of the partner. Raises NotFound `order_not_found`."""
        async with self._db.statement() as tx:
            order = await read_order(
                tx,
                order_id=order_id,
                shop_id=partner.shop_id,
                partner_id=partner.id,
                sections=_SECTIONS,
            )
        return OrderShowing(partner).order(order)


SHOW = Operation(
    operation_id="showOrder",
    summary="Read an order",
    description=(
        "The lines as the checkout answered them, with their statuses of now. A checkout whose answer "
        "was lost is read again so: trying it once more tells the number. Needs the right "
        f"`{PERMISSION}`, which a publisher has only where the operator names it."
    ),
    answers=(list[WireOrderLine],),
    errors=(404,),
    parameters=(parameter("number", "The order number.", place="path"),),
)
