"""The application: pages of the portal, paths of OAuth and of embeds, and one endpoint for every other path."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from crossdock.channels.shoppex_reseller.embeds import EMBED
from crossdock.channels.shoppex_reseller.endpoint import Endpoint
from crossdock.channels.shoppex_reseller.oauth import OAuth
from crossdock.channels.shoppex_reseller.portal_pages import PortalPages


def build_app(endpoint: Endpoint, *, oauth: OAuth, embeds: ASGIApp, pages: PortalPages) -> ASGIApp:
    """All of them as an application; `embeds` has the paths below EMBED."""

    async def calls(scope: Scope, receive: Receive, send: Send) -> None:
        if str(scope["path"]).startswith(f"{EMBED}/"):
            await embeds(scope, receive, send)
            return
        request = Request(scope, receive)
        response = await oauth.answer(request) or await endpoint.handle(request)
        await response(scope, receive, send)

    return pages.app(calls)
