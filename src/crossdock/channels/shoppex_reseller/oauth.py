"""Tokens of apps: exchanged for a code, renewed, revoked (spec section 2.3; RFC 6749, RFC 7009, RFC 7636).

Bodies are forms, answers have no envelope, errors are `{"error": "...", "error_description": "..."}`.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import Response

from crossdock.channels.plumbing import Unreadable, urlencoded_pairs
from crossdock.channels.shoppex_reseller import NAME
from crossdock.channels.shoppex_reseller.consent import Consent, media_type
from crossdock.channels.shoppex_reseller.errors import WIRE
from crossdock.channels.shoppex_reseller.routes import DEV
from crossdock.channels.shoppex_reseller.wire import answered, encoded
from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import CrossdockError, Refused, Unavailable
from crossdock.gate import Gate
from crossdock.kit.clock import Clock
from crossdock.shop.partners import (
    App,
    FailedCalls,
    Granting,
    Prefixes,
    Refusal,
    Tokens,
    exchange_code,
    prove_app,
    refresh_tokens,
    revoke_token,
)
from crossdock.shop.shops import require_running

PREFIXES: Final = Prefixes(
    client="shoc_", secret="shcs_", code="shoa_", access="shpat_", refresh="shprt_"
)
AUTHORIZE: Final = f"{DEV}/oauth/authorize"
TOKEN: Final = f"{DEV}/oauth/token"
REVOKE: Final = f"{DEV}/oauth/revoke"
_FORM: Final = "application/x-www-form-urlencoded"
_LONGEST: Final = 2_000
_SUSPENDED: Final = WIRE["shop_suspended"][1]
_REFUSED: Final[dict[Refusal, tuple[str, str]]] = {
    "unknown": ("invalid_grant", "The code or token is unknown, over, or was used before."),
    "scope": ("invalid_scope", "A refresh is for the scopes of its grant."),
}


class _Failure(Exception):
    """An error of RFC 6749, 5.2."""

    def __init__(self, error: str, text: str, *, status: int = 400) -> None:
        self.error, self.text, self.status = error, text, status
        super().__init__(error)


class OAuth:
    """Answers the paths of OAuth; none of them takes a bearer token."""

    def __init__(
        self,
        db: Database,
        *,
        consent: Consent,
        gate: Gate,
        granting: Granting,
        failed: FailedCalls,
        clock: Clock,
    ) -> None:
        self._db = db
        self._consent = consent
        self._gate = gate
        self._granting = granting
        self._failed = failed
        self._clock = clock

    async def answer(self, request: Request) -> Response | None:
        """The response, None for a path of others."""
        path = request.scope["path"].removesuffix("/")
        if path not in {AUTHORIZE, TOKEN, REVOKE}:
            return None
        request.scope["crossdock.route"] = path
        allowed = ("GET", "POST") if path == AUTHORIZE else ("POST",)
        if request.method not in allowed:
            failure = _Failure("invalid_request", "The method is not allowed here.", status=405)
            return _told(failure, {"Allow": ", ".join(allowed)})
        if path == AUTHORIZE:
            return await self._consent.handle(request)
        return await self._tokens(request, revokes=path == REVOKE)

    async def _tokens(self, request: Request, *, revokes: bool) -> Response:
        address = self._gate.source(request)
        try:
            self._failed.check(address)
            form = await _form(request)
            client_id, secret = _client(request, form)
            async with self._db.begin() as tx:
                app = await prove_app(
                    tx, channel=NAME, client_id=client_id, secret=secret, now=self._clock.now()
                )
                if app is None:
                    self._failed.note(address)
                    text = "The client is unknown, or its secret is wrong."
                    raise _Failure("invalid_client", text, status=401)
                if revokes:
                    await revoke_token(
                        tx, app=app, token=_given(form, "token"), now=self._clock.now()
                    )
                    return answered(b"{}", status=200, headers={"Pragma": "no-cache"})
                await require_running(tx, shop_id=app.shop_id)
                found = await self._issue(tx, form, app=app)
        except Refused as refused:
            if refused.code != "shop_suspended":
                raise
            return _told(_Failure("unauthorized_client", _SUSPENDED), {})
        except _Failure as failure:
            challenge = {"WWW-Authenticate": 'Basic realm="oauth"'} if failure.status == 401 else {}
            return _told(failure, challenge)
        except CrossdockError as error:
            return _unavailable(error)
        if not isinstance(found, Tokens):
            return _told(_Failure(*_REFUSED[found]), {})
        return answered(
            encoded(
                {
                    "access_token": found.access,
                    "token_type": "Bearer",
                    "expires_in": found.expires_s,
                    "refresh_token": found.refresh,
                    "scope": " ".join(found.scopes),
                }
            ),
            status=200,
            headers={"Pragma": "no-cache"},
        )

    async def _issue(
        self, tx: Transaction, form: Mapping[str, str], *, app: App
    ) -> Tokens | Refusal:
        kind = _given(form, "grant_type")
        if kind == "authorization_code":
            return await exchange_code(
                tx,
                granting=self._granting,
                app=app,
                code=_given(form, "code"),
                return_address=_given(form, "redirect_uri"),
                verifier=form.get("code_verifier", ""),
                now=self._clock.now(),
            )
        if kind == "refresh_token":
            return await refresh_tokens(
                tx,
                granting=self._granting,
                app=app,
                token=_given(form, "refresh_token"),
                scopes=form["scope"].split() if form.get("scope") else None,
                now=self._clock.now(),
            )
        text = "grant_type is authorization_code or refresh_token."
        raise _Failure("unsupported_grant_type", text)


async def _form(request: Request) -> dict[str, str]:
    """The fields. Raises _Failure for another kind of body, and for a field that comes twice."""
    if media_type(request) != _FORM:
        raise _Failure("invalid_request", f"The body is {_FORM}.")
    try:
        pairs = urlencoded_pairs(await request.body())
    except Unreadable as error:
        raise _Failure("invalid_request", "The body is not readable.") from error
    found = dict(pairs)
    is_odd = any(len(value) > _LONGEST or not value.isprintable() for value in found.values())
    if len(found) != len(pairs) or is_odd:
        raise _Failure("invalid_request", "A field comes twice, or is not readable.")
    return found


def _client(request: Request, form: Mapping[str, str]) -> tuple[str, str]:
    """(id, secret) of the body, or by HTTP Basic, but not both (RFC 6749, 2.3.1)."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    if "client_secret" in form:
        raise _Failure("invalid_request", "The client authenticates in one way.")
    try:
        pair = base64.b64decode(text.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        pair = ""
    name, _, secret = pair.partition(":")
    return unquote_plus(name), unquote_plus(secret)


def _given(form: Mapping[str, str], name: str) -> str:
    if not form.get(name):
        raise _Failure("invalid_request", f"{name} is missing.")
    return form[name]


def _told(failure: _Failure, headers: Mapping[str, str]) -> Response:
    body = encoded({"error": failure.error, "error_description": failure.text})
    return answered(body, status=failure.status, headers={**headers, "Pragma": "no-cache"})


def _unavailable(error: CrossdockError) -> Response:
    """Too many wrong secrets, or a database that does not answer."""
    if not isinstance(error, Unavailable):
        raise error
    is_limit = error.code == "rate_limited"
    failure = _Failure(
        "temporarily_unavailable", "Try again later.", status=429 if is_limit else 503
    )
    return _told(failure, {"Retry-After": str(error.data.get("retry_after_s", 2))})
