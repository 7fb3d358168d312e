"""Partners with a bearer token that begins with `toy_`, and with a user name and a password."""

import base64
import binascii

from starlette.requests import Request
from starlette.responses import Response

from crossdock.channels.contract import Channel, ChannelFacts, Services
from crossdock.channels.manifest import Manifest
from crossdock.shop.partners import BearerTokens
from tests.support.toy_doors.answering import bearer, nothing, render_error, told

NAME = "toy_tokens"
FACTS = ChannelFacts(
    name=NAME,
    permissions=(),
    settings={},
    proof="bearer",
    further_proofs=("password",),
    token_prefix="toy_",
)


def create_channel(services: Services) -> Channel:
    """The channel; both proofs stand on one cache."""
    callers = services.create_callers(NAME)
    tokens = BearerTokens(callers, prefix=FACTS.token_prefix)
    passwords = services.create_passwords(callers)
    limit = services.settings.partners.rate_limit_per_minute

    async def by_token(request: Request) -> Response:
        token = bearer(request)
        return told(await tokens.verify(token=token, rate_limit_per_minute=limit))

    async def by_password(request: Request) -> Response:
        name, password = _pair(request)
        found = await passwords.verify(
            name=name,
            password=password,
            source=request.headers.get("x-source", ""),
            rate_limit_per_minute=limit,
        )
        return told(found)

    return Channel(
        name=NAME,
        paths=("/toy-tokens",),
        app=nothing,
        render_error=render_error,
        direct={
            ("GET", "/toy-tokens/by-token"): by_token,
            ("GET", "/toy-tokens/by-password"): by_password,
        },
    )


MANIFEST = Manifest(name=NAME, create=create_channel, facts=lambda: FACTS)


def _pair(request: Request) -> tuple[str, str]:
    """Name and password of Basic authentication, two empty texts without it."""
    _, _, sent = request.headers.get("authorization", "").partition(" ")
    try:
        name, _, password = base64.b64decode(sent, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password
