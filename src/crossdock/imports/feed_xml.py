"""Reads the items of an XML feed one at a time, without entities, DTD or network access."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, cast

import msgspec
from lxml import etree

from crossdock.imports.items import CONTROL, DROPPED, Finding, Unreadable
from crossdock.imports.opening import Source
from crossdock.imports.recognising import FEED_ROOTS, other_text
from crossdock.imports.shipping_terms import packed_term
from crossdock.shop.catalogue import html_once, plain_text

Entry = tuple[dict[str, list[str]], list[tuple[str, str, str]]]

TEXT_MAX = 2**20
"""Maximum length of an element's text, in characters."""
_CHUNK_BYTES = 2**16
_ITEMS = frozenset({"item", "entry"})
_GOOGLE = ("{http://base.google.com/ns/1.0}", "g:")
"""Namespaces of Google's elements; the second where a feed forgot to declare the prefix."""
_DETAIL = "product_detail"
_SHIPPING = "shipping"
_DETAIL_PARTS = ("section_name", "attribute_name", "attribute_value")


_CONTROL_BYTES = bytes(code for code in range(32) if code not in b"\t\n\r")
_CONTROL_REFERENCE = re.compile(
    rb"&#(?:0*(?:[0-8]|1[1245-9]|2[0-9]|3[01])|[xX]0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F]));"
)
_REFERENCE_MAX = 16
_NO_ENTITY = "an & that begins no entity; it is written &amp;"
_FATAL = {
    "ERR_ENTITYREF_SEMICOL_MISSING": _NO_ENTITY,
    "ERR_NAME_REQUIRED": _NO_ENTITY,
    "ERR_UNDECLARED_ENTITY": "an entity that XML does not know; write the sign itself",
}
_HTML = "description"
_PATHS = frozenset({"product_type", "google_product_category"})


def read_entries(source: Source) -> Iterator[Entry | Finding]:
    """Texts by local name, Google's before others', and product details.

    Control characters, which XML forbids, are left out with a warning. Raises Unreadable where the
    XML is broken or unsafe.
    """
    parser = etree.XMLPullParser(
        events=("start", "end", "comment", "pi"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=False,
    )
    count = 0
    try:
        for chunk in _chunks(source):
            if isinstance(chunk, Finding):
                yield msgspec.structs.replace(chunk, row=count + 1)
                continue
            parser.feed(chunk)
            for entry in _entries(parser, count):
                count += 1
                yield entry
        parser.close()
    except etree.XMLSyntaxError as error:
        for entry in _left_over(parser, count):
            count += 1
            yield entry
        raise Unreadable(
            f"The XML is malformed: {_reason(error)}", position=f"after item {count}"
        ) from error


def _name(element: Any) -> str:
    """The local name, whether or not the prefix was declared."""
    tag = str(element.tag)
    return tag.rpartition("}")[2].rpartition(":")[2]


def _reason(error: etree.XMLSyntaxError) -> str:
    """What broke it, in one line: not a prefix that is not declared, which does not matter."""
    fatal = next(
        (
            entry
            for entry in reversed(list(cast("Iterable[Any]", error.error_log)))
            if entry.level_name == "FATAL"
        ),
        None,
    )
    text = error.msg or ""
    if fatal is not None:
        known = _FATAL.get(fatal.type_name)
        text = f"line {fatal.line}: {known or fatal.message}"
    return " ".join(text.replace(", use XML_PARSE_HUGE option", "").split())


def _chunks(source: Source) -> Iterator[bytes | Finding]:
    """The bytes without control characters, and a warning before a piece that had some.

    Only where a byte is a character or a part of one: UTF-16 has zeros everywhere.
    """
    start = source.stream.peek(4)[:4]
    is_wide = start[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in start
    rest = b""
    while chunk := source.stream.read(_CHUNK_BYTES):
        if is_wide:
            yield chunk
            continue
        found = rest + chunk
        cut = found.rfind(b"&", -_REFERENCE_MAX)
        found, rest = (found[:cut], found[cut:]) if cut > 0 else (found, b"")
        clean = _clean(found)
        if clean != found:
            yield Finding(row=0, field="", reason=DROPPED, is_warning=True)
        yield clean
    if rest:
        yield _clean(rest)


def _clean(found: bytes) -> bytes:
    found = found.translate(None, _CONTROL_BYTES)
    return _CONTROL_REFERENCE.sub(b"", found) if b"&#" in found else found


def _left_over(parser: etree.XMLPullParser, count: int) -> Iterator[Entry]:
    """The complete items before the position of the XML error."""
    with suppress(etree.XMLSyntaxError):
        yield from _entries(parser, count)


def _entries(parser: "etree.XMLPullParser", count: int) -> Iterator[Entry]:
    for event, node in cast("Iterator[tuple[str, Any]]", parser.read_events()):
        if event == "start" and node.getparent() is None:
            _refuse_doctype(node)
            _refuse_other_root(node)
        if event in {"comment", "pi"}:
            continue
        if event == "end" and isinstance(node.tag, str):
            if _name(node) in _ITEMS:
                entry = _entry(node, count)
                _drop(node)
                yield entry
            elif node.getparent() is not None and _is_outside(node):
                _drop(node)


def _refuse_doctype(root: Any) -> None:
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.doctype:
        if _name(root).lower() == "html":
            _refuse_other_root(root)
        raise Unreadable(
            "The XML has a DOCTYPE, which is refused because it can define entities",
            position="start",
        )


def _refuse_other_root(root: Any) -> None:
    name = _name(root)
    if name.lower() not in FEED_ROOTS:
        raise other_text(f"<{name}", format_name="google-merchant")


def _is_outside(node: Any) -> bool:
    """Whether the element is outside any item, such as a channel's title."""
    return all(
        not isinstance(above.tag, str) or _name(above) not in _ITEMS
        for above in node.iterancestors()
    )


def _drop(node: Any) -> None:
    """Free the element and its preceding siblings."""
    node.clear()
    parent = node.getparent()
    while parent is not None and node.getprevious() is not None:
        del parent[0]


def _entry(item: Any, count: int) -> Entry:
    texts: dict[str, list[str]] = {}
    others: dict[str, list[str]] = {}
    details = []
    for child in item:
        if child.tag is etree.Entity:
            raise Unreadable("The XML uses a custom entity", position=f"after item {count}")
        if not isinstance(child.tag, str):
            continue
        name = _name(child)
        if name == _DETAIL:
            parts = {
                _name(part): plain_text(_text(part, count))
                for part in child
                if isinstance(part.tag, str)
            }
            details.append(tuple(parts.get(part, "") for part in _DETAIL_PARTS))
        elif name == _SHIPPING and len(child):
            named = {_name(p): plain_text(_text(p, count)) for p in child if isinstance(p.tag, str)}
            texts.setdefault(name, []).append(packed_term(named))
        elif text := (_text(child, count) or _link(child, name)):
            own = texts if child.tag.startswith(_GOOGLE) else others
            own.setdefault(name, []).append(_tidy(name, text))
    return others | texts, cast(
        "list[tuple[str, str, str]]", [part for part in details if part[1] and part[2]]
    )


def _tidy(name: str, text: str) -> str:
    if name == _HTML:
        return html_once(text)
    return text if name in _PATHS else plain_text(text)


def _text(element: Any, count: int) -> str:
    """The element's text, including nested elements (a title in XHTML)."""
    if any(part.tag is etree.Entity for part in element.iter()):
        raise Unreadable("The XML uses a custom entity", position=f"after item {count}")
    text = (
        "".join(element.itertext(with_tail=False)).strip()
        if len(element)
        else (element.text or "").strip()
    )
    if len(text) > TEXT_MAX:
        raise Unreadable(
            f"A text is longer than {TEXT_MAX} characters", position=f"after item {count}"
        )
    return CONTROL.sub("", text)


def _link(element: Any, name: str) -> str:
    """The target of an Atom link, which is in an attribute."""
    return str(element.get("href", "")) if name == "link" else ""
