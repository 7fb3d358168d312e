"""The application: the endpoint's other methods, other paths, the OpenAPI document."""

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from crossdock.channels.contract import Handler
from crossdock.channels.plumbing import quiet_app, refusing
from crossdock.channels.shoppo import openapi
from crossdock.channels.shoppo.endpoint import PATH
from crossdock.channels.shoppo.errors import WireError, render_error
from crossdock.errors import CrossdockError


def build_app(handle: Handler) -> FastAPI:
    """Everything that is no direct call of the endpoint."""
    app = quiet_app(title="SHOPPO API", version="1", description=openapi.DESCRIPTION)
    app.add_api_route(
        PATH,
        handle,
        methods=["POST"],
        summary="Run a GraphQL operation",
        description=openapi.OPERATION,
        operation_id="runOperation",
        responses=openapi.RESPONSES,
        openapi_extra=openapi.EXTRA,
        response_model=None,
    )
    app.add_route(f"{PATH}/", handle, methods=["POST"], include_in_schema=False)
    app.add_exception_handler(CrossdockError, refusing(render_error))
    app.add_exception_handler(HTTPException, refusing(render_error, _no_route))
    openapi.secure(app)
    return app


def _no_route(error: Exception) -> CrossdockError:
    if isinstance(error, HTTPException) and error.status_code == 405:
        return WireError("BAD_REQUEST", "Send operations by POST.", status=405)
    return WireError("NOT_FOUND", "There is nothing at this address.", status=404)
