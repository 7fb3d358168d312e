"""The portal's pages: an invitation with its terms, and a reseller's relationships. They need no script.

The token of an invitation is in its address, after `/token/`, where the server's log leaves it out.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from crossdock.channels.contract import StaffPage
from crossdock.channels.plumbing import Pages
from crossdock.channels.shoppex_reseller.ids import Kind, ShopIds
from crossdock.db.unit_of_work import Database
from crossdock.errors import Conflict, CrossdockError, Invalid, NotFound, Refused, Unavailable
from crossdock.gate import TOKEN_FIELD, Form, Gate, SignInNeeded, page_headers, read_form
from crossdock.kit.clock import Clock
from crossdock.kit.display import moment_text
from crossdock.kit.money import format_minor, format_rate_bp
from crossdock.kit.passwords import LENGTH_MAX
from crossdock.shop.people import LENGTH_MIN, Visit
from crossdock.shop.resellers import Joining, Offer, Relationship, list_relationships

HOME: Final = "/portal/"
INVITATION: Final = "/portal/invite/token/{token}"
STAFF_PAGE: Final = StaffPage(
    title="Your reseller programmes",
    description="The shops you sell for, your balance with each, and your statements.",
    path=HOME,
    right="own_reseller.read",
)
HEADERS: Final = page_headers()
_OLD_FORM: Final = "This page was open too long. Please send it again."
_UNEQUAL: Final = "The two passwords are not the same."
_CODE_MAX: Final = 100

Page = Callable[[Request], Awaitable[Response]]

# Why an invitation cannot be accepted: (status, title, text).
_CLOSED: Final = {
    "expired": (
        410,
        "This invitation has expired",
        "Ask {shop} for another one. An invitation is good for some days only.",
    ),
    "revoked": (
        410,
        "This invitation was withdrawn",
        "{shop} withdrew it, perhaps by sending you another one: see your newest mail.",
    ),
    "accepted": (
        409,
        "This invitation was accepted",
        "It can be used once. If it was you, sign in to see your relationship with {shop}.",
    ),
}


class PortalPages:
    """The pages, and the forms on them."""

    def __init__(
        self, db: Database, *, gate: Gate, joining: Joining, ids: ShopIds, clock: Clock
    ) -> None:
        self._db = db
        self._gate = gate
        self._joining = joining
        self._ids = ids
        self._clock = clock
        self._pages = Pages(Path(__file__).parent / "templates", headers=HEADERS)
        self._pages.add_filter("moment", moment_text)
        self._pages.add_filter("percent", format_rate_bp)
        self._pages.add_filter("money", format_minor)

    def app(self, otherwise: ASGIApp) -> ASGIApp:
        """The pages as an application; what is none of theirs goes on to `otherwise`."""
        routes = [
            Route("/portal", self._guarded(self.to_home), methods=["GET"]),
            Route(HOME, self._guarded(self.home), methods=["GET"]),
            Route(INVITATION, self._guarded(self.show), methods=["GET"]),
            Route(INVITATION, self._guarded(self.accept), methods=["POST"]),
        ]
        return Router(routes, redirect_slashes=False, default=otherwise)

    async def to_home(self, request: Request) -> Response:
        """Redirect /portal to /portal/."""
        return RedirectResponse(HOME, status_code=308, headers=HEADERS)

    async def home(self, request: Request) -> Response:
        """The relationships of who is signed in."""
        visit = await self._gate.require_person(request)
        async with self._db.statement() as tx:
            mine = await list_relationships(tx, person_id=visit.person.id)
        shown = [(each, await self._id(each)) for each in mine]
        return self._page("relationships.html", visit=visit, mine=shown)

    async def show(self, request: Request) -> Response:
        """The invitation with its terms and the form that accepts it, or why it cannot be accepted."""
        offer = await self._joining.look(token=request.path_params["token"])
        visit = await self._visit(request)
        return self._closed(offer, visit=visit) or self._form(request, offer, visit=visit)

    async def accept(self, request: Request) -> Response:
        """Accept; the relationship is shown then, to a person who is signed in."""
        token, form = request.path_params["token"], await read_form(request)
        offer = await self._joining.look(token=token)
        visit = await self._visit(request)
        if closed := self._closed(offer, visit=visit):
            return closed
        if not self._is_own(request, form, visit=visit):
            return self._form(request, offer, visit=visit, form=form, error=_OLD_FORM, code=403)
        try:
            if not offer.has_account and form.get("password", "") != form.get("again", ""):
                raise Invalid("invalid_input", _UNEQUAL, {"field": "again"})
            joined = await self._joining.accept(
                token=token,
                name=form.get("name", ""),
                password=form.get("password", ""),
                code=form.get("code", ""),
                visit=visit,
                source=self._gate.source(request),
            )
        except Invalid as error:
            return self._form(request, offer, visit=visit, form=form, error=error, code=422)
        except Unavailable as error:
            if error.code != "rate_limited":
                raise
            return self._form(request, offer, visit=visit, form=form, error=error, code=429)
        response = RedirectResponse(HOME, status_code=303, headers=HEADERS)
        if joined.session:
            response.headers.append("set-cookie", self._gate.keep(joined.session))
        return response

    def _form(
        self,
        request: Request,
        offer: Offer,
        *,
        visit: Visit | None,
        form: Form | None = None,
        error: CrossdockError | str = "",
        code: int = 200,
    ) -> Response:
        made, set_cookie = self._gate.form_token(request) if visit is None else ("", "")
        told = error if isinstance(error, str) else error.message
        given = form or {}
        response = self._page(
            "invitation.html",
            code=code,
            visit=visit,
            offer=offer,
            is_signed_in=visit is not None and _is_theirs(offer, visit),
            form_token=visit.form_token if visit else made,
            name=given.get("name", "")[:_CODE_MAX],
            error=told,
            wrong="" if isinstance(error, str) else str(error.data.get("field", "")),
            length_min=LENGTH_MIN,
            length_max=LENGTH_MAX,
        )
        if not isinstance(error, str) and "retry_after_s" in error.data:
            response.headers["Retry-After"] = str(error.data["retry_after_s"])
        if set_cookie:
            response.headers.append("set-cookie", set_cookie)
        return response

    def _closed(self, offer: Offer, *, visit: Visit | None) -> Response | None:
        """Why it cannot be accepted, if it cannot."""
        state = offer.invitation.state(self._clock.now())
        if state != "pending":
            status, title, text = _CLOSED[state]
            return self._message(title, text.format(shop=offer.shop), code=status, visit=visit)
        if offer.is_suspended:
            text = f"{offer.shop} is suspended now. Try again later, or ask the shop about it."
            return self._message("This cannot be accepted now", text, code=403, visit=visit)
        if not offer.is_enabled:
            text = f"{offer.shop} has no reseller programme now. Ask the shop about it."
            return self._message("This cannot be accepted now", text, code=400, visit=visit)
        return None

    def _is_own(self, request: Request, form: Form, *, visit: Visit | None) -> bool:
        """Whether the form is of a page that this browser got here."""
        token = form.get(TOKEN_FIELD, "")
        if visit is None:
            return self._gate.is_own_form(request, token=token)
        try:
            self._gate.check_form(visit, form_token=token)
        except Refused:
            return False
        return True

    async def _visit(self, request: Request) -> Visit | None:
        """Who is signed in, with all that their account asks for."""
        visit = await self._gate.visit(request)
        return visit if visit and visit.is_complete else None

    async def _id(self, mine: Relationship) -> str:
        return (await self._ids.of(mine.shop_id)).write(Kind.RELATIONSHIP, mine.id)

    def _message(self, title: str, text: str, *, code: int, visit: Visit | None) -> Response:
        return self._page("message.html", code=code, visit=visit, title=title, text=text)

    def _page(self, template: str, *, code: int = 200, **values: object) -> Response:
        return self._pages.page(f"portal/{template}", code=code, headers=None, **values)

    def _guarded(self, page: Page) -> Page:
        """The page, with its errors rendered as pages too."""

        async def answer(request: Request) -> Response:
            request.scope["crossdock.route"] = request.scope["path"].partition("/token/")[0]
            try:
                return await page(request)
            except SignInNeeded as needed:
                return RedirectResponse(needed.address, status_code=303, headers=HEADERS)
            except CrossdockError as error:
                found = _refusal(error)
                if found is None:
                    raise
                status, title, text = found
                return self._message(title, text, code=status, visit=None)

        return answer


def invitation_url(public_url: str, token: str) -> str:
    """The address of the page where an invitation is accepted."""
    return public_url.rstrip("/") + INVITATION.format(token=token)


def _refusal(error: CrossdockError) -> tuple[int, str, str] | None:
    """(status, title, text) of an error that people are told; None for one of the server's."""
    if isinstance(error, NotFound):
        text = "Open the whole address of the mail, or ask the shop for another invitation."
        return 404, "There is no such invitation", text
    if isinstance(error, Conflict):
        return 409, "This was not possible", error.message
    if error.code == "program_disabled":
        return 400, "This cannot be accepted now", "The shop has no reseller programme now."
    if isinstance(error, Refused):
        return 403, "Not allowed", error.message
    if isinstance(error, Invalid):
        return 400, "That did not work", error.message
    return None


def _is_theirs(offer: Offer, visit: Visit) -> bool:
    return visit.person.email.lower() == offer.invitation.email.lower()
