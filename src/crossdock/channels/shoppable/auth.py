"""Authentication by a bearer token, in the header or in the path (spec section 1)."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from crossdock.channels.contract import Handler
from crossdock.channels.shoppable.errors import UNAUTHORIZED, WireError
from crossdock.errors import Refused
from crossdock.shop.partners import BearerTokens, Credential

Called = Callable[[Request, Credential], Awaitable[Response]]
"""Answers a call whose caller is known."""

CalledReader = Callable[[Request, Credential, int], Awaitable[Response]]
"""The same, with the version of the shop's goods."""

_SCHEME = "bearer"


class Authenticator:
    """Authenticates calls of this channel."""

    def __init__(self, tokens: BearerTokens, *, rate_limit_per_minute: int) -> None:
        self._tokens = tokens
        self._rate_limit_per_minute = rate_limit_per_minute

    async def by_token(self, token: str, *, permission: str) -> Credential:
        """The credential of a token, as the path of a checkout has it; its call is counted.

        Raises Refused `credential_unknown`, or `permission_denied` for a token without the right.
        """
        credential = await self._tokens.verify(
            token=token, rate_limit_per_minute=self._rate_limit_per_minute
        )
        return _allowed(credential, permission)

    async def by_header(self, request: Request, *, permission: str) -> Credential:
        """The same of the header. Raises WireError 30003 for one that is missing or no bearer token."""
        return await self.by_token(read_bearer(request), permission=permission)

    def guarded(self, called: Called, *, permission: str) -> Handler:
        """A handler that answers callers with a bearer token and this right."""

        async def handle(request: Request) -> Response:
            credential = await self.by_header(request, permission=permission)
            return await called(request, credential)

        return handle

    def guarded_reader(self, called: CalledReader, *, permission: str) -> Handler:
        """The same; what lets the call in tells the version of the shop's goods as well."""

        async def handle(request: Request) -> Response:
            credential, version = await self._tokens.verify_reader(
                token=read_bearer(request), rate_limit_per_minute=self._rate_limit_per_minute
            )
            return await called(request, _allowed(credential, permission), version)

        return handle


def _allowed(credential: Credential, permission: str) -> Credential:
    if permission not in credential.partner.permissions:
        raise Refused("permission_denied")
    return credential


def read_bearer(request: Request) -> str:
    """The token of the Authorization header. Raises WireError 30003 where there is none."""
    token = bearer_of(request)
    if not token:
        raise WireError(UNAUTHORIZED)
    return token


def bearer_of(request: Request) -> str:
    """The token of the Authorization header, whose scheme is in any case; '' where there is none."""
    scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == _SCHEME else ""
