"""HTML pages of a channel: escaped templates, and a content security policy without other origins."""

from collections.abc import Mapping
from pathlib import Path

import jinja2
from fastapi import Response

from crossdock.gate import FIELD_TEMPLATES


class Pages:
    """A channel's templates, those of form fields, and responses rendered from them."""

    def __init__(self, folder: Path, *, headers: dict[str, str]) -> None:
        self.headers = headers
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader([folder, FIELD_TEMPLATES]),
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
