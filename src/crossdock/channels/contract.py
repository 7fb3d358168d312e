"""What a channel supplies to the server, and what the server supplies to a channel."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from crossdock.compose import Services
from crossdock.db.runtime import Runtime
from crossdock.errors import CrossdockError
from crossdock.gate import StaffPage
from crossdock.shop.customers import Address
from crossdock.shop.partners import JSON_OBJECT, Proof

__all__ = [
    "JSON_OBJECT",
    "SENT_BODY",
    "Answer",
    "Channel",
    "ChannelFacts",
    "Demo",
    "DemoPartner",
    "Handler",
    "Proof",
    "Runtime",
    "Services",
    "StaffPage",
    "sent_body",
]

Handler = Callable[[Request], Awaitable[Response]]
SENT_BODY = "crossdock.sent_body"


def sent_body(request: Request, body: bytes) -> bytes:
    """The bytes that came over the wire for a body that was read, compressed as they were sent.

    A body in gzip is undone before a handler reads it; a signature covers what was sent.
    """
    sent: bytes = request.scope.get(SENT_BODY, body)
    return sent


@dataclass(frozen=True, kw_only=True)
class ChannelFacts:
    """What an operator must know to add a partner of a channel.

    `settings` are the partner's own, each with the words that it may be set to; yes and no are
    stored as booleans, JSON_OBJECT alone takes any JSON object. `keys_are_numbers`: the caller is
    known by a number, not by a `pk_` key. Each partner gets a credential of `proof`, and one of each
    of `further_proofs`; its tokens begin with `token_prefix`. `shown_as` says by which names a
    partner of this channel knows what `NewCredential.shown` calls otherwise.
    """

    name: str
    permissions: tuple[str, ...]
    settings: dict[str, tuple[str, ...]]
    keys_are_numbers: bool = False
    proof: Proof = "signature"
    further_proofs: tuple[Proof, ...] = ()
    token_prefix: str = ""
    shown_as: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole response, for errors that are met outside a channel's own code."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One door: where it is mounted, what answers there, and how it tells of errors.

    `paths` are path prefixes, whole segments. `direct` has handlers by (method, exact path): they are
    called without the framework's layers, which cost as much as a page, and what they raise is told
    by `render_error`. All else under the prefixes is `app`'s. `render_error` gets an error and the request's method;
    it must know every core code, and gets `too_large`, `database_unavailable` and `internal` from
    the server around the channel too.
    `path_in_query` gets the query of a request at `/`, and gives the path that it stands for, or None.
    `body_limit_bytes` is set where the channel's own limit differs from the general setting.
    `staff_pages` are listed on the console's home; a Gate guards them.
    """

    name: str
    paths: tuple[str, ...]
    app: ASGIApp
    render_error: Callable[[CrossdockError, str], Answer]
    direct: Mapping[tuple[str, str], Handler] = field(default_factory=dict)
    openapi: Callable[[], dict[str, Any]] | None = None
    path_in_query: Callable[[bytes], str | None] | None = None
    body_limit_bytes: int | None = None
    staff_pages: tuple[StaffPage, ...] = ()
    start: Callable[[], Awaitable[None]] | None = None
    stop: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, kw_only=True)
class DemoPartner:
    """A partner of the demo; `prefix` stands before its fields in the printed credentials."""

    name: str
    prefix: str = ""
    backorder: bool = False
    customer: Address | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Demo:
    """What a channel has in the demo shop.

    `show` gives the fields of one partner's credential from its key and secret, `show_sample` those
    of something to order, by the variant's id. `requests` gives (what it does, text to paste into a
    shell) from how the program is started and that id.
    """

    partners: tuple[DemoPartner, ...]
    show: Callable[[str, str], dict[str, object]]
    show_sample: Callable[[int], dict[str, object]] | None = None
    requests: Callable[[str, int], Iterable[tuple[str, str]]] | None = None
