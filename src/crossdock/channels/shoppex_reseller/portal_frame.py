"""What all pages of the portal share: their templates and headers, and errors that are told on a page."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crossdock.channels.plumbing import Pages
from crossdock.errors import Conflict, CrossdockError, Invalid, NotFound, Refused
from crossdock.gate import SignInNeeded, page_headers
from crossdock.kit.display import rate_text
from crossdock.kit.languages import chosen, gettext, speaking, spoken
from crossdock.shop.people import Visit

HOME: Final = "/portal/"
INVITATIONS: Final = "/portal/invite/"
HEADERS: Final = page_headers()

Page = Callable[[Request], Awaitable[Response]]


class PortalFrame:
    """Renders the portal's pages."""

    def __init__(self) -> None:
        self._pages = Pages(Path(__file__).parent / "templates", headers=HEADERS)
        self._pages.add_filter("percent", _percent)

    def page(self, template: str, *, code: int = 200, **values: object) -> Response:
        """A page of the portal."""
        return self._pages.page(f"portal/{template}", code=code, headers=None, **values)

    def message(self, title: str, text: str, *, code: int, visit: Visit | None) -> Response:
        """A page with a title and a text."""
        return self.page("message.html", code=code, visit=visit, title=title, text=text)

    def guarded(self, page: Page) -> Page:
        """The page in the visitor's language, with its errors rendered as pages too."""

        async def answer(request: Request) -> Response:
            request.scope["crossdock.route"] = request.scope["path"].partition("/token/")[0]
            with speaking(chosen(request.headers.get("accept-language", ""))):
                try:
                    return await page(request)
                except SignInNeeded as needed:
                    return RedirectResponse(needed.address, status_code=303, headers=HEADERS)
                except CrossdockError as error:
                    found = _refusal(error, path=request.url.path)
                    if found is None:
                        raise
                    status, title, text = found
                    return self.message(title, text, code=status, visit=None)

        return answer


def _percent(basis_points: int) -> str:
    return rate_text(basis_points, language=spoken())


def _refusal(error: CrossdockError, *, path: str) -> tuple[int, str, str] | None:
    """(status, title, text) of an error that people are told; None for one of the server's."""
    if isinstance(error, NotFound):
        if path.startswith(INVITATIONS):
            text = gettext("Open the whole address of the mail, or ask the shop for another one.")
            return 404, gettext("There is no such invitation"), text
        text = gettext("It is not there, or belongs to somebody else.")
        return 404, gettext("There is nothing here for you"), text
    if isinstance(error, Conflict):
        return 409, gettext("This was not possible"), error.message
    if error.code == "program_disabled":
        text = gettext("The shop has no reseller programme now.")
        return 400, gettext("This cannot be accepted now"), text
    if error.code == "shop_suspended":
        text = gettext("The shop is suspended now. Try again later, or ask the shop about it.")
        return 403, gettext("Not allowed"), text
    if isinstance(error, Refused):
        return 403, gettext("Not allowed"), error.message
    if isinstance(error, Invalid):
        return 400, gettext("That did not work"), error.message
    return None
