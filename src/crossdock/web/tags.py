"""Entity tags of files that a browser may have already."""

from starlette.requests import Request


def is_known(request: Request, tag: str) -> bool:
    """Whether `If-None-Match` has the tag."""
    known = request.headers.get("if-none-match", "")
    return tag in {each.strip().removeprefix("W/") for each in known.split(",")}
