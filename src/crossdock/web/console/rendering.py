"""Render console pages: never cached, no scripts, nothing from other hosts."""

from collections.abc import Mapping

import jinja2
import segno
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from crossdock.shop.people import Visit

CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": CONTENT_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}


class Pages:
    """Renders the console's templates."""

    def __init__(self, templates: jinja2.Environment) -> None:
        self._templates = templates

    def page(
        self,
        template: str,
        *,
        visit: Visit | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> Response:
        """Render a page; forms contain the token of `visit`, the signed-in session."""
        person = visit.person if visit and visit.is_complete else None
        form_token = visit.form_token if visit else ""
        values = {"current": "/console/", "person": person, "form_token": form_token, **values}
        html = self._templates.get_template(f"console/{template}").render(values)
        return Response(
            html, status_code=status, headers={**HEADERS, **(headers or {})}, media_type="text/html"
        )

    def message(
        self,
        title: str,
        text: str,
        *,
        status: int,
        visit: Visit | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """A page with a title and a message, such as an error."""
        return self.page(
            "message.html", visit=visit, status=status, headers=headers, title=title, text=text
        )


def redirect(address: str, *, set_cookie: str = "") -> Response:
    """Redirect to another page of this server with 303 See Other."""
    response = RedirectResponse(address, status_code=303, headers=HEADERS)
    if set_cookie:
        response.headers.append("set-cookie", set_cookie)
    return response


def qr_code(text: str) -> Markup:
    """A QR code as inline SVG, dark on light whatever the page's colours."""
    code = segno.make(text, error="m", micro=False)
    # The text is only in the picture, so there is nothing to escape.
    return Markup(code.svg_inline(scale=5, border=4, dark="#000", light="#fff"))  # nosec B704
