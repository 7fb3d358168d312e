"""The interface between the server and a channel at run time."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from crossdock.compose import Services
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import CrossdockError
from crossdock.gate import StaffPage
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids
from crossdock.shop.customers import Address
from crossdock.shop.partners import (
    ANY_TEXT,
    HTTPS_ORIGINS,
    HTTPS_URL,
    JSON_OBJECT,
    SECRET_TEXT,
    WEBHOOK_SECRET,
    ChannelFacts,
    Proof,
    TrialCall,
    Trials,
)
from crossdock.shop.shops import Shop

__all__ = [
    "ANY_TEXT",
    "HTTPS_ORIGINS",
    "HTTPS_URL",
    "JSON_OBJECT",
    "SECRET_TEXT",
    "SENT_BODY",
    "WEBHOOK_SECRET",
    "Answer",
    "Channel",
    "ChannelFacts",
    "Demo",
    "DemoPartner",
    "DemoShop",
    "Handler",
    "Proof",
    "Runtime",
    "Services",
    "StaffPage",
    "TrialCall",
    "Trials",
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
class Answer:
    """A complete response, for errors raised outside a channel's own code."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A channel: its paths, its handlers, and how it renders errors.

    `paths` are prefixes of whole path segments. `direct` has handlers by (method, exact path); they are
    called without the framework's layers, which cost as much as a catalogue page, and their exceptions
    are rendered by `render_error`. `app` answers everything else under the prefixes. `render_error` gets
    an error and the request's method. It must know every core code; the server also calls it for
    `too_large`, `database_unavailable` and `internal`.
    `path_in_query` maps the query of a request at `/` to the path that it stands for, or None.
    `body_limit_bytes` is set if the channel's limit differs from the general setting, `body_limits` if
    it is another for some content types.
    `signing_script` signs the calls that the API reference sends from a browser, where calls are signed.
    `trials` tells how staff try the partners' operations, of which the OpenAPI document tells.
    `guests` are prefixes of the paths that anybody may call without a key, whose calls are counted by address.
    `staff_pages` are listed on the console's home page; a Gate guards them.
    `accept_url` makes the address of the page where a reseller accepts an invitation, of the invitation's token.
    """

    name: str
    paths: tuple[str, ...]
    app: ASGIApp
    render_error: Callable[[CrossdockError, str], Answer]
    direct: Mapping[tuple[str, str], Handler] = field(default_factory=dict)
    openapi: Callable[[], dict[str, Any]] | None = None
    path_in_query: Callable[[bytes], str | None] | None = None
    body_limit_bytes: int | None = None
    body_limits: Mapping[str, int] = field(default_factory=dict)
    signing_script: Path | None = None
    trials: Trials | None = None
    guests: tuple[str, ...] = ()
    staff_pages: tuple[StaffPage, ...] = ()
    accept_url: Callable[[str], str] | None = None
    start: Callable[[], Awaitable[None]] | None = None
    stop: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, kw_only=True)
class DemoPartner:
    """A partner in the demo; `prefix` precedes its fields in the printed credentials.

    `shown_as` is the name under which they are printed where it is not the channel's. `token` is its token
    where the channel's callers have one, `user_name` and `password` its further proof; known to everybody.
    """

    name: str
    prefix: str = ""
    shown_as: str = ""
    token: str = ""
    user_name: str = ""
    password: str = ""
    backorder: bool = False
    customer: Address | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DemoShop:
    """The demo shop while it is loaded, for what a channel has in it besides partners."""

    shop: Shop
    ids: Ids
    box: SecretBox
    now: datetime

    def new_serial(self) -> str:
        """A serial that nobody else has, and that says whose it is."""
        text = self.ids.random_token(15).upper()
        return f"DEMO-{text[:5]}-{text[5:10]}-{text[10:]}"


@dataclass(frozen=True, kw_only=True)
class Demo:
    """A channel's part of the demo shop.

    `show` returns the fields of a partner's credential from its key and secret, `show_sample` those of
    something to order from the variant's id. `requests` returns (purpose, shell command) pairs from the
    command that starts crossdock and that id. `ensure` adds what else the channel has in the demo shop,
    and puts back what was changed; it returns how much it did. `show_further` reads the fields of that
    from the shop's id; none where it is not there.
    """

    partners: tuple[DemoPartner, ...]
    show: Callable[[str, str], dict[str, object]]
    show_sample: Callable[[int], dict[str, object]] | None = None
    requests: Callable[[str, int], Iterable[tuple[str, str]]] | None = None
    ensure: Callable[[Transaction, DemoShop], Awaitable[int]] | None = None
    show_further: Callable[[Transaction, int], Awaitable[dict[str, object]]] | None = None
