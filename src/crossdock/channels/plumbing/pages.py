"""HTML pages of a channel: escaped templates in the spoken language, a policy without other origins."""

from collections.abc import Mapping
from pathlib import Path

from fastapi import Response

from crossdock.gate import create_templates


class Pages:
    """A channel's templates, those of form fields, and responses rendered from them."""

    def __init__(self, folder: Path, *, headers: dict[str, str]) -> None:
        self.headers = headers
        self._templates = create_templates([folder])

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
