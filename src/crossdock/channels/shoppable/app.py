"""The routes of the channel as one application, and what every call has in common."""

from collections.abc import Iterable, Sequence

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from crossdock.channels.contract import Handler
from crossdock.channels.plumbing import quiet_app, refusing
from crossdock.channels.shoppable import openapi
from crossdock.channels.shoppable.errors import NO_METHOD, NO_ROUTE, WireError, render_error
from crossdock.channels.shoppable.routes import Route, extra_of, responses_of
from crossdock.channels.shoppable.wire import preflight
from crossdock.errors import CrossdockError


def build_handlers(routes: Iterable[Route]) -> dict[tuple[str, str], Handler]:
    """The handlers of the routes without a parameter in their path, with and without a trailing slash."""
    return {
        (route.method, route.path + slash): route.handler
        for route in routes
        if "{" not in route.path
        for slash in ("", "/")
    }


def build_app(routes: Sequence[Route]) -> FastAPI:
    """Everything else: routes with parameters, preflights, the OpenAPI document, errors for other paths."""
    app = quiet_app(title="Shoppable API", version="3", description=openapi.DESCRIPTION)
    for route in routes:
        _describe(app, route)
        app.add_api_route(
            f"{route.path}/", route.handler, methods=[route.method], include_in_schema=False
        )
    for path in dict.fromkeys(route.path for route in routes):
        for slash in ("", "/"):
            app.add_route(path + slash, _preflight, methods=["OPTIONS"], include_in_schema=False)
    app.add_exception_handler(CrossdockError, refusing(render_error))
    app.add_exception_handler(HTTPException, refusing(render_error, _no_route))
    openapi.secure(app)
    return app


def _describe(app: FastAPI, route: Route) -> None:
    operation = route.operation
    app.add_api_route(
        route.path,
        route.handler,
        methods=[route.method],
        summary=operation.summary,
        description=operation.description,
        operation_id=operation.operation_id,
        responses=responses_of(operation),
        openapi_extra=extra_of(operation),
        response_model=None,
        include_in_schema=not route.is_hidden,
    )


async def _preflight(_request: Request) -> Response:
    return preflight()


def _no_route(error: Exception) -> CrossdockError:
    if not isinstance(error, HTTPException) or error.status_code != 405:
        return WireError(NO_ROUTE)
    refused = WireError(NO_METHOD)
    allowed = (error.headers or {}).get("Allow", "GET").split(", ")
    refused.data["allow"] = ", ".join(sorted(allowed))
    return refused
