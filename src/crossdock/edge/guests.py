"""Doors that anybody may enter without a key: their calls are counted for each network address."""

import html
import math
from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from crossdock.channels.contract import Answer
from crossdock.edge.room import LOCAL
from crossdock.errors import Unavailable
from crossdock.kit.callers import caller_address, caller_network, is_trusted
from crossdock.kit.clock import Clock
from crossdock.kit.pacing import Pace, Pacer

SITE_PATHS: Final = ("/pay", "/track", "/console/sign-in", "/console/welcome")
"""The doors of the pages that belong to no channel."""
_POLICY: Final = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>Too many requests</title>
<link rel="stylesheet" href="/static/site.css">
</head>
<body>
<main class="sheet" id="main">
  <h1>Too many requests</h1>
  <p>{text}</p>
</main>
</body>
</html>
"""


class Guests:
    """Counts the calls below `paths` for each address, `per_minute` of them; 0 is without limit.

    What comes from this machine or a proxy, without an address behind it, speaks for many and is not counted.
    """

    def __init__(
        self, paths: Sequence[str], *, clock: Clock, per_minute: int, proxies: Sequence[str] = ()
    ) -> None:
        self._paths = tuple(paths)
        self._pacer = Pacer(clock, per_minute=per_minute)
        self._proxies = (*LOCAL, *proxies)
        self._trusted = tuple(proxies)

    def take(self, scope: Scope) -> Pace | None:
        """Count a call of one of the doors; None for any other. Raises Unavailable `rate_limited`."""
        if not self.covers(scope["path"]):
            return None
        forwarded_for = ", ".join(Headers(scope=scope).getlist("x-forwarded-for"))
        peer = (scope.get("client") or ("", 0))[0]
        address = caller_address(peer, forwarded_for=forwarded_for, trusted=self._trusted)
        if is_trusted(address, trusted=self._proxies):
            return None
        pace = self._pacer.take(caller_network(address))
        if pace and pace.retry_after_s:
            facts = {"retry_after_s": pace.retry_after_s, "pace": pace}
            raise Unavailable("rate_limited", data=facts)
        return pace

    def covers(self, path: str) -> bool:
        """Whether a path is one of the doors, or below one."""
        return path.startswith(self._paths) and any(
            path[len(each) : len(each) + 1] in {"", "/"}
            for each in self._paths
            if path.startswith(each)
        )


def pace_headers(pace: Pace) -> list[tuple[bytes, bytes]]:
    """What is left, as the channels tell it: per minute, now, and when it is whole again (Unix seconds)."""
    told = {
        b"x-ratelimit-limit": pace.per_minute,
        b"x-ratelimit-remaining": pace.left,
        b"x-ratelimit-reset": math.ceil(pace.full_at.timestamp()),
    }
    return [(name, str(value).encode()) for name, value in told.items()]


def waiting_page(error: Unavailable) -> Answer:
    """The answer for a person's browser."""
    seconds = error.data["retry_after_s"]
    unit = "second" if seconds == 1 else "seconds"
    text = f"Your network has opened many pages here just now. Wait {seconds} {unit}, then load this one again."
    return Answer(
        status=429,
        body=_PAGE.format(text=html.escape(text)).encode(),
        content_type="text/html; charset=utf-8",
        headers={"Cache-Control": "no-store", "Content-Security-Policy": _POLICY},
    )
