"""The routes of the partner API: decode the request, call the core, encode the response."""

from urllib.parse import parse_qs

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from crossdock.channels.contract import Handler, sent_body
from crossdock.channels.plumbing import quiet_app, refusing
from crossdock.channels.shoppex_partner import explain, openapi, pages
from crossdock.channels.shoppex_partner.auth import Authenticator, require
from crossdock.channels.shoppex_partner.catalogue import (
    ENCODINGS,
    CatalogueAnswer,
    CatalogueAnswers,
    etag,
    is_known,
)
from crossdock.channels.shoppex_partner.errors import (
    HEADERS,
    JSON_TYPE,
    WireError,
    render_error,
)
from crossdock.channels.shoppex_partner.settings import ShoppexPartnerSettings
from crossdock.channels.shoppex_partner.wire import encode_success, read_order
from crossdock.errors import Conflict, CrossdockError, StorageFull
from crossdock.kit.compressing import choose_coding
from crossdock.kit.storage import is_full
from crossdock.shop.orders import (
    Opened,
    OrderRequest,
    Placing,
    Rule,
    amount_is_in_range,
    billing_is_complete,
    customer_is_active,
    number_is_unused,
    open_order,
    origin_rule,
    place_for_customer,
    variants_are_known,
    what_is_shipped_has_an_address,
)
from crossdock.shop.partners import Credential, Spending

PREFIX = "/wp-json"
PRODUCTS_ROUTE = "/shoppex-integrations/v1/products"
ORDERS_ROUTE = "/shoppex-integrations/v1/create-order"

# In the specification's order (section 4.2).
RULES: tuple[Rule, ...] = (
    number_is_unused,
    customer_is_active,
    billing_is_complete,
    what_is_shipped_has_an_address,
    variants_are_known,
    origin_rule,
    amount_is_in_range,
)


class Door:
    """The two endpoints of the specification."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        catalogue: CatalogueAnswers,
        placing: Placing,
        settings: ShoppexPartnerSettings,
        public_url: str,
    ) -> None:
        self._authenticator = authenticator
        self._catalogue = catalogue
        self._placing = placing
        self._settings = settings
        self._public_url = public_url.rstrip("/")

    def handlers(self) -> dict[tuple[str, str], Handler]:
        """The handler of each endpoint by method and path, with and without a trailing slash."""
        spoken = (
            ("GET", PRODUCTS_ROUTE, self.products),
            ("HEAD", PRODUCTS_ROUTE, self.products),
            ("POST", ORDERS_ROUTE, self.create_order),
        )
        return {
            (verb, PREFIX + route + slash): handler
            for verb, route, handler in spoken
            for slash in ("", "/")
        }

    async def products(self, request: Request) -> Response:
        """List every product that the partner may buy (spec section 3)."""
        body = await request.body()
        credential = await self._authenticator.authenticate(
            method=request.method,
            route=PRODUCTS_ROUTE,
            headers=request.headers.raw,
            body=sent_body(request, body),
        )
        require(credential, "products.read")
        answer = await self._catalogue.get(credential.partner)
        coding = choose_coding(_listed(request, "accept-encoding"), offered=ENCODINGS)
        headers = {**HEADERS, "ETag": etag(answer, coding), "Vary": "Accept-Encoding"}
        if is_known(_listed(request, "if-none-match"), answer):
            return Response(status_code=304, headers=headers)
        return await self._list(answer, coding, headers, head=request.method == "HEAD")

    async def _list(
        self, answer: CatalogueAnswer, coding: str, headers: dict[str, str], *, head: bool
    ) -> Response:
        rendered = await self._catalogue.coded(answer, coding)
        headers["Content-Length"] = str(rendered.size)
        if coding:
            headers["Content-Encoding"] = coding
        if head or rendered.body is not None:
            content = b"" if head else rendered.body
            return Response(content, headers=headers, media_type=JSON_TYPE)
        return StreamingResponse(rendered.chunks(), headers=headers, media_type=JSON_TYPE)

    async def create_order(self, request: Request) -> Response:
        """Create an order for the partner's customer (spec section 4).

        One statement spends the nonce and reads what the rules need; the order's commit also persists
        the nonce. If no order is written, the nonce is persisted first.
        """
        body = await request.body()
        arrival = _Arrival()

        async def spend(spending: Spending) -> str:
            return await self._open(arrival, spending, request=request, body=body)

        credential = await self._authenticator.authenticate(
            method=request.method,
            route=ORDERS_ROUTE,
            headers=request.headers.raw,
            body=sent_body(request, body),
            spend=spend,
        )
        try:
            return await self._place(arrival, credential)
        except Exception:
            await self._authenticator.settle()
            raise

    async def _open(
        self, arrival: "_Arrival", spending: Spending, *, request: Request, body: bytes
    ) -> str:
        """Spend the nonce. What is wrong with the order is told only after what is wrong with the call."""
        arrival.refusal = None
        try:
            require(spending.credential, "orders.create")
            arrival.order = read_order(
                body,
                content_type=_listed(request, "content-type"),
                items_max=self._settings.items_per_order_max,
                is_test=spending.credential.is_test,
            )
        except CrossdockError as error:
            arrival.refusal = error
            return await self._authenticator.spend_early(spending)
        outcome, arrival.opened = await open_order(
            self._placing,
            partner=spending.credential.partner,
            request=arrival.order,
            spending=spending,
        )
        return outcome

    async def _place(self, arrival: "_Arrival", credential: Credential) -> Response:
        order = arrival.readable()
        try:
            placed = await place_for_customer(
                self._placing,
                partner=credential.partner,
                request=order,
                rules=RULES,
                opened=arrival.opened,
            )
        except Conflict as conflict:
            conflict.data["order_detail_url"] = self._detail_url(conflict.data)
            raise
        url = self._detail_url({"order_id": placed.id, "order_key": placed.order_key})
        return Response(
            encode_success(placed, number=order.partner_order_id, detail_url=url),
            status_code=self._settings.create_status,
            headers=HEADERS,
            media_type=JSON_TYPE,
        )

    def _detail_url(self, order: dict[str, object]) -> str:
        return f"{self._public_url}/order-detail/?order_id={order['order_id']}&key={order['order_key']}"


class _Arrival:
    """An order on its way in: what was read of it, or why it is refused."""

    order: OrderRequest | None = None
    refusal: CrossdockError | None = None
    opened: Opened | None = None

    def readable(self) -> OrderRequest:
        """The order. Raises what is wrong with it."""
        if self.refusal:
            raise self.refusal
        assert self.order is not None  # it was read before its nonce was spent
        return self.order


def build_app(door: Door, *, order_pages: pages.OrderPages, tool: explain.ExplainTool) -> FastAPI:
    """The channel as one ASGI application with its own OpenAPI document."""
    app = quiet_app(
        title="Shoppex Partner API",
        version="1",
        description=openapi.DESCRIPTION,
    )
    _describe(app, PRODUCTS_ROUTE, door.products, method="GET", extra=openapi.PRODUCTS)
    _describe(app, ORDERS_ROUTE, door.create_order, method="POST", extra=openapi.CREATE)
    for path in ("/order-detail/", "/order-detail"):
        app.add_route(path, order_pages.show, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_api_route(explain.PATH, tool.page, methods=["GET", "POST"], include_in_schema=False)
    app.add_exception_handler(CrossdockError, refusing(render_error))
    app.add_exception_handler(HTTPException, refusing(render_error, _no_route))
    app.add_exception_handler(Exception, refusing(render_error, _internal))
    return app


def path_in_query(query: bytes) -> str | None:
    """The path in WordPress's query form: `rest_route=/a` stands for /wp-json/a (spec section 1).

    None if rest_route is missing or empty. The last of several wins, as in PHP.
    """
    given = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    route = given.get("rest_route", [""])[-1]
    if not route:
        return None
    return PREFIX + route if route.startswith("/") else PREFIX


def _describe(
    app: FastAPI, route: str, handler: Handler, *, method: str, extra: openapi.Operation
) -> None:
    """Add an operation to the document; requests are handled directly (see `Channel.direct`)."""
    app.add_api_route(
        PREFIX + route,
        handler,
        methods=[method],
        summary=extra.summary,
        description=extra.description,
        responses=extra.responses,
        openapi_extra=extra.extra,
        operation_id=extra.operation_id,
        status_code=extra.status,
        response_model=None,
    )


def _listed(request: Request, name: str) -> str:
    """A list header; several lines of it are joined."""
    return ",".join(request.headers.getlist(name))


def _no_route(_error: Exception) -> CrossdockError:
    """As in WordPress there is no 405: a wrong method is 404."""
    return WireError("rest_no_route")


def _internal(error: Exception) -> CrossdockError:
    """The framework re-raises after this response; the server around the channel logs it."""
    return StorageFull() if is_full(error) else CrossdockError("internal")
