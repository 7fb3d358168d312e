"""What a request or an answer may be kept as: without secrets, card data and personal data, else as it was sent.

Values are replaced where they stand, so that the text can be compared with what the sender has, also where it is
no valid JSON, which is when people look.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

import msgspec

from crossdock.kit.logging import HIDDEN, is_secret_name, redact_text
from crossdock.kit.numbers import counted

BODY_CHARS: Final = 16_000
_PERSONAL: Final = re.compile(
    r"(first|last|full|given|family|middle|sur|company|contact|recipient|buyer|customer|holder|attention)_?name"
    r"|e?mail|phone|mobile|fax|address|street|house|box_?number|city|town|suburb|zip|postal|post_?code|birth|vat"
    r"|iban|comment|remark|note$|instruction|^company$|^contact$|latitude|longitude",
    re.IGNORECASE,
)
_OF_A_PERSON: Final = re.compile(
    r"^(name|name_?\d|title|state|county|region|province)$", re.IGNORECASE
)
_EMAIL: Final = re.compile(
    # Looked for from the beginning of what has no sign between, not from each of its characters: a long text takes
    # no longer by each of them.
    r"(?<![^\s\"'<>,;:=&/])[^\s\"'<>,;:=&/]+(@|%40)[\w-]+(\.[\w-]+)+"
)
_TOKEN: Final = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"?)|(?P<open>[{[(])|(?P<close>[}\])])|(?P<colon>:)|(?P<comma>,)"""
    r"""|(?P<word>[^\s"{}()\[\]:,]+)""",
    re.DOTALL,
)
_FORM: Final = "application/x-www-form-urlencoded"
_CHARACTER_BYTES: Final = 4
_GAP: Final = "\x1f"  # stands for what is hidden until the text is done; no pattern of secrets takes it for a value
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_SPACED: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


Span = tuple[int, int, str]
"""From where to where a text is replaced, and by what."""


class _Level(msgspec.Struct):
    """An object or a list that is open: whether it is personal as a whole, and its plain values so far."""

    is_hidden: bool
    key: str = ""
    has_colon: bool = False
    is_of_a_person: bool = False
    maybe: list[Span] = msgspec.field(default_factory=list)


def hidden_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers by name, without secrets."""
    shown: dict[str, str] = {}
    for raw_name, raw in headers:
        name = _plain(raw_name.decode("latin-1"))
        text = HIDDEN if is_secret_name(name) else hidden_text(_plain(raw.decode("latin-1")))
        shown[name] = f"{shown[name]}, {text}" if name in shown else text
    return shown


def hidden_query(query: bytes) -> str:
    """A query string with its values read, those that are secret or personal hidden."""
    return hidden_form(query.decode("latin-1"))


def hidden_form(text: str) -> str:
    """Pairs of a form or a query as they were sent, those that are secret or personal hidden."""
    return "&".join(_pair(each) for each in text.split("&"))


def hidden_body(body: bytes, *, content_type: str) -> str:
    """The body as text, without secrets, card data and personal data.

    What is no text is told by its size, and so is a text without names that tell what is secret or personal in it:
    a page with somebody's address, or bare serials.
    """
    kind = content_type.partition(";")[0].strip().lower()
    try:
        text = body.decode()
    except UnicodeDecodeError as error:  # a character that was cut in two at the end is left out
        text = body[: error.start].decode() if len(body) - error.start < _CHARACTER_BYTES else ""
    is_object = text.lstrip().startswith(("{", "["))
    has_names = is_object or kind in {"", _FORM} or kind.endswith(("json", "graphql"))
    if body and (not text or not has_names or "\x00" in text):
        return f"[{counted(len(body), 'byte')} of {kind or 'an unknown type'}]"
    if kind == _FORM and not is_object:
        return hidden_form(text)[:BODY_CHARS]
    text = text[: 4 * BODY_CHARS].replace(_GAP, " ")
    return hidden_text(_hide_values(text)).replace(_GAP, HIDDEN)[:BODY_CHARS]


def hidden_text(text: str) -> str:
    """The text without what looks like a key, a token, a card's number or an e-mail address."""
    return _EMAIL.sub(HIDDEN, redact_text(text))


def _pair(text: str) -> str:
    name, equals, value = text.partition("=")
    key = unquote_plus(name)
    inner = key.rpartition("[")[2].rstrip("]") or key
    if not value or not equals:
        return hidden_text(text)
    if _hides(inner) or _hides(key) or _OF_A_PERSON.search(_snake(inner)):
        return f"{name}={HIDDEN}"
    (known,) = parse_qsl(f"a={value}", max_num_fields=1) or [("a", value)]
    return f"{name}={value if hidden_text(known[1]) == known[1] else HIDDEN}"


def _hide_values(text: str) -> str:
    spans: list[Span] = []
    levels = [_Level(is_hidden=False)]
    word = ""
    for token in _TOKEN.finditer(text):
        kind, level = token.lastgroup, levels[-1]
        if kind == "open":
            levels.append(
                _Level(is_hidden=level.is_hidden or (level.has_colon and _hides(level.key)))
            )
        elif kind == "close":
            _end(level, spans)
            levels.pop()
            if not levels:
                levels.append(_Level(is_hidden=False))
            levels[-1].has_colon = False
        elif kind == "colon":
            level.key, level.has_colon = word, True
            level.is_of_a_person = level.is_of_a_person or _hides_personal(word)
        elif kind == "comma":
            level.has_colon = level.has_colon and token[0] != ","
        elif level.has_colon or level.is_hidden or not _may_be_key(text, token.end()):
            _value(level, token, spans)
            level.has_colon = False
        word = token[0].strip('"') if kind in {"text", "word"} else ""
    for level in levels:
        _end(level, spans)
    return _without(text, spans)


def _value(level: _Level, token: re.Match[str], spans: list[Span]) -> None:
    """A plain value: hidden at once, or once it is known whether its object is about a person."""
    text = token[0]
    if text in {"true", "false", "null", '""'} or _may_be_key(token.string, token.end()):
        return
    gap = (*token.span(), f'"{_GAP}"' if text[0] == '"' else _GAP)
    if level.is_hidden or (level.has_colon and _hides(level.key)):
        spans.append(gap)
    elif level.has_colon and _OF_A_PERSON.search(_snake(level.key)):
        level.maybe.append(gap)
    elif '\\"' in text:  # a document in a text, as GraphQL sends it
        inside = _hide_values(_ESCAPED.sub(_unescaped, text[1:-1]))
        if _GAP in inside:
            spans.append(
                (*token.span(), '"' + inside.replace('"', '\\"').replace("\n", "\\n") + '"')
            )


def _unescaped(match: re.Match[str]) -> str:
    return match[1] if match[1] in {'"', "\\"} else match[0].replace("\\n", "\n")


def _end(level: _Level, spans: list[Span]) -> None:
    if level.is_of_a_person:
        spans.extend(level.maybe)


def _without(text: str, spans: list[Span]) -> str:
    shown, end = [], 0
    for start, stop, instead in sorted(spans):
        shown += [text[end:start], instead]
        end = stop
    return "".join([*shown, text[end:]])


def _may_be_key(text: str, at: int) -> bool:
    """Whether a colon follows: what stands before it is a name and no value."""
    return text[at : at + 40].lstrip()[:1] == ":"


def _hides(name: str) -> bool:
    return is_secret_name(_snake(name)) or _hides_personal(name)


def _hides_personal(name: str) -> bool:
    return _PERSONAL.search(_snake(name)) is not None


def _snake(name: str) -> str:
    return _SPACED.sub("_", name).lower()


def _plain(text: str) -> str:
    return text.replace("\x00", "")[:1000]
