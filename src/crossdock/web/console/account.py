"""The account page: password, second step, recovery codes."""

from starlette.requests import Request
from starlette.responses import Response

from crossdock.errors import CrossdockError, Invalid, Unavailable
from crossdock.gate import ACCOUNT, Gate
from crossdock.kit.display import language_name
from crossdock.kit.languages import LANGUAGES, gettext, lazy
from crossdock.kit.passwords import LENGTH_MAX
from crossdock.shop.people import LENGTH_MIN, Visit
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import Pages, qr_code, redirect

_DONE = {
    "password": lazy("Your password is changed. Everywhere else you were signed out."),
    "two-step-off": lazy("Signing in asks for your password alone now."),
    "language": lazy("The console speaks this language from now on."),
}


class AccountPages:
    """The account page with three forms, and the steps that turn on the second step."""

    def __init__(self, gate: Gate, pages: Pages) -> None:
        self._gate = gate
        self._account = gate.people.account
        self._pages = pages

    async def show(self, request: Request) -> Response:
        """The account page."""
        visit = await self._gate.require_person(request)
        return self._page(visit, done=_DONE.get(request.query_params.get("done", ""), ""))

    async def change_password(self, request: Request) -> Response:
        """Set a new password."""
        visit, form = await self._gate.require_form(request)
        new_password = form.get("new", "")
        try:
            if new_password != form.get("again", ""):
                text = gettext("The two new passwords are not the same.")
                raise Invalid("invalid_input", text, {"field": "again"})
            await self._account.change_password(
                visit,
                password=form.get("current", ""),
                new_password=new_password,
                source=self._gate.source(request),
            )
        except (Invalid, Unavailable) as error:
            return self._page(visit, failed="password", error=error)
        return redirect(f"{ACCOUNT}?done=password")

    async def set_language(self, request: Request) -> Response:
        """Set the language of the person's pages."""
        visit, form = await self._gate.require_form(request)
        await self._account.set_language(visit, language=form.get("language", ""))
        return redirect(f"{ACCOUNT}?done=language")

    async def offer_two_step(self, request: Request) -> Response:
        """Show the secret for an authenticator app, as text and as QR code."""
        visit = await self._gate.require_person(request)
        return self._offer(visit)

    async def turn_on_two_step(self, request: Request) -> Response:
        """Turn the second step on if the app's code is right; show recovery codes once."""
        visit, form = await self._gate.require_form(request)
        sealed = form.get("sealed", "")
        try:
            codes = await self._account.turn_on_totp(
                visit,
                sealed=sealed,
                code=form.get("code", ""),
                password=form.get("current", ""),
                source=self._gate.source(request),
            )
        except (Invalid, Unavailable) as error:
            return self._offer(visit, again=sealed, error=error)
        return self._codes(visit, codes)

    async def turn_off_two_step(self, request: Request) -> Response:
        """Turn the second step off: sign-in then needs the password alone."""
        visit, form = await self._gate.require_form(request)
        try:
            await self._account.turn_off_totp(
                visit, password=form.get("current", ""), source=self._gate.source(request)
            )
        except (Invalid, Unavailable) as error:
            return self._page(visit, failed="two-step", error=error)
        return redirect(f"{ACCOUNT}?done=two-step-off")

    async def new_codes(self, request: Request) -> Response:
        """Replace the recovery codes by ten new ones, shown once."""
        visit, form = await self._gate.require_form(request)
        try:
            codes = await self._account.new_recovery_codes(
                visit, password=form.get("current", ""), source=self._gate.source(request)
            )
        except (Invalid, Unavailable) as error:
            return self._page(visit, failed="codes", error=error)
        return self._codes(visit, codes)

    def _page(
        self,
        visit: Visit,
        *,
        done: str = "",
        failed: str = "",
        error: CrossdockError | None = None,
    ) -> Response:
        return self._pages.page(
            "account.html",
            visit=visit,
            status=_status(error),
            headers=_waiting(error),
            done=done,
            failed=failed,
            error=_message(error),
            length_min=LENGTH_MIN,
            length_max=LENGTH_MAX,
            languages={code: language_name(code) for code in LANGUAGES},
        )

    def _offer(
        self, visit: Visit, *, again: str = "", error: CrossdockError | None = None
    ) -> Response:
        offer = self._account.offer_totp(visit, again=again)
        secret = offer.enrolment.secret
        return self._pages.page(
            "two_step.html",
            visit=visit,
            status=_status(error),
            headers=_waiting(error),
            secret=" ".join(secret[n : n + 4] for n in range(0, len(secret), 4)),
            picture=qr_code(offer.enrolment.address),
            sealed=offer.sealed,
            error=_message(error),
        )

    def _codes(self, visit: Visit, codes: tuple[str, ...]) -> Response:
        return self._pages.page("recovery_codes.html", visit=visit, codes=codes)


def _status(error: CrossdockError | None) -> int:
    if error is None:
        return 200
    if isinstance(error, Invalid):
        return 422
    return 429 if error.code == "rate_limited" else 503


def _waiting(error: CrossdockError | None) -> dict[str, str]:
    if not isinstance(error, Unavailable):
        return {}
    return {"Retry-After": str(error.data.get("retry_after_s", 2))}


def _message(error: CrossdockError | None) -> str:
    return why(error) if error else ""
