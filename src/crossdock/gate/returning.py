"""Redirect targets after sign-in: only paths of this server (no open redirects)."""

from urllib.parse import quote, urlsplit

SIGN_IN = "/console/sign-in"
HOME = "/console/"
_LENGTH_MAX = 2_000


def local_path(wanted: str) -> str:
    """`wanted` if it is a path of this server, else the console's home page.

    Refused are other hosts in every spelling a browser understands (`//host`, `/\\host`,
    `https:host`, a tab or line break between), other schemes, and the sign-in pages themselves.
    """
    if not wanted.startswith("/") or wanted.startswith("//") or len(wanted) > _LENGTH_MAX:
        return HOME
    if "\\" in wanted or not wanted.isascii() or not wanted.isprintable() or " " in wanted:
        return HOME
    parts = urlsplit(wanted)
    is_own = not parts.scheme and not parts.netloc and parts.path.startswith("/")
    if not is_own or parts.path.startswith((SIGN_IN, "/console/sign-out")):
        return HOME
    return wanted


def sign_in_address(wanted: str) -> str:
    """The sign-in page's address, with `wanted` as the page to return to."""
    path = local_path(wanted)
    return SIGN_IN if path == HOME else f"{SIGN_IN}?next={quote(path, safe='')}"
