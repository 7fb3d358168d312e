"""The routes of the fulfilment API: every method is a POST with `auth` and `data` in the body."""

from collections.abc import Callable

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from crossdock.channels.contract import Handler
from crossdock.channels.plumbing import Rendered, quiet_app, refusing
from crossdock.channels.shopwedo import labels, openapi
from crossdock.channels.shopwedo.auth import Authenticator
from crossdock.channels.shopwedo.errors import (
    HEADERS,
    JSON_TYPE,
    OrderRefused,
    WireError,
    render_error,
)
from crossdock.channels.shopwedo.lists import WholeLists
from crossdock.channels.shopwedo.methods import Method
from crossdock.channels.shopwedo.requests import REQUESTS, Auth
from crossdock.channels.shopwedo.wire import Call, Json, read_call, read_data
from crossdock.errors import CrossdockError
from crossdock.kit.compressing import choose_coding
from crossdock.kit.schemas import picked

WITHOUT_DATA = {"authTest"}  # any `data` is ignored (spec 12)
PREFIXES = ("/admin/api", "/api")


def build_handlers(
    authenticator: Authenticator, methods: dict[str, Method], *, lists: WholeLists
) -> dict[tuple[str, str], Handler]:
    """The handler of each method by verb and path: at both prefixes, with and without a trailing slash."""
    handlers = {}
    for name, method in methods.items():
        handler = _handler(authenticator, method, name=name, lists=lists)
        for prefix in PREFIXES:
            for path in (f"{prefix}/{name}", f"{prefix}/{name}/"):
                handlers["POST", path] = handler
    return handlers


def build_app(
    handlers: dict[tuple[str, str], Handler], *, label_pages: labels.LabelPages
) -> FastAPI:
    """Everything else: the OpenAPI document, the label form, and errors for other paths or verbs."""
    app = quiet_app(
        title="ShopWeDo API",
        version="1.1",
        description=openapi.DESCRIPTION,
    )
    for (verb, path), handler in handlers.items():
        prefix, _, name = path.rpartition("/")
        if name and prefix == PREFIXES[0]:
            _describe(app, path, handler, verb=verb, name=name)
        else:
            app.add_route(path, handler, methods=[verb], include_in_schema=False)
    _mount_labels(app, label_pages)
    app.add_exception_handler(CrossdockError, refusing(render_error))
    app.add_exception_handler(HTTPException, refusing(render_error, _no_method))
    return app


def _mount_labels(app: FastAPI, pages: labels.LabelPages) -> None:
    for path in labels.PATHS:
        app.add_route(path, pages.guarded(pages.form), methods=["GET"], include_in_schema=False)
        app.add_route(path, pages.guarded(pages.submit), methods=["POST"], include_in_schema=False)
    one = f"{labels.LABEL_PATH}/{{label_id}}"
    app.add_route(f"{one}.pdf", pages.guarded(pages.pdf), methods=["GET"], include_in_schema=False)
    app.add_route(f"{one}.zpl", pages.guarded(pages.zpl), methods=["GET"], include_in_schema=False)
    app.add_route(one, pages.guarded(pages.show), methods=["GET"], include_in_schema=False)


def _data(call: Call, *, name: str) -> Json:
    """The call's `data`. Raises WireError, for createOrder in its own form."""
    if name in WITHOUT_DATA:
        return {}
    try:
        data: Json = picked(read_data(call.data), REQUESTS[name])
        return data
    except WireError as error:
        if name != "createOrder":
            raise
        raise OrderRefused("order_invalid_data", errors={"data": [error.message]}) from None


def _handler(
    authenticator: Authenticator, method: Method, *, name: str, lists: WholeLists
) -> Handler:
    async def handle(request: Request) -> Response:
        """Authenticate before `data` is read: 401 takes precedence over 400."""
        body = await request.body()
        call = read_call(body, content_type=request.headers.get("content-type", ""))
        credential = await authenticator.authenticate(picked(call.auth, Auth))
        reply = await method(credential, _data(call, name=name))
        if isinstance(reply, Rendered):
            return await _whole_list(request, reply, lists=lists)
        return Response(
            msgspec.json.encode(reply.body),
            status_code=reply.status,
            headers=HEADERS,
            media_type=JSON_TYPE,
        )

    return handle


async def _whole_list(request: Request, plain: Rendered, *, lists: WholeLists) -> Response:
    """A list from memory, or from the disk with its length, as gzip where the caller accepts it."""
    if plain.body is not None:
        return Response(plain.body, headers=HEADERS, media_type=JSON_TYPE)
    accepted = ",".join(request.headers.getlist("accept-encoding"))
    coding = choose_coding(accepted, offered=("gzip",)) if accepted else ""
    try:
        sent = await lists.compress(plain) if coding else plain
    except BaseException:
        lists.done(plain)
        raise
    headers = {**HEADERS, "Vary": "Accept-Encoding", "Content-Length": str(sent.size)}
    if coding:
        headers["Content-Encoding"] = coding
    response = _LongResponse(sent.chunks(), headers=headers, media_type=JSON_TYPE)
    response.finish = lambda: lists.done(plain)
    return response


class _LongResponse(StreamingResponse):
    """One that tells when it was sent, or broke off."""

    finish: Callable[[], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.finish()


def _describe(app: FastAPI, path: str, handler: Handler, *, verb: str, name: str) -> None:
    """Add an operation to the document; requests are handled directly (see `Channel.direct`)."""
    operation = openapi.OPERATIONS[name]
    app.add_api_route(
        path,
        handler,
        methods=[verb],
        summary=operation.summary,
        description=operation.description,
        operation_id=name,
        status_code=operation.status,
        responses=operation.responses,
        openapi_extra=operation.extra,
        response_model=None,
    )


def _no_method(error: Exception) -> CrossdockError:
    is_known = isinstance(error, HTTPException) and error.status_code == 405
    return WireError("method_not_allowed" if is_known else "method_unknown")
