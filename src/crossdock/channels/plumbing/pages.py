"""HTML pages of a channel: escaped templates, and a content security policy without other origins."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2
from fastapi import Response


def page_headers(
    *, images: str = "'self' data:", framed_by: Sequence[str] = (), leads_to: Sequence[str] = ()
) -> dict[str, str]:
    """The response headers of a page for one person; `images` are the permitted image sources.

    `leads_to` are further origins, or schemes with their colon, that its forms may lead to. `framed_by`
    are the origins whose pages may show it in a frame; a browser that knows this rule ignores
    X-Frame-Options, which every response of the server has.
    Referrer-Policy: no-referrer is set on every response of the server.
    """
    framers = " ".join(framed_by) or "'none'"
    targets = " ".join(["'self'", *leads_to])
    return {
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex, nofollow",
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'self'; img-src {images}; "
            f"base-uri 'none'; form-action {targets}; "
            f"frame-ancestors {framers}"
        ),
    }


class Pages:
    """A channel's templates, and responses rendered from them."""

    def __init__(self, folder: Path, *, headers: dict[str, str]) -> None:
        self.headers = headers
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folder),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )

    def add_filter(self, name: str, function: object) -> None:
        """Add a filter to the templates."""
        self._templates.filters[name] = function

    def page(
        self,
        template: str,
        *,
        code: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> Response:
        """Render a template; `headers` are the response's own instead of the pages'."""
        html = self._templates.get_template(template).render(values)
        told = self.headers if headers is None else headers
        return Response(html, status_code=code, headers=dict(told), media_type="text/html")
