"""Keeps a request and its answer where authentication finds that its partner is watched; else it costs nothing."""

from datetime import timedelta

import structlog
from starlette.types import Message, Scope

from crossdock.errors import CrossdockError
from crossdock.kit.clock import Clock
from crossdock.kit.hiding import BODY_CHARS, hidden_body, hidden_headers, hidden_query
from crossdock.shop.partners import Calls, KeptCall, hear

log = structlog.get_logger("crossdock.edge")

_ROOM_BYTES = 4 * BODY_CHARS


class Listening:
    """What of one request in hand may have to be kept: references to its body's first parts, and to its answer's."""

    __slots__ = ("_answer", "_answer_headers", "_answer_room", "_request", "_room", "heard")

    def __init__(self) -> None:
        self.heard = hear()
        self._request: list[bytes] = []
        self._answer: list[bytes] = []
        self._answer_headers: list[tuple[bytes, bytes]] = []
        self._room = self._answer_room = _ROOM_BYTES

    def take(self, message: Message) -> Message:
        """Note a part of the request's body."""
        if self._room > 0 and (body := message.get("body")):
            self._request.append(body)
            self._room -= len(body)
        return message

    def answer(self, message: Message) -> None:
        """Note a part of the answer, whose caller is known by now."""
        if message["type"] == "http.response.start":
            self._answer_headers = message["headers"]
        elif self._answer_room > 0 and (body := message.get("body")):
            self._answer.append(body)
            self._answer_room -= len(body)

    async def keep(
        self,
        calls: Calls,
        scope: Scope,
        *,
        clock: Clock,
        path: str,
        status: int,
        seconds: float,
    ) -> None:
        """Keep the call; one that cannot be kept was answered all the same."""
        query = hidden_query(scope["query_string"]) if scope["query_string"] else ""
        call = KeptCall(
            called_at=clock.now() - timedelta(seconds=seconds),
            request_id=scope["crossdock.request_id"],
            method=scope["method"],
            path=f"{path}?{query}"[:2_000] if query else path,
            request_head=hidden_headers(scope["headers"]),
            request_body=hidden_body(_joined(self._request), content_type=_kind(scope["headers"])),
            status=status,
            answer_head=hidden_headers(self._answer_headers),
            answer_body=hidden_body(
                _joined(self._answer), content_type=_kind(self._answer_headers)
            ),
            took_ms=round(seconds * 1000),
            verdict=self.heard.verdict,
            mistake=self.heard.mistake,
        )
        try:
            await calls.keep(self.heard, call)
        except CrossdockError as error:
            log.warning("a call of a watched partner is not kept", code=error.code)


def _joined(parts: list[bytes]) -> bytes:
    return b"".join(parts)[:_ROOM_BYTES]


def _kind(headers: list[tuple[bytes, bytes]]) -> str:
    return next((v.decode("latin-1") for k, v in headers if k.lower() == b"content-type"), "")
