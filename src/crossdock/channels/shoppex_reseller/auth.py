"""Authentication by a bearer token of one of three families, and scopes (spec sections 2.1, 2.2, 2.4).

| tokens begin with | belong to | are good for |
|---|---|---|
| `shx_` | a merchant's partner | `/dev/v1` |
| `shpat_` | an app that a person of the shop's staff let in, with the scopes of that consent | `/dev/v1` |
| `shr_` | the partner of one reseller relationship | `/reseller/v1` |
"""

from typing import Final, Literal

from starlette.requests import Request

from crossdock.channels.shoppex_reseller.errors import NO_MERCHANT, NO_RESELLER, WireError
from crossdock.channels.shoppex_reseller.settings import ShoppexResellerSettings
from crossdock.errors import Refused
from crossdock.shop.partners import BearerTokens, Callers, Credential, FailedCalls, Metered

MERCHANT_PREFIX: Final = "shx_"
APP_PREFIX: Final = "shpat_"
RESELLER_PREFIX: Final = "shr_"
EVERY_SCOPE: Final = "*"
SCOPES: Final = (
    EVERY_SCOPE,
    *("coupons.read", "coupons.write", "customers.read", "customers.write"),
    *("invoices.read", "invoices.write", "orders.read", "orders.write"),
    *("payments.read", "payments.write", "products.read", "products.write"),
    *("reseller_payouts.read", "reseller_payouts.write"),
    *("reseller_programs.read", "reseller_programs.write", "reseller_sales.read"),
    *("reseller_stock.read", "reseller_stock.write", "resellers.read", "resellers.write"),
    *("webhooks.read", "webhooks.write"),
)

Surface = Literal["dev", "reseller", "portal"]
Covers = Literal["", "shop", "merchants"]
"""Whose data a route of `/dev/v1` is about: the whole shop's, or those of the merchants that a key sees."""
NARROW: Final = "This is of the whole shop, and the API key is for some of its merchants."
Pace = Literal["calls", "fulfillments"]
"""Which limit a call counts against."""

_UNKNOWN: Final = frozenset({"credential_unknown", "credential_signature", "credential_stale"})
_REFUSALS: Final[dict[Surface, str]] = {"dev": NO_MERCHANT, "reseller": NO_RESELLER}


class Authenticator:
    """Authenticates calls of this channel."""

    def __init__(
        self, callers: Callers, *, settings: ShoppexResellerSettings, failed: FailedCalls
    ) -> None:
        self._tokens: dict[Surface, BearerTokens] = {
            "dev": BearerTokens(callers, prefix=MERCHANT_PREFIX),
            "reseller": BearerTokens(callers, prefix=RESELLER_PREFIX),
        }
        self._app_tokens = BearerTokens(callers, prefix=APP_PREFIX)
        self._failed = failed
        self._paces: dict[Pace, tuple[int, int]] = {
            "calls": (settings.calls_per_minute, settings.calls_at_once),
            "fulfillments": _fulfillments(settings),
        }

    async def verify(
        self,
        token: str,
        *,
        surface: Surface,
        pace: Pace = "calls",
        address: str = "",
        reads_goods: bool = False,
    ) -> Metered:
        """Whose token it is and what is left of its limit; the call is counted.

        Raises WireError UNAUTHORIZED for a token that is missing, unknown, revoked or of the other
        surface, and Unavailable `rate_limited`, also while `address` waits after too many such calls; a
        token that was let in lately is served all the same, so that nobody shuts out who shares an address.
        With `reads_goods` the version of the shop's goods is told as well.
        """
        per_minute, burst = self._paces[pace]
        is_app = surface == "dev" and token.startswith(APP_PREFIX)
        tokens = self._app_tokens if is_app else self._tokens[surface]
        if not tokens.is_familiar(token):
            self._failed.check(address)
        try:
            return await tokens.verify_metered(
                token=token,
                rate_limit_per_minute=per_minute,
                burst=burst,
                reads_goods=reads_goods,
            )
        except Refused as refused:
            if refused.code not in _UNKNOWN:
                raise
            self._failed.note(address)
            raise WireError("UNAUTHORIZED", _REFUSALS[surface]) from None


def require_scope(credential: Credential, scope: str) -> None:
    """Raises WireError FORBIDDEN for a credential without the scope; '' asks for none."""
    held = credential.partner.permissions
    if scope and scope not in held and EVERY_SCOPE not in held:
        raise WireError("FORBIDDEN")


def require_cover(credential: Credential, covers: Covers) -> None:
    """Raises WireError FORBIDDEN for a key of some merchants alone, where the data are the whole shop's."""
    if covers == "shop" and credential.partner.visible_merchants is not None:
        raise WireError("FORBIDDEN", NARROW)


def bearer_of(request: Request) -> str:
    """The token of the Authorization header, whose scheme is in any case; '' where there is none."""
    scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _fulfillments(settings: ShoppexResellerSettings) -> tuple[int, int]:
    """Their pace, with a burst that takes as long as that of the other calls: both share one bucket."""
    per_minute, calls = settings.fulfillments_per_minute, settings.calls_per_minute
    if not per_minute or not calls:
        return per_minute, settings.calls_at_once
    return per_minute, max(1, settings.calls_at_once * per_minute // calls)
