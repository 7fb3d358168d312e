"""What stands before every page for people: who is signed in, from where, with which form."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crossdock.compose import Services
from crossdock.errors import Invalid, Refused
from crossdock.gate.cookies import form_cookie, session_cookie
from crossdock.gate.returning import sign_in_address
from crossdock.kit.callers import caller_address, is_trusted
from crossdock.kit.crypto import constant_time_equal
from crossdock.shop.people import NewSession, People, Right, Visit

ACCOUNT = "/console/account"
TOKEN_FIELD = "form_token"
FIELDS_MAX = 50
_STRANGE_SITES = {"cross-site", "same-site"}

log = structlog.get_logger("crossdock.gate")

Form = Mapping[str, str]


class StaffPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page for staff with this right, as the console's home lists it."""

    title: str
    description: str
    path: str
    right: Right


class SignInNeeded(Exception):
    """Nobody is signed in; the answer is a redirect to `address`."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__("sign in first")


class Gate:
    """Carries sessions in cookies between browsers and `people`, who decide."""

    def __init__(
        self, people: People, *, public_url: str, trusted_proxies: Sequence[str] = ()
    ) -> None:
        self.people = people
        self._session = session_cookie(public_url)
        self._form = form_cookie(public_url)
        self._trusted = trusted_proxies
        self._has_warned = False

    def token(self, request: Request) -> str:
        """The session's token that the browser holds, or ''."""
        return self._session.read(_cookies(request))

    async def visit(self, request: Request) -> Visit | None:
        """The live session of the browser, complete or not, or None."""
        return await self.people.visit(token=self.token(request))

    async def admit(self, request: Request, *, right: Right) -> Visit | Response:
        """The visit of somebody with this right, or the way to sign in and back here.

        Raises Refused `permission_denied`.
        """
        visit = await self.people.admit(token=self.token(request), right=right)
        return visit or RedirectResponse(sign_in_address(_with_query(request)), status_code=303)

    async def require_person(self, request: Request, *, right: Right | None = None) -> Visit:
        """The visit of somebody signed in.

        Raises SignInNeeded with the way back here, or Refused `permission_denied` for a role
        without `right`.
        """
        visit = await self.people.admit(token=self.token(request), right=right)
        if visit is None:
            raise SignInNeeded(sign_in_address(_here(request)))
        return visit

    async def require_form(
        self, request: Request, *, right: Right | None = None
    ) -> tuple[Visit, Form]:
        """The visit and the fields of a form that this session's own page sent.

        Raises like `require_person`, and Refused `permission_denied` for a missing or wrong token.
        """
        visit = await self.require_person(request, right=right)
        return visit, await self.checked_form(request, visit=visit)

    async def checked_form(self, request: Request, *, visit: Visit) -> Form:
        """The fields of a form of this session. Raises Refused `permission_denied`."""
        form = await read_form(request)
        self.check_form(visit, form_token=form.get(TOKEN_FIELD, ""))
        return form

    def check_form(self, visit: Visit, *, form_token: str) -> None:
        """Raise Refused `permission_denied` unless a form carries the session's own token."""
        self.people.check_form(visit, form_token=form_token)

    def keep(self, made: NewSession) -> str:
        """The Set-Cookie that makes the browser hold a new session."""
        return self._session.write(made.token)

    async def sign_out(self, request: Request) -> str:
        """End the browser's session; the Set-Cookie that takes its cookie away."""
        await self.people.sign_out(token=self.token(request))
        return self._session.erase()

    def form_token(self, request: Request) -> tuple[str, str]:
        """For the sign-in form: its token, and the Set-Cookie that goes with it ('' if it is set)."""
        known = self._form.read(_cookies(request))
        if known:
            return known, ""
        token = self.people.new_form_token()
        return token, self._form.write(token)

    def is_own_form(self, request: Request, *, token: str) -> bool:
        """Whether the sign-in form's token is the one of the browser's cookie."""
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


def create_gate(services: Services) -> Gate:
    """The gate of one process."""
    settings = services.settings
    return Gate(
        services.people,
        public_url=settings.server.public_url,
        trusted_proxies=settings.gate.trusted_proxies,
    )


async def read_form(request: Request) -> Form:
    """The fields of an urlencoded body, the first of each name; other kinds of bodies have none.

    Raises Refused `permission_denied` when the browser says that another site sent it, Invalid
    `invalid_input` for more fields than any page has.
    """
    if request.headers.get("sec-fetch-site", "") in _STRANGE_SITES:
        raise Refused("permission_denied", "This form was sent by another site.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return {}
    body = (await request.body()).decode("utf-8", "replace")
    try:
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        raise Invalid("invalid_input", f"A form has at most {FIELDS_MAX} fields.") from None
    return dict(reversed(pairs))


def _cookies(request: Request) -> str:
    """The Cookie header, whole."""
    return "; ".join(request.headers.getlist("cookie"))


def _here(request: Request) -> str:
    """Where to come back to: this page, or the account page when it was a form."""
    if request.method not in {"GET", "HEAD"}:
        return ACCOUNT
    return _with_query(request)


def _with_query(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path
