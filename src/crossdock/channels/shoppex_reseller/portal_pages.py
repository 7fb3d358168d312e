"""The portal's first pages: an invitation with its terms, and a reseller's relationships. They need no script.

The token of an invitation is in its address, after `/token/`, where the server's log leaves it out.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from crossdock.channels.contract import StaffPage
from crossdock.channels.shoppex_reseller.ids import Kind, ShopIds
from crossdock.channels.shoppex_reseller.portal_desk import DeskPages
from crossdock.channels.shoppex_reseller.portal_frame import HEADERS, HOME, PortalFrame
from crossdock.channels.shoppex_reseller.portal_words import MODES, STATES
from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError, Invalid, Refused, Unavailable
from crossdock.gate import TOKEN_FIELD, Form, Gate, read_form
from crossdock.kit.clock import Clock
from crossdock.kit.languages import gettext, lazy
from crossdock.kit.passwords import LENGTH_MAX
from crossdock.shop.people import LENGTH_MIN, Visit
from crossdock.shop.resellers import Joining, Offer, Relationship, list_relationships

INVITATION: Final = "/portal/invite/token/{token}"
STAFF_PAGE: Final = StaffPage(
    title=lazy("Your reseller programmes"),
    description=lazy("The shops you sell for, your balance with each, and your statements."),
    path=HOME,
    right="own_reseller.read",
)
_OLD_FORM: Final = lazy("This page was open too long. Please send it again.")
_UNEQUAL: Final = lazy("The two passwords are not the same.")
_CODE_MAX: Final = 100

# Why an invitation cannot be accepted: (status, title, text).
_CLOSED: Final = {
    "expired": (
        410,
        lazy("This invitation has expired"),
        lazy("Ask %(shop)s for another one. An invitation is good for some days only."),
    ),
    "revoked": (
        410,
        lazy("This invitation was withdrawn"),
        lazy("%(shop)s withdrew it, perhaps by sending you another one: see your newest mail."),
    ),
    "accepted": (
        409,
        lazy("This invitation was accepted"),
        lazy("It can be used once. If it was you, sign in to see your relationship with %(shop)s."),
    ),
}


class PortalPages:
    """The pages, and the forms on them."""

    def __init__(
        self,
        frame: PortalFrame,
        *,
        db: Database,
        gate: Gate,
        joining: Joining,
        ids: ShopIds,
        clock: Clock,
        desk: DeskPages,
    ) -> None:
        self._frame = frame
        self._db = db
        self._gate = gate
        self._joining = joining
        self._ids = ids
        self._clock = clock
        self._desk = desk

    def app(self, otherwise: ASGIApp) -> ASGIApp:
        """The pages as an application; what is none of theirs goes on to `otherwise`."""
        guarded = self._frame.guarded
        routes = [
            Route("/portal", guarded(self.to_home), methods=["GET"]),
            Route(HOME, guarded(self.home), methods=["GET"]),
            Route(INVITATION, guarded(self.show), methods=["GET"]),
            Route(INVITATION, guarded(self.accept), methods=["POST"]),
            *self._desk.routes(),
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
        return self._frame.page(
            "relationships.html", visit=visit, mine=shown, states=STATES, modes=MODES
        )

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
        told = error.message if isinstance(error, CrossdockError) else error
        given = form or {}
        response = self._frame.page(
            "invitation.html",
            code=code,
            visit=visit,
            offer=offer,
            is_signed_in=visit is not None and _is_theirs(offer, visit),
            form_token=visit.form_token if visit else made,
            name=given.get("name", "")[:_CODE_MAX],
            error=told,
            wrong=str(error.data.get("field", "")) if isinstance(error, CrossdockError) else "",
            length_min=LENGTH_MIN,
            length_max=LENGTH_MAX,
        )
        if isinstance(error, CrossdockError) and "retry_after_s" in error.data:
            response.headers["Retry-After"] = str(error.data["retry_after_s"])
        if set_cookie:
            response.headers.append("set-cookie", set_cookie)
        return response

    def _closed(self, offer: Offer, *, visit: Visit | None) -> Response | None:
        """Why it cannot be accepted, if it cannot."""
        state = offer.invitation.state(self._clock.now())
        if state != "pending":
            status, title, text = _CLOSED[state]
            return self._frame.message(title, text % {"shop": offer.shop}, code=status, visit=visit)
        if offer.is_suspended:
            text = gettext("%(shop)s is suspended now. Try again later, or ask the shop about it.")
            return self._later(text % {"shop": offer.shop}, code=403, visit=visit)
        if not offer.is_enabled:
            text = gettext("%(shop)s has no reseller programme now. Ask the shop about it.")
            return self._later(text % {"shop": offer.shop}, code=400, visit=visit)
        return None

    def _later(self, text: str, *, code: int, visit: Visit | None) -> Response:
        title = gettext("This cannot be accepted now")
        return self._frame.message(title, text, code=code, visit=visit)

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


def invitation_url(public_url: str, token: str) -> str:
    """The address of the page where an invitation is accepted."""
    return public_url.rstrip("/") + INVITATION.format(token=token)


def _is_theirs(offer: Offer, visit: Visit) -> bool:
    return visit.person.email.lower() == offer.invitation.email.lower()
