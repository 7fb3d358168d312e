"""The page on which a person of the shop's staff lets an app act for the shop (spec section 2.3; RFC 6749, 4.1)."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crossdock.channels.plumbing import (
    Pages,
    Unreadable,
    read_json,
    urlencoded_pairs,
)
from crossdock.channels.shoppex_reseller.auth import EVERY_SCOPE
from crossdock.channels.shoppex_reseller.errors import WIRE, Errors, WireError
from crossdock.channels.shoppex_reseller.wire import answered, encoded
from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError, NotFound, Refused
from crossdock.gate import TOKEN_FIELD, Gate, page_headers, read_form
from crossdock.kit.clock import Clock
from crossdock.shop.partners import App, Granting, give_code, read_app
from crossdock.shop.people import Right, Visit
from crossdock.shop.shops import require_running

RIGHT: Final[Right] = "partners.manage"
FORM_TOKEN_HEADER: Final = "x-csrf-token"
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_STATE_MAX: Final = 1_000
_VERBS: Final = {"read": "read", "write": "change"}
_JSON: Final = "application/json"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an app asks for, checked."""

    app: App
    redirect_uri: str
    scopes: tuple[str, ...]
    scope: str
    state: str
    challenge: str


class _Wrong(Exception):
    """What is told to the app, at its address, with an error of RFC 6749, 4.1.2.1."""

    def __init__(self, address: str, error: str, text: str, *, state: str) -> None:
        told = {"error": error, "error_description": text, **({"state": state} if state else {})}
        self.address = with_query(address, told)
        super().__init__(error)


class Consent:
    """GET shows what an app asks for, POST agrees or refuses; both for a signed-in person with the right."""

    def __init__(
        self, db: Database, *, gate: Gate, granting: Granting, clock: Clock, errors: Errors
    ) -> None:
        self._db = db
        self._gate = gate
        self._granting = granting
        self._clock = clock
        self._errors = errors
        self._pages = Pages(Path(__file__).parent / "templates", headers=page_headers())

    async def handle(self, request: Request) -> Response:
        """The page, or the way back to the app."""
        if request.method == "POST" and media_type(request) == _JSON:
            return await self._as_json(request)
        try:
            if request.method == "POST":
                return await self._decide(request)
            return await self._show(request)
        except _Wrong as wrong:
            return _to(wrong.address)
        except WireError as error:
            return self._refusal(error.message, code=400)
        except NotFound:
            return self._refusal("Your shop has no such app, or it is revoked.", code=400)
        except Refused as error:
            return self._refusal(WIRE[error.code][1] or error.message, code=403)

    async def _show(self, request: Request) -> Response:
        visit = await self._gate.admit(request, right=RIGHT)
        if isinstance(visit, Response):
            return visit
        fields = _unique(request.scope["query_string"])
        asked = await self._read(visit, fields)
        return self._pages.page(
            "consent.html",
            headers=page_headers(leads_to=[_origin(asked.redirect_uri)]),
            visit=visit,
            asked=asked,
            host=urlsplit(asked.redirect_uri).netloc or asked.redirect_uri,
            rights=rights_in_words(asked.scopes),
            token_field=TOKEN_FIELD,
        )

    async def _decide(self, request: Request) -> Response:
        visit = await self._gate.admit(request, right=RIGHT)
        if isinstance(visit, Response):
            return visit
        form = await read_form(request)
        self._gate.check_form(visit, form_token=form.get(TOKEN_FIELD, ""))
        self._note(request, visit, form)
        return _to(await self._outcome(visit, form))

    async def _as_json(self, request: Request) -> Response:
        """The same for a program in the person's browser: `{"redirect_url": "..."}`, also of a refusal."""
        try:
            visit = await self._gate.people.admit(token=self._gate.token(request), right=RIGHT)
            if visit is None:
                raise WireError("UNAUTHORIZED", "Sign in at the console first.")
            body = await _object(request)
            token = request.headers.get(FORM_TOKEN_HEADER) or body.get(TOKEN_FIELD, "")
            self._gate.check_form(visit, form_token=token)
            self._note(request, visit, body)
            try:
                address = await self._outcome(visit, body)
            except _Wrong as wrong:
                address = wrong.address
        except CrossdockError as error:
            answer = self._errors.render(error, request.method)
            return answered(answer.body, status=answer.status, headers=answer.headers)
        return answered(encoded({"redirect_url": address}), status=200, headers={})

    def _note(self, request: Request, visit: Visit, fields: Mapping[str, str]) -> None:
        noted = {name: fields.get(name, "") for name in _NOTED}
        self._gate.note(request, visit=visit, form=noted)

    async def _outcome(self, visit: Visit, fields: Mapping[str, str]) -> str:
        """The address that the app waits at, with a code, or with the refusal."""
        asked = await self._read(visit, fields)
        if fields.get("decision") == "deny":
            raise _Wrong(
                asked.redirect_uri, "access_denied", "The shop has refused.", state=asked.state
            )
        async with self._db.begin() as tx:
            code = await give_code(
                tx,
                granting=self._granting,
                app=asked.app,
                person_id=visit.person.id,
                return_address=asked.redirect_uri,
                scopes=asked.scopes,
                challenge=asked.challenge,
                now=self._clock.now(),
            )
        told = {"code": code, **({"state": asked.state} if asked.state else {})}
        return with_query(asked.redirect_uri, told)

    async def _read(self, visit: Visit, fields: Mapping[str, str]) -> Asked:
        """What is asked for.

        Raises Refused `shop_suspended`, NotFound for an app that is not the person's shop's, WireError for an
        address that is not the app's, so that nobody is sent to an address that nobody registered, and _Wrong for
        the rest.
        """
        async with self._db.statement() as tx:
            await require_running(tx, shop_id=visit.person.shop_id)
            app = await read_app(
                tx, client_id=fields.get("client_id", ""), shop_id=visit.person.shop_id
            )
        if app.revoked_at is not None:
            raise NotFound("not_found")
        address, state = fields.get("redirect_uri", ""), fields.get("state", "")
        if address not in app.return_addresses:
            raise WireError(
                "VALIDATION_ERROR",
                "The app did not register the address that it wants you to be sent back to.",
            )
        scopes = _scopes(fields.get("scope", ""), app=app)
        challenge = fields.get("code_challenge", "")
        method = fields.get("code_challenge_method", "plain" if challenge else "S256")
        wrong = {
            "unsupported_response_type": fields.get("response_type") != "code",
            "invalid_request": method != "S256"
            or bool(challenge and not _CHALLENGE.fullmatch(challenge))
            or len(state) > _STATE_MAX
            or not state.isprintable(),
            "invalid_scope": not scopes,
        }
        for error, is_so in wrong.items():
            if is_so:
                told = state if state.isprintable() and len(state) <= _STATE_MAX else ""
                raise _Wrong(address, error, _TEXTS[error], state=told)
        return Asked(
            app=app,
            redirect_uri=address,
            scopes=scopes,
            scope=" ".join(scopes),
            state=state,
            challenge=challenge,
        )

    def _refusal(self, text: str, *, code: int) -> Response:
        return self._pages.page("consent_refused.html", code=code, text=text)


_NOTED: Final = ("client_id", "scope", "decision")
_TEXTS: Final = {
    "unsupported_response_type": "response_type is code.",
    "invalid_request": "code_challenge is the S256 of a verifier, and state is printable and short.",
    "invalid_scope": "The app may not ask for one of these scopes.",
}


def rights_in_words(scopes: tuple[str, ...]) -> list[str]:
    """What an app may do, a line for each subject."""
    if EVERY_SCOPE in scopes:
        return ["Read and change everything that the API has"]
    actions: dict[str, list[str]] = {}
    for scope in sorted(scopes):
        subject, _, action = scope.partition(".")
        actions.setdefault(subject, []).append(_VERBS.get(action, action))
    return [
        f"{' and '.join(verbs).capitalize()} {subject.replace('_', ' ')}"
        for subject, verbs in actions.items()
    ]


def media_type(request: Request) -> str:
    """The kind of body that is announced, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def with_query(address: str, values: Mapping[str, str]) -> str:
    """The address with these parameters after its own."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode(values)}"


def _scopes(text: str, *, app: App) -> tuple[str, ...]:
    """The scopes that are asked for, all of the app's if none is; empty if one is not the app's."""
    wanted = tuple(sorted(set(text.split()))) or app.scopes
    return wanted if set(wanted) <= set(app.scopes) else ()


def _unique(query: bytes) -> dict[str, str]:
    """The query's parameters. Raises WireError for one that comes twice (RFC 6749, 3.1)."""
    try:
        pairs = urlencoded_pairs(query)
    except Unreadable as error:
        raise WireError("VALIDATION_ERROR", "The address has too many parameters.") from error
    if len(dict(pairs)) != len(pairs):
        raise WireError("VALIDATION_ERROR", "A parameter of the address comes twice.")
    return dict(pairs)


async def _object(request: Request) -> dict[str, str]:
    try:
        found: Any = read_json(await request.body())
    except Unreadable as error:
        raise WireError("VALIDATION_ERROR") from error
    if not isinstance(found, dict):
        raise WireError("VALIDATION_ERROR")
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _origin(address: str) -> str:
    """What a content security policy calls the address: an origin, or a private scheme."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


def _to(address: str) -> Response:
    return RedirectResponse(address, status_code=303, headers={"Cache-Control": "no-store"})
