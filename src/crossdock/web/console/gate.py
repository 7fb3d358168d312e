"""What stands before every console page: who is signed in, from where, with which form."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from starlette.requests import Request

from crossdock.errors import Refused
from crossdock.kit.callers import caller_address
from crossdock.shop.people import People, Permission, SignInFirst, Visit

ACCOUNT = "/console/account"
TOKEN_FIELD = "form_token"
_FIELDS_MAX = 50
_STRANGE_SITES = {"cross-site", "same-site"}

Form = Mapping[str, str]


class SignInNeeded(Exception):
    """Nobody is signed in; the answer is a redirect to `address`."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__("sign in first")


class Gate:
    """Reads requests for the console; `people` decides."""

    def __init__(self, people: People, *, trusted_proxies: Sequence[str] = ()) -> None:
        self.people = people
        self._trusted = trusted_proxies

    async def require_person(
        self, request: Request, *, permission: Permission | None = None
    ) -> Visit:
        """The visit of somebody signed in.

        Raises SignInNeeded with the way back here, or Refused `permission_denied` for a role that
        does not permit `permission`.
        """
        found = await self.people.admit(
            cookies=cookies(request), wanted=_here(request), permission=permission
        )
        if isinstance(found, SignInFirst):
            raise SignInNeeded(found.address)
        return found

    async def require_form(
        self, request: Request, *, permission: Permission | None = None
    ) -> tuple[Visit, Form]:
        """The visit and the fields of a form that this session's own page sent.

        Raises like `require_person`, and Refused `permission_denied` for a missing or wrong token.
        """
        visit = await self.require_person(request, permission=permission)
        return visit, await self.checked_form(request, visit=visit)

    async def checked_form(self, request: Request, *, visit: Visit) -> Form:
        """The fields of a form of this session. Raises Refused `permission_denied`."""
        form = await read_form(request)
        self.people.check_form(visit, csrf_token=form.get(TOKEN_FIELD, ""))
        return form

    def source(self, request: Request) -> str:
        """The caller's network address."""
        return caller_address(
            request.client.host if request.client else "",
            forwarded_for=", ".join(request.headers.getlist("x-forwarded-for")),
            trusted=self._trusted,
        )


async def read_form(request: Request) -> Form:
    """The fields of an urlencoded body, the first of each name; other kinds of bodies have none.

    Raises Refused `permission_denied` when the browser says that another site sent it.
    """
    if request.headers.get("sec-fetch-site", "") in _STRANGE_SITES:
        raise Refused("permission_denied", "This form was sent by another site.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return {}
    body = (await request.body()).decode("utf-8", "replace")
    try:
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=_FIELDS_MAX)
    except ValueError:
        return {}
    return dict(reversed(pairs))


def cookies(request: Request) -> str:
    """The Cookie header, whole."""
    return "; ".join(request.headers.getlist("cookie"))


def _here(request: Request) -> str:
    """Where to come back to: this page, or the account page when it was a form."""
    if request.method not in {"GET", "HEAD"}:
        return ACCOUNT
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path
