"""What comes of an outgoing call: its answer, or why there is none.

OutboundError
├── Refused       the URL or its address is not allowed; no socket was opened
├── Unreachable   no connection; the request was not sent
└── Unanswered    the request may have been sent, and no complete answer came: outcome unknown
    └── Oversized   the answer is larger than the limit
"""

from typing import Any

import msgspec


class OutboundError(Exception):
    """An outgoing call without a usable answer."""


class Refused(OutboundError):
    """The URL, port or address is not allowed; no socket was opened."""


class Unreachable(OutboundError):
    """No connection could be made; the other side has not received the request."""


class Unanswered(OutboundError):
    """The request may have arrived; whether it took effect is unknown."""


class Oversized(Unanswered):
    """The answer is larger than the limit; the rest was not read."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The response. `headers` have lower-case names; of repeated headers, the last."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body parsed as JSON, or None if it is not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def text(self, limit: int = 300) -> str:
        """The start of the body on one line, for error messages."""
        return " ".join(self.body[: 4 * limit].decode("utf-8", "replace").split())[:limit]
