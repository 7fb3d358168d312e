"""Partners with a token and the number of the viewer whose it is; the two must fit."""

from starlette.requests import Request
from starlette.responses import Response

from crossdock.channels.contract import Channel, ChannelFacts, Services
from crossdock.channels.manifest import Manifest
from crossdock.shop.partners import BearerTokens
from tests.support.toy_doors.answering import nothing, render_error, told

NAME = "toy_viewers"
FACTS = ChannelFacts(
    name=NAME,
    permissions=(),
    settings={},
    keys_are_numbers=True,
    proof="bearer",
    shown_as={"token": "accesstoken", "key": "viewerid"},
)


def create_channel(services: Services) -> Channel:
    """The channel, over the services of one process."""
    tokens = BearerTokens(services.create_callers(NAME))

    async def by_viewer(request: Request) -> Response:
        found = await tokens.verify(
            token=request.headers.get("accesstoken", ""),
            key=request.headers.get("viewerid", ""),
            rate_limit_per_minute=services.settings.partners.rate_limit_per_minute,
        )
        return told(found)

    return Channel(
        name=NAME,
        paths=("/toy-viewers",),
        app=nothing,
        render_error=render_error,
        direct={("GET", "/toy-viewers/me"): by_viewer},
    )


MANIFEST = Manifest(name=NAME, create=create_channel, facts=lambda: FACTS)
