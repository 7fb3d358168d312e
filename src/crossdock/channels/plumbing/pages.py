"""Pages of a channel: templates with everything escaped, and headers that let them load nothing foreign."""

from pathlib import Path

import jinja2
from fastapi import Response


def page_headers(*, images: str = "'self' data:") -> dict[str, str]:
    """The headers of a page for one person; `images` says where its pictures may come from.

    Referrer-Policy: no-referrer comes with every answer of the server.
    """
    return {
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex, nofollow",
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'self'; img-src {images}; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        ),
    }


class Pages:
    """The templates of one channel, and responses made of them."""

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
        """A filter for these templates."""
        self._templates.filters[name] = function

    def page(self, template: str, *, code: int = 200, **values: object) -> Response:
        """The template with its values."""
        html = self._templates.get_template(template).render(values)
        return Response(html, status_code=code, headers=self.headers, media_type="text/html")
