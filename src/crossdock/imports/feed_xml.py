"""Items of an XML feed one by one: no entities, no DTD, no network, elements dropped once read."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

from lxml import etree

from crossdock.imports.items import CONTROL, Unreadable
from crossdock.imports.opening import Source
from crossdock.imports.recognising import FEED_ROOTS, other_text

Entry = tuple[dict[str, list[str]], list[tuple[str, str, str]]]

TEXT_MAX = 2**20
"""Characters that one element's text may have."""
_CHUNK_BYTES = 2**16
_ITEMS = frozenset({"item", "entry"})
_GOOGLE = ("{http://base.google.com/ns/1.0}", "g:")
"""How its elements are told; the second where a feed forgot to declare the prefix."""
_DETAIL = "product_detail"
_DETAIL_PARTS = ("section_name", "attribute_name", "attribute_value")


def read_entries(source: Source) -> Iterator[Entry]:
    """Texts by local name, Google's before others', and product details.

    Raises Unreadable where the XML is broken or unsafe.
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
        while chunk := source.stream.read(_CHUNK_BYTES):
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
    """Its local name, whether or not its prefix was declared."""
    tag = str(element.tag)
    return tag.rpartition("}")[2].rpartition(":")[2]


def _reason(error: etree.XMLSyntaxError) -> str:
    """What is wrong, in one line, without the parser's advice to its programmer."""
    return " ".join((error.msg or "").replace(", use XML_PARSE_HUGE option", "").split())


def _left_over(parser: etree.XMLPullParser, count: int) -> Iterator[Entry]:
    """The items that were whole before the place where the XML broke."""
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
            "The XML has a DOCTYPE, which is not read: it can hide entities", position="start"
        )


def _refuse_other_root(root: Any) -> None:
    name = _name(root)
    if name.lower() not in FEED_ROOTS:
        raise other_text(f"<{name}", format_name="google-merchant")


def _is_outside(node: Any) -> bool:
    """Whether the element stands in no item, such as a channel's title."""
    return all(
        not isinstance(above.tag, str) or _name(above) not in _ITEMS
        for above in node.iterancestors()
    )


def _drop(node: Any) -> None:
    """Free the element and what stands before it."""
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
            raise Unreadable("The XML uses an entity of its own", position=f"after item {count}")
        if not isinstance(child.tag, str):
            continue
        name = _name(child)
        if name == _DETAIL:
            parts = {_name(part): _text(part, count) for part in child if isinstance(part.tag, str)}
            details.append(tuple(parts.get(part, "") for part in _DETAIL_PARTS))
        elif text := (_text(child, count) or _link(child, name)):
            own = texts if child.tag.startswith(_GOOGLE) else others
            own.setdefault(name, []).append(text)
    return others | texts, cast(
        "list[tuple[str, str, str]]", [part for part in details if part[1] and part[2]]
    )


def _text(element: Any, count: int) -> str:
    """The element's own text, and that of elements inside (a title in XHTML)."""
    if any(part.tag is etree.Entity for part in element.iter()):
        raise Unreadable("The XML uses an entity of its own", position=f"after item {count}")
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
    """Atom's links stand in an attribute."""
    return str(element.get("href", "")) if name == "link" else ""
