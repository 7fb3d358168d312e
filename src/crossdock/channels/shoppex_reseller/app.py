"""The application: every path of the channel goes to one endpoint."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from crossdock.channels.shoppex_reseller.endpoint import Endpoint


def build_app(endpoint: Endpoint) -> ASGIApp:
    """The endpoint as an application."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await endpoint.handle(Request(scope, receive))
        await response(scope, receive, send)

    return app
