"""Find texts of templates that are not translated: those that stand outside of `_()` and `{% trans %}`."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

SHOWN_ATTRIBUTES: Final = ("placeholder", "aria-label", "title", "alt", "label")
"""Attributes whose value is read by people."""

NAMES: Final = {"Crossdock", "UTC", "SKU", "GTIN", "UPC", "CSV", "PDF", "JSON", "ms", "kB", "Esc"}
"""Words that are the same in every language."""

_TOKEN = re.compile(
    r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->|<!doctype[^>]*>|</?[a-zA-Z]", re.DOTALL
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_ATTRIBUTE = re.compile(rf'\s({"|".join(SHOWN_ATTRIBUTES)})="([^"]*)"')
_UNREAD = ("code", "kbd", "pre", "script", "style")


class Piece(NamedTuple):
    """A piece of a template: `kind` is text, tag, block, value or comment."""

    kind: str
    text: str
    at: int


def pieces(source: str) -> Iterator[Piece]:
    """The pieces of a template, in order; together they are the template."""
    at = 0
    while at < len(source):
        match = _TOKEN.search(source, at)
        start = match.start() if match else len(source)
        if start > at:
            yield Piece("text", source[at:start], at)
        if match is None:
            return
        found = match[0]
        if found.startswith("{"):
            kind, end = {"{#": "comment", "{%": "block", "{{": "value"}[found[:2]], match.end()
        elif found.startswith("<!"):
            kind, end = "comment", match.end()
        else:
            kind, end = "tag", _end_of_tag(source, match.end())
        yield Piece(kind, source[start:end], start)
        at = end


def _end_of_tag(source: str, at: int) -> int:
    """Behind the `>` that ends a tag; those in what the template computes are skipped."""
    while at < len(source):
        if source.startswith(("{{", "{%"), at):
            at = source.index("}}" if source[at + 1] == "{" else "%}", at) + 2
        elif source[at] == ">":
            return at + 1
        else:
            at += 1
    return at


def has_words(text: str) -> bool:
    """Whether a text has words that are not names."""
    return any(word not in NAMES for word in _WORD.findall(re.sub(r"&[a-z]+;", " ", text)))


def bare_texts(source: str) -> Iterator[tuple[int, str]]:
    """The line and text of each piece that people read and no catalogue knows."""
    unread, is_translated = 0, False
    for piece in pieces(source):
        line = source.count("\n", 0, piece.at) + 1
        if piece.kind == "block":
            words = piece.text.strip("{%-+ }").split()
            is_translated = (words[:1] == ["trans"]) or (
                is_translated and words[:1] != ["endtrans"]
            )
        elif piece.kind == "tag":
            name = re.match(r"</?([a-zA-Z0-9]+)", piece.text)
            assert name is not None
            if name[1] in _UNREAD:
                unread += -1 if piece.text.startswith("</") else 1
            for _attribute, value in _ATTRIBUTE.findall(piece.text):
                if has_words(re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", value)):
                    yield line, value
        elif piece.kind == "text" and not unread and not is_translated and has_words(piece.text):
            yield line, piece.text.strip()
