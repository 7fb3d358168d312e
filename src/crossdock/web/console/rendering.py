"""Render console pages: never cached, scripts of this server alone, nothing from other hosts."""

import re
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache
from typing import Final

import jinja2
import msgspec
import segno
from jinja2.ext import Extension
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crossdock.kit.display import language_name
from crossdock.kit.ids import Ids, RandomIds
from crossdock.kit.languages import SPOKEN_FILTERS
from crossdock.shop.people import Visit
from crossdock.web.console.code_words import word
from crossdock.web.console.order_words import Word

_BASE_POLICY: Final = "default-src 'none'; style-src 'self'; img-src 'self' data:"
_END_POLICY: Final = "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
CONTENT_POLICY: Final = f"{_BASE_POLICY}; {_END_POLICY}"
"""Of what needs no script: redirects, files, and pages for who has not signed in."""

Handler = Callable[[Request], Awaitable[Response]]
AddRoute = Callable[[str, Handler], Route]
"""Makes a guarded route of a path and its handler."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": CONTENT_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}
_NONCE_LENGTH: Final = 22  # letters and digits: 128 bits
_nonce: ContextVar[str] = ContextVar("console_page_nonce", default="")


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """The form that takes a write back: where it is sent, with these fields."""

    action: str
    fields: Mapping[str, str]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a write did, in words, and how to take it back where that is possible."""

    text: str
    undo: Undo | None = None


class StampedElements(Extension):
    """Gives the page's nonce to every element that a template has an `hx-` attribute on.

    What comes into a page as data has no nonce, so htmx does nothing with it.
    """

    _ELEMENT = re.compile(r"<([a-z][a-z0-9-]*)(?=\s(?:[^<>]*\s)?hx-[a-z:-]+=)")

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Add the attribute; lines stay as they are."""
        return self._ELEMENT.sub(r'<\1 hx-nonce="{{ nonce() }}"', source)


class Pages:
    """Renders the console's templates."""

    def __init__(self, templates: jinja2.Environment, *, ids: Ids | None = None) -> None:
        templates.add_extension(StampedElements)
        templates.globals["nonce"] = _nonce.get
        templates.filters["word"] = word
        templates.globals.update(mark=_mark, at=_at)
        templates.filters["language"] = language_name
        self._templates = templates
        self._ids = ids or RandomIds()

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
        _nonce.set(self._ids.random_token(_NONCE_LENGTH) if person else "")
        html = self._templates.get_template(f"console/{template}").render(values)
        given = {**HEADERS, "Content-Security-Policy": _policy(_nonce.get()), **(headers or {})}
        return Response(html, status_code=status, headers=given, media_type="text/html")

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


def _mark(word: Word) -> Markup:
    """A state as a pill; lists show a hundred of a few, so each is made once."""
    return _pill(word.kind, word.mark, str(word.text))


@lru_cache(maxsize=512)
def _pill(kind: str, mark: str, text: str) -> Markup:
    inner = Markup('<span class="mark" aria-hidden="true">%s</span>%s') % (mark, text)
    return Markup('<span class="state %s">%s</span>') % (kind, inner)


def _at(moment: datetime) -> Markup:
    """A moment for people, and for programs beside it."""
    told = escape(SPOKEN_FILTERS["short_moment"](moment))
    # Neither part is anybody's text: both are made of a moment.
    return Markup(f'<time datetime="{moment.isoformat()}">{told}</time>')  # nosec B704


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


def _policy(nonce: str) -> str:
    """The policy of a page: its own scripts by their nonce, and no text that becomes script."""
    if not nonce:
        return CONTENT_POLICY
    return (
        f"{_BASE_POLICY}; script-src 'nonce-{nonce}'; connect-src 'self'; "
        f"require-trusted-types-for 'script'; trusted-types htmx; {_END_POLICY}"
    )
