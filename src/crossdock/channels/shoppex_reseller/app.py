"""The application: the paths of OAuth, and one endpoint for every other path of the channel."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from crossdock.channels.shoppex_reseller.endpoint import Endpoint
from crossdock.channels.shoppex_reseller.oauth import OAuth


def build_app(endpoint: Endpoint, *, oauth: OAuth) -> ASGIApp:
    """Both as an application."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await oauth.answer(request) or await endpoint.handle(request)
        await response(scope, receive, send)

    return app
