"""Sign in, enter the code of the second step, sign out."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from crossdock.errors import Unavailable
from crossdock.gate import SIGN_IN, TOKEN_FIELD, Gate, SignInNeeded, local_path, read_form
from crossdock.kit.languages import lazy
from crossdock.shop.people import Visit
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import Pages, redirect

_WRONG_PAIR = lazy("The e-mail or the password is wrong.")
_WRONG_CODE = lazy("This code is wrong, or it was used before. Wait for the next one.")
_OLD_FORM = lazy("This form was open too long. Please sign in again.")
_LENGTH_MAX = 1_024


class SigningIn:
    """The pages for signing in and out."""

    def __init__(self, gate: Gate, pages: Pages) -> None:
        self._gate = gate
        self._people = gate.people
        self._pages = pages

    async def show(self, request: Request) -> Response:
        """The sign-in form; a person who is signed in is redirected."""
        wanted = request.query_params.get("next", "")
        visit = await self._gate.visit(request)
        if visit and visit.is_complete:
            return redirect(local_path(wanted))
        return self._form(request, wanted=wanted)

    async def sign_in(self, request: Request) -> Response:
        """Check e-mail and password; redirect to the code page or to the page that was asked for."""
        form = await read_form(request)
        wanted, email = form.get("next", ""), form.get("email", "")[:_LENGTH_MAX]
        token = form.get(TOKEN_FIELD, "")
        if not self._gate.is_own_form(request, token=token):
            return self._form(request, wanted=wanted, email=email, error=_OLD_FORM, status=403)
        try:
            made = await self._people.sign_in(
                email=email,
                password=form.get("password", "")[:_LENGTH_MAX],
                source=self._gate.source(request),
                replaces=self._gate.token(request),
            )
        except Unavailable as error:
            if error.code != "rate_limited":
                raise
            return self._form(
                request, wanted=wanted, email=email, error=why(error), status=429,
                wait_s=error.data["retry_after_s"],
            )  # fmt: skip
        if made is None:
            return self._form(request, wanted=wanted, email=email, error=_WRONG_PAIR, status=403)
        address = local_path(wanted) if made.is_complete else _code_address(wanted)
        return redirect(address, set_cookie=self._gate.keep(made))

    async def show_code(self, request: Request) -> Response:
        """The form for the second step, for sessions that have passed the password only."""
        wanted = request.query_params.get("next", "")
        visit = await self._gate.visit(request)
        if visit is None:
            return redirect(SIGN_IN)
        if visit.is_complete:
            return redirect(local_path(wanted))
        return self._code_form(visit, wanted=wanted)

    async def enter_code(self, request: Request) -> Response:
        """Check the code; the session gets a new token."""
        visit = await self._gate.visit(request)
        if visit is None:
            raise SignInNeeded(SIGN_IN)
        form = await self._gate.checked_form(request, visit=visit)
        wanted = form.get("next", "")
        if visit.is_complete:
            return redirect(local_path(wanted))
        try:
            made = await self._people.enter_code(
                visit, code=form.get("code", ""), source=self._gate.source(request)
            )
        except Unavailable as error:
            if error.code != "rate_limited":
                raise
            return self._code_form(
                visit, wanted=wanted, error=why(error), status=429,
                wait_s=error.data["retry_after_s"],
            )  # fmt: skip
        if made is None:
            return self._code_form(visit, wanted=wanted, error=_WRONG_CODE, status=403)
        return redirect(local_path(wanted), set_cookie=self._gate.keep(made))

    async def sign_out(self, request: Request) -> Response:
        """End the session in the browser and on the server.

        The cookie is erased only if the request carried it: browsers omit it from forms of other
        sites, which must not be able to sign people out.
        """
        visit = await self._gate.visit(request)
        if visit is None:
            return redirect(SIGN_IN)
        await self._gate.checked_form(request, visit=visit)
        erased = await self._gate.sign_out(request)
        return redirect(f"{SIGN_IN}?left=1", set_cookie=erased)

    def _form(
        self,
        request: Request,
        *,
        wanted: str,
        email: str = "",
        error: str = "",
        status: int = 200,
        wait_s: int = 0,
    ) -> Response:
        token, set_cookie = self._gate.form_token(request)
        response = self._pages.page(
            "sign_in.html",
            status=status,
            headers={"Retry-After": str(wait_s)} if wait_s else None,
            form_token=token,
            wanted=_kept(wanted),
            email=email,
            error=error,
            has_left="left" in request.query_params,
            has_chosen="chosen" in request.query_params,
        )
        if set_cookie:
            response.headers.append("set-cookie", set_cookie)
        return response

    def _code_form(
        self, visit: Visit, *, wanted: str, error: str = "", status: int = 200, wait_s: int = 0
    ) -> Response:
        return self._pages.page(
            "code.html",
            visit=visit,
            status=status,
            headers={"Retry-After": str(wait_s)} if wait_s else None,
            wanted=_kept(wanted),
            error=error,
            email=visit.person.email,
        )


def _kept(wanted: str) -> str:
    """The address for the form's hidden field: only one that will be redirected to."""
    return wanted if local_path(wanted) == wanted else ""


def _code_address(wanted: str) -> str:
    kept = _kept(wanted)
    return f"{SIGN_IN}/code?next={quote(kept, safe='')}" if kept else f"{SIGN_IN}/code"
