"""Whether an answer is a page, and the headers of one."""

from starlette.datastructures import Headers
from starlette.responses import Response


def guarded(response: Response, *, policy: str) -> Response:
    """The response with its content policy, kept out of search engines."""
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def wants_page(headers: Headers, *, unless_json: bool = False) -> bool:
    """Whether the caller accepts HTML explicitly, as browsers do; see `unless_json`."""
    accept = headers.get("accept", "")
    return "text/html" in accept or (unless_json and "json" not in accept)
