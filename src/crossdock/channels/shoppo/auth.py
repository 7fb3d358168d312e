"""Authentication by `accesstoken` and `viewerid`, which belong together (spec section 1)."""

from typing import NamedTuple

from starlette.requests import Request

from crossdock.channels.shoppo.requests import Asked
from crossdock.errors import Refused
from crossdock.shop.partners import BearerTokens, Credential

TOKEN, VIEWER = "accesstoken", "viewerid"
TOKEN_VARIABLE, VIEWER_VARIABLE = "test_access_token", "test_viewer_id"
PERMISSION = "graphql"


class Caller(NamedTuple):
    """Who calls, and the version of the shop's goods at that moment where it was asked for."""

    credential: Credential
    goods_version: int | None = None


class Authenticator:
    """Authenticates calls of this channel; `takes_variables`: credentials may be among the variables."""

    def __init__(
        self, tokens: BearerTokens, *, per_second: int, burst: int, takes_variables: bool
    ) -> None:
        self._tokens = tokens
        self._per_minute = per_second * 60
        self._burst = burst
        self.takes_variables = takes_variables

    async def by_headers(self, request: Request, *, reads_goods: bool = False) -> Caller | None:
        """Who calls, by the headers; None where neither is there. Raises Refused."""
        token, viewer = request.headers.get(TOKEN, ""), request.headers.get(VIEWER, "")
        if not token and not viewer and self.takes_variables:
            return None
        return await self.admit(token=token.strip(), viewer=viewer.strip(), reads_goods=reads_goods)

    async def by_variables(self, asked: Asked) -> Credential:
        """The credential of the variables, which are taken out. Raises Refused."""
        token = asked.variables.pop(TOKEN_VARIABLE, "")
        viewer = asked.variables.pop(VIEWER_VARIABLE, "")
        if not isinstance(token, str) or not isinstance(viewer, str):
            raise Refused("credential_unknown")
        return await self.verify(token=token, viewer=viewer)

    async def verify(self, *, token: str, viewer: str) -> Credential:
        """The credential with this token and this id. Raises what `admit` does."""
        return (await self.admit(token=token, viewer=viewer)).credential

    async def admit(self, *, token: str, viewer: str, reads_goods: bool = False) -> Caller:
        """Who calls with this token and this id; who `reads_goods` is told their version as well.

        Raises Refused: credential_unknown, credential_signature for a token of another viewer, and
        permission_denied for a viewer who is disabled or lacks the right.
        """
        if not token or not viewer:
            raise Refused("credential_unknown")
        try:
            caller = await self._ask(token, viewer=viewer, reads_goods=reads_goods)
        except Refused as refused:
            is_unknown = refused.code == "credential_unknown"
            if is_unknown and await self._tokens.is_disabled(token):
                raise Refused("permission_denied") from None
            raise
        if PERMISSION not in caller.credential.partner.permissions:
            raise Refused("permission_denied")
        return caller

    async def _ask(self, token: str, *, viewer: str, reads_goods: bool) -> Caller:
        pace = {"rate_limit_per_minute": self._per_minute, "burst": self._burst}
        if reads_goods:
            return Caller(*await self._tokens.verify_reader(token=token, key=viewer, **pace))
        return Caller(await self._tokens.verify(token=token, key=viewer, **pace))
