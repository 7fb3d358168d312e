"""Structured logs on stderr, for people or as JSON, with secrets redacted.

Redaction is the last step before rendering and sees every field of every record, those of the
standard library included: a field is redacted by its name, a text where it looks like a key.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TextIO, cast

import structlog

from crossdock.kit.lasting_stream import LastingStream

HIDDEN = "[hidden]"

_access = structlog.get_logger("crossdock.access")

_SECRET_NAME = re.compile(
    r"secret|token|passw|authori[sz]ation|signature|api[_-]?key|master[_-]?key|cookie|card|cvv|cvc"
    r"|security[_-]?code|serial|licen[cs]e[_-]?key|credentials|sealed|private[_-]?key",
    re.IGNORECASE,
)
_SECRET_TEXT = re.compile(
    r"(?P<key>\b(?:[ps]k|sh[xr]|whsec)_[A-Za-z0-9_-]{8,})"
    r"|(?P<bearer>\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,})"
    r"|(?P<url>(?<=://)[^\s/@]+@)"
    r"|(?P<pair>\b[\w-]{0,40}(?:password|passwd|secret|token|api_?key|signature)\b[\"']?\s*[=:]\s*[\"']?[^\s&,;\"']+)"
    r"|(?P<digest>\b[0-9a-fA-F]{64}(?:[0-9a-fA-F]{64})?\b)"
    r"|(?P<card>\b\d(?:[ -]?\d){14,18}\b)",
    re.IGNORECASE,
)
_SECRET_LENGTH_MIN = 9
# What a text needs for that pattern to match: a piece of one of its words, the length of a digest, or a card's digits.
_SECRET_PIECES = (
    *("pk_", "sk_", "shx_", "shr_", "whsec_", "://", "bearer", "basic"),
    *("passw", "secret", "token", "api", "signature"),
)
_DIGEST_LENGTH, _CARD_DIGITS_MIN = 64, 15
_WITHOUT_DIGITS = str.maketrans("", "", "0123456789")
_QUOTED = frozenset(" \t=\r\n\"'")
_OWN_FIELDS = frozenset({"time", "level", "method", "channel", "request_id"})  # never secret
_DEPTH_MAX = 8
# Libraries that log too much; those that draw labels even log the letters of an address.
_CHATTY = (
    *("alembic", "procrastinate", "psycopg", "httpx2", "httpcore2"),
    *("fontTools", "fpdf", "PIL"),
)


_request_lines: "list[_RequestLines]" = []  # one where lines are plain and wanted, else none


def log_request(
    *, method: str, path: str, status: int, ms: float, channel: str, request_id: str
) -> None:
    """Write the access log's line for one answered request.

    The line is what the chain of `configure_logging` would write for these fields. That chain costs
    as much as a tenth of an order, so plain lines are formatted here; lines in colour go through it.
    """
    for lines in _request_lines:
        lines.write(method, path, status, ms, channel, request_id)
        return
    _access.info(
        "request",
        method=method,
        path=path,
        status=status,
        ms=ms,
        channel=channel,
        request_id=request_id,
    )


def configure_logging(*, level: str, format: str, stream: TextIO | None = None) -> None:  # noqa: A002
    """Send the records of structlog and the standard library through one chain to `stream` (stderr)."""
    stream = cast(TextIO, LastingStream(stream or sys.stderr))
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    ending: list[Any] = [structlog.processors.format_exc_info, redact, _renderer(format, stream)]
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    is_plain = format == "json" or not stream.isatty()
    is_written = getattr(logging, level.upper()) <= logging.INFO
    _request_lines[:] = [_RequestLines(stream, format=format)] if is_plain and is_written else []
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


class _RequestLines:
    """Formats the access log's lines as JSON, or as structlog's console renderer without colours."""

    def __init__(self, stream: TextIO, *, format: str) -> None:  # noqa: A002
        self._stream = stream
        self._is_json = format == "json"

    def write(
        self, method: str, path: str, status: int, ms: float, channel: str, request_id: str
    ) -> None:
        time = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        path = _redacted_path(path)
        if self._is_json:
            fields = {
                "method": method, "path": path, "status": status, "ms": ms, "channel": channel,
                "event": "request", "request_id": request_id, "level": "info", "time": time,
            }  # fmt: skip
            line = _to_json(fields)
        else:
            line = (
                f"{time} [info     ] {'request':<30} channel={channel} method={_shown(method)} ms={ms}"
                f" path={_shown(path)} request_id={request_id} status={status}"
            )
        self._stream.write(f"{line}\n")
        self._stream.flush()


def _shown(text: str) -> str:
    return repr(text) if _QUOTED & set(text) else text


def _renderer(format: str, stream: TextIO) -> Any:  # noqa: A002
    if format == "json":
        return structlog.processors.JSONRenderer(serializer=_to_json)
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(),
        timestamp_key="time",
        exception_formatter=structlog.dev.plain_traceback,
    )


def _to_json(value: Any, **_options: Any) -> str:
    import orjson

    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: redact secret fields, and secrets inside texts, at any depth."""
    for name, value in event.items():
        if name not in _OWN_FIELDS:
            event[name] = _hidden_field(name, value, depth=0)
    return event


def redact_text(text: str) -> str:
    """The text without keys, bearer tokens, URL credentials, digests and card numbers."""
    return _SECRET_TEXT.sub(_hide_match, text) if _may_hold_a_secret(text) else text


def _may_hold_a_secret(text: str) -> bool:
    """Whether the pattern can match: most texts of logs cannot hold any, and are looked through much faster so."""
    if len(text) < _SECRET_LENGTH_MIN:
        return False
    if len(text) >= _DIGEST_LENGTH or not text.isascii():
        return True
    lowered = text.lower()
    for piece in _SECRET_PIECES:
        if piece in lowered:
            return True
    return len(text) - len(text.translate(_WITHOUT_DIGITS)) >= _CARD_DIGITS_MIN


_redacted_path = lru_cache(maxsize=256)(redact_text)


def _hidden_field(name: str, value: Any, *, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    return HIDDEN if is_secret_name(name) else _clean(value, depth=depth)


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds what opens something or is a card's."""
    return _SECRET_NAME.search(name) is not None


def _clean(value: Any, *, depth: int) -> Any:
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, int | float) or depth >= _DEPTH_MAX:
        return value if isinstance(value, int | float) else HIDDEN
    if isinstance(value, bytes | bytearray):
        return redact_text(value.decode("utf-8", "replace"))
    if isinstance(value, Mapping):
        return {
            key: _hidden_field(str(key), inner, depth=depth + 1) for key, inner in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(inner, depth=depth + 1) for inner in value]
    return redact_text(str(value))


def _hide_match(match: re.Match[str]) -> str:
    if match.lastgroup == "card" and not _passes_luhn(match[0]):
        return match[0]
    return f"{HIDDEN}@" if match.lastgroup == "url" else HIDDEN


def _passes_luhn(text: str) -> bool:
    digits = [int(character) for character in text if character.isdigit()]
    doubled = (digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
