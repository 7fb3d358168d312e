"""Where an invited person, or one whose password was reset, chooses a password.

The token of the link is in its address, after `/token/`, where the server's log leaves it out.
"""

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.errors import Invalid
from crossdock.gate import SIGN_IN, TOKEN_FIELD, Gate, read_form
from crossdock.kit.languages import lazy
from crossdock.kit.passwords import LENGTH_MAX
from crossdock.shop.acts import Act, begin_act
from crossdock.shop.people import LENGTH_MIN, Person, read_password_link, use_password_link
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import Pages, redirect

_UNEQUAL = lazy("The two passwords are not the same.")
_OLD_FORM = lazy("This page was open too long. Please send it again.")


class WelcomePages:
    """The page of a password link."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def show(self, request: Request) -> Response:
        """The form for a password. A link that opens nothing is not found."""
        return self._form(request, await self._whose(request))

    async def choose(self, request: Request) -> Response:
        """Set the password; the person signs in with it then."""
        person, form = await self._whose(request), await read_form(request)
        if not self._gate.is_own_form(request, token=form.get(TOKEN_FIELD, "")):
            return self._form(request, person, error=_OLD_FORM, status=403)
        try:
            if form.get("password", "") != form.get("again", ""):
                raise Invalid("invalid_input", _UNEQUAL, {"field": "again"})
            hashed = await self._gate.people.hash_new(form.get("password", ""), email=person.email)
        except Invalid as error:
            return self._form(request, person, error=why(error), status=422)
        begin_act(self._act(request, person))
        async with self._db.begin() as tx:
            await use_password_link(
                tx,
                token=request.path_params["token"],
                password_hash=hashed,
                now=self._clock.now(),
            )
        return redirect(f"{SIGN_IN}?chosen=1")

    async def _whose(self, request: Request) -> Person:
        async with self._db.statement() as tx:
            return await read_password_link(
                tx, token=request.path_params["token"], now=self._clock.now()
            )

    def _act(self, request: Request, person: Person) -> Act:
        return Act(
            actor=person.email,
            act="/console/account/choose-password",
            subject="/console/account/choose-password",
            details={},
            clock=self._clock,
            shop_id=person.shop_id,
            person_id=person.id,
            source=self._gate.source(request),
        )

    def _form(
        self, request: Request, person: Person, *, error: str = "", status: int = 200
    ) -> Response:
        token, set_cookie = self._gate.form_token(request)
        response = self._pages.page(
            "welcome.html",
            status=status,
            form_token=token,
            who=person,
            error=error,
            address=request.url.path,
            length_min=LENGTH_MIN,
            length_max=LENGTH_MAX,
        )
        if set_cookie:
            response.headers.append("set-cookie", set_cookie)
        return response
