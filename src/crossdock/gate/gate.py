"""Authentication of every page: the signed-in person, their address, and the form's CSRF token."""

import re
from collections.abc import Collection, Mapping, Sequence
from urllib.parse import parse_qsl

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crossdock.compose import Services
from crossdock.errors import Invalid, Refused
from crossdock.gate.cookies import form_cookie, session_cookie
from crossdock.gate.returning import sign_in_address
from crossdock.kit.acting import act_as
from crossdock.kit.callers import caller_address, is_trusted
from crossdock.kit.clock import Clock
from crossdock.kit.crypto import constant_time_equal
from crossdock.kit.languages import speak
from crossdock.shop.acts import Act, begin_act, plain_details
from crossdock.shop.people import NewSession, People, Right, Visit

ACCOUNT = "/console/account"
TOKEN_FIELD = "form_token"
SURE_FIELD = "sure"
"""In a form whose effect the person has seen."""
POLL_HEADER = "x-crossdock-poll"
FIELDS_MAX = 50
STRANGE_SITES = {"cross-site", "same-site"}
_NUMBER = re.compile(r"/\d+(?=/|$)")

log = structlog.get_logger("crossdock.gate")

Form = Mapping[str, str]


class StaffPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page for staff with this right, as the console's home page lists it."""

    title: str
    description: str
    path: str
    right: Right


class SignInNeeded(Exception):
    """Nobody is signed in; redirect to `address`."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__("sign in first")


class Gate:
    """Keeps the session's token in a cookie; `people` decides what the session allows."""

    def __init__(
        self,
        people: People,
        *,
        clock: Clock,
        public_url: str,
        trusted_proxies: Sequence[str] = (),
    ) -> None:
        self.people = people
        self._clock = clock
        self._session = session_cookie(public_url)
        self._form = form_cookie(public_url)
        self._trusted = trusted_proxies
        self._has_warned = False

    def token(self, request: Request) -> str:
        """The session's token from the browser's cookie, or ''."""
        return self._session.read(_cookies(request))

    async def visit(self, request: Request) -> Visit | None:
        """The browser's live session, with or without the second step, or None."""
        found = await self.people.visit(token=self.token(request), is_used=_is_used(request))
        request.state.visit = found
        return _spoken_to(found)

    async def admit(self, request: Request, *, right: Right) -> Visit | Response:
        """The visit of a person with this right, or a redirect to the sign-in page.

        Raises Refused `permission_denied`.
        """
        visit = await self.people.admit(
            token=self.token(request), right=right, is_used=_is_used(request)
        )
        return _spoken_to(visit) or RedirectResponse(
            sign_in_address(_with_query(request)), status_code=303
        )

    async def require_person(self, request: Request, *, right: Right | None = None) -> Visit:
        """The visit of a signed-in person.

        Raises SignInNeeded, whose address leads back to this page, or Refused
        `permission_denied` for a role without `right`.
        """
        visit = await self.people.admit(
            token=self.token(request),
            right=right,
            is_used=_is_used(request),
            known=_known(request),
        )
        if visit is None:
            raise SignInNeeded(sign_in_address(_here(request)))
        _spoken_to(visit)
        return visit

    async def require_form(
        self,
        request: Request,
        *,
        right: Right | None = None,
        fields_max: int = FIELDS_MAX,
        personal: Collection[str] = (),
    ) -> tuple[Visit, Form]:
        """The visit and the fields of a form with this session's CSRF token, at most `fields_max`.

        What it does is noted, and by the person, without the values of fields in `personal`.
        Raises like `require_person`, and Refused `permission_denied` for a missing or wrong token.
        """
        visit = await self.require_person(request, right=right)
        form = await self.checked_form(request, visit=visit, fields_max=fields_max)
        self.note(request, visit=visit, form=form, personal=personal)
        return visit, form

    def note(
        self, request: Request, *, visit: Visit, form: Form, personal: Collection[str] = ()
    ) -> None:
        """Note what this request changes as an act of the person's: these fields, the `personal` ones by name."""
        act_as(visit.person.label)
        begin_act(self._act(request, visit=visit, form=form, personal=personal))

    async def checked_form(
        self, request: Request, *, visit: Visit, fields_max: int = FIELDS_MAX
    ) -> Form:
        """The fields of a form with this session's token. Raises Refused `permission_denied`."""
        form = await read_form(request, fields_max=fields_max)
        self.check_form(visit, form_token=form.get(TOKEN_FIELD, ""))
        return form

    def check_form(self, visit: Visit, *, form_token: str) -> None:
        """Raise Refused `permission_denied` unless the form has the session's token."""
        self.people.check_form(visit, form_token=form_token)

    def keep(self, made: NewSession) -> str:
        """The Set-Cookie value for a new session."""
        return self._session.write(made.token)

    async def sign_out(self, request: Request) -> str:
        """End the session; returns the Set-Cookie value that deletes its cookie."""
        await self.people.sign_out(token=self.token(request))
        return self._session.erase()

    def form_token(self, request: Request) -> tuple[str, str]:
        """The sign-in form's token, and the Set-Cookie value for it ('' if the browser has it)."""
        known = self._form.read(_cookies(request))
        if known:
            return known, ""
        token = self.people.new_form_token()
        return token, self._form.write(token)

    def is_own_form(self, request: Request, *, token: str) -> bool:
        """Whether the sign-in form's token matches the browser's cookie."""
        known = self._form.read(_cookies(request))
        return bool(known) and constant_time_equal(known, token)

    def source(self, request: Request) -> str:
        """The caller's network address."""
        peer = request.client.host if request.client else ""
        forwarded_for = ", ".join(request.headers.getlist("x-forwarded-for"))
        if forwarded_for and not self._has_warned and not is_trusted(peer, trusted=self._trusted):
            self._has_warned = True
            log.warning(
                "X-Forwarded-For from an address that is not in trusted_proxies is ignored",
                address=peer,
            )
        return caller_address(peer, forwarded_for=forwarded_for, trusted=self._trusted)

    def _act(self, request: Request, *, visit: Visit, form: Form, personal: Collection[str]) -> Act:
        path = request.url.path
        fields = dict(form)
        for name in (TOKEN_FIELD, SURE_FIELD):
            fields.pop(name, None)
        return Act(
            actor=visit.person.email,
            act=_NUMBER.sub("/*", path),
            subject=path,
            details=plain_details(fields, personal=personal),
            clock=self._clock,
            shop_id=visit.person.shop_id,
            person_id=visit.person.id,
            source=self.source(request),
        )


def create_gate(services: Services) -> Gate:
    """Create the gate of a process."""
    settings = services.settings
    return Gate(
        services.people,
        clock=services.runtime.clock,
        public_url=settings.server.public_url,
        trusted_proxies=settings.gate.trusted_proxies,
    )


async def read_form(request: Request, *, fields_max: int = FIELDS_MAX) -> Form:
    """The fields of a urlencoded body, the first of each name; other bodies have no fields.

    Each is `without_nul`.
    Raises Refused `permission_denied` if the browser reports that another site sent it, Invalid
    `invalid_input` for more than `fields_max` fields.
    """
    if request.headers.get("sec-fetch-site", "") in STRANGE_SITES:
        raise Refused(
            "permission_denied",
            "This form was sent by another site. Open the page here and send it again.",
        )
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return {}
    body = (await request.body()).decode("utf-8", "replace")
    try:
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=fields_max)
    except ValueError:
        raise Invalid("invalid_input", f"A form has at most {fields_max} fields.") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(without_nul(name), without_nul(value))
    return fields


def without_nul(text: str) -> str:
    """What somebody sent in a form, without what no field holds and no database takes."""
    return text.replace("\x00", "")


def _spoken_to(visit: Visit | None) -> Visit | None:
    """From here on the person's language is spoken, if one is set."""
    if visit is not None:
        speak(visit.person.language)
    return visit


def _known(request: Request) -> Visit | None:
    """The visit that was read for this request already; what changes something reads it anew."""
    visit: Visit | None = getattr(request.state, "visit", None)
    return visit if request.method == "GET" else None


def _is_used(request: Request) -> bool:
    """Whether somebody asked for this; a page that is left open asks again by itself."""
    return POLL_HEADER not in request.headers


def _cookies(request: Request) -> str:
    """All Cookie headers as one."""
    return "; ".join(request.headers.getlist("cookie"))


def _here(request: Request) -> str:
    """The address to return to: this page, or the account page after a form."""
    if request.method not in {"GET", "HEAD"}:
        return ACCOUNT
    return _with_query(request)


def _with_query(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path
