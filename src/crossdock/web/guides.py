"""Render the guides from the Markdown files of docs/. docs/README.md is the table of contents.

In a checkout they are read from there; in an installed package from a copy beside this file (setup.py).
"""

import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import msgspec
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from crossdock.web.finding import Passage, passages_of

INDEX = "README"
_CHANNELS = "channels/"
_OF_PARTNERS = "For partners' developers"
_OF_DECISIONS = 0.1
_INSTALLED = Path(__file__).parent / "docs"
_CHECKOUT = Path(__file__).parents[3] / "docs"
_FILE_TYPES = {
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".graphql": "text/plain; charset=utf-8",
}
_ENTRY = re.compile(r"^- \[(?P<title>[^\]]+)\]\((?P<path>[^)\s]+)\)")
_HEADING = re.compile(r"^## +(?P<title>.+?) *$")
_UNLISTED = re.compile(r"decisions/0000-template$")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A link of the sidebar."""

    title: str
    url: str


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A group of the sidebar."""

    title: str
    entries: tuple[Entry, ...]


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """A heading with its anchor."""

    title: str
    anchor: str


class Guide(msgspec.Struct, frozen=True, kw_only=True):
    """A rendered page."""

    name: str
    title: str
    html: str
    headings: tuple[Heading, ...]


class Guides:
    """The pages of a folder and those that channels add, rendered on first request."""

    def __init__(
        self, folder: Path | None = None, *, of_channels: Mapping[str, Path] | None = None
    ) -> None:
        self._folder = folder or (_INSTALLED if _INSTALLED.is_dir() else _CHECKOUT)
        self._pages = {
            path.relative_to(self._folder).with_suffix("").as_posix(): path
            for path in sorted(self._folder.rglob("*.md"))
        }
        self._brought = [f"{_CHANNELS}{name}" for name in of_channels or {}]
        self._pages |= {f"{_CHANNELS}{name}": path for name, path in (of_channels or {}).items()}
        self._files = {
            path.relative_to(self._folder).as_posix(): path
            for path in self._folder.rglob("*")
            if path.suffix in _FILE_TYPES
        }
        self.sections = self._read_sections()
        self._rendered = lru_cache(maxsize=None)(self._render)

    def names(self) -> list[str]:
        """Every page's name: its path without `.md`."""
        return sorted(self._pages)

    def file(self, name: str) -> tuple[bytes, str] | None:
        """A picture or JSON document from the same folder, with its content type."""
        path = self._files.get(name)
        return (path.read_bytes(), _FILE_TYPES[path.suffix]) if path else None

    def page(self, name: str) -> Guide | None:
        """The page of that name, or None; unknown names are not cached."""
        return self._rendered(name) if name in self._pages else None

    def passages(self) -> Iterator[Passage]:
        """What can be found in all pages; decisions, which few look for, weigh less."""
        for name in self.names():
            if _UNLISTED.search(name):
                continue
            tokens = _parser().parse(self._pages[name].read_text(encoding="utf-8"))
            headings = _mark_headings(tokens)
            title = next((each.title for level, each in headings if level == 1), name)
            url = "/docs/" if name == INDEX else f"/docs/{name}"
            weight = _OF_DECISIONS if name.startswith("decisions/") else 1.0
            yield from passages_of(tokens, title=title, url=url, weight=weight)

    def _render(self, name: str) -> Guide:
        return render(self._pages[name].read_text(encoding="utf-8"), name=name)

    def _read_sections(self) -> tuple[Section, ...]:
        """The lists of the index page; pages that it does not list come last."""
        found: list[tuple[str, list[Entry]]] = []
        listed = {INDEX}
        index = self._pages.get(INDEX)
        for line in index.read_text(encoding="utf-8").splitlines() if index else ():
            if heading := _HEADING.match(line):
                found.append((heading["title"], []))
            elif (entry := _ENTRY.match(line)) and found:
                listed.add(entry["path"].removesuffix(".md"))
                found[-1][1].append(
                    Entry(title=entry["title"], url=page_url(entry["path"], INDEX) or "")
                )
        for name in self._brought:
            listed.add(name)
            group = next((entries for title, entries in found if title == _OF_PARTNERS), None)
            if group is None:
                found.append((_OF_PARTNERS, group := []))
            group.append(Entry(title=_title_of(self._pages[name]), url=f"/docs/{name}"))
        rest = [n for n in self.names() if n not in listed and not _UNLISTED.search(n)]
        if rest:
            entries = [Entry(title=_title_of(self._pages[n]), url=f"/docs/{n}") for n in rest]
            found.append(("More", entries))
        return tuple(Section(title=t, entries=tuple(e)) for t, e in found if e)


def render(markdown: str, *, name: str) -> Guide:
    """Render GitHub-flavoured Markdown: tables, heading anchors, highlighted code, internal links."""
    parser = _parser()
    tokens = parser.parse(markdown)
    headings = _mark_headings(tokens)
    _lead_links(tokens, name)
    title = next((token.title for level, token in headings if level == 1), name)
    return Guide(
        name=name,
        title=title,
        html=parser.renderer.render(tokens, parser.options, {}),
        headings=tuple(heading for level, heading in headings if level == 2),
    )


def inline(text: str) -> str:
    """Render one paragraph of Markdown without `<p>`, such as a description in an OpenAPI document."""
    rendered: str = _parser().renderInline(text)
    return rendered


def page_url(link: str, page: str) -> str | None:
    """The site's URL for a relative link on `page`; None if it points outside docs/."""
    place, _, fragment = link.partition("#")
    if not place:
        return link
    target = posixpath.normpath(posixpath.join(posixpath.dirname(page), place))
    if target.startswith(".."):
        return None
    target = target.removesuffix(".md")
    if target.startswith("reference/openapi/") and target.endswith(".json"):
        return f"/docs/api/{Path(target).stem}"
    if Path(target).suffix == ".json":  # for programs, and no page
        return None
    address = "/docs/" if target == INDEX else f"/docs/{target}"
    return f"{address}#{fragment}" if fragment else address


def slug(title: str) -> str:
    """The anchor of a heading, as code hosts generate it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def highlighted(code: str, language: str) -> str:
    """Highlighted code as HTML spans with classes."""
    try:
        lexer = get_lexer_by_name(language, **({"startinline": True} if language == "php" else {}))
    except ClassNotFound:
        return escapeHtml(code)
    coloured: str = highlight(code, lexer, HtmlFormatter(nowrap=True))
    return coloured.rstrip("\n") + "\n"


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    return parser


def _fence(_renderer: object, tokens: list[Token], place: int, *_: object) -> str:
    token = tokens[place]
    language = token.info.strip().split(" ")[0]
    code = highlighted(token.content, language) if language else escapeHtml(token.content)
    return f'<div class="code"><pre tabindex="0"><code>{code}</code></pre></div>\n'


def _table_open(*_: object) -> str:
    return '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>\n'


def _table_close(*_: object) -> str:
    return "</table></div>\n"


def _mark_headings(tokens: list[Token]) -> list[tuple[int, Heading]]:
    """Add an anchor to each heading; returns (level, heading) in order."""
    found: list[tuple[int, Heading]] = []
    taken: dict[str, int] = {}
    for opening, inline in itertools.pairwise(tokens):
        if opening.type != "heading_open":
            continue
        title = "".join(
            c.content for c in inline.children or () if c.type in {"text", "code_inline"}
        )
        anchor = slug(title)
        taken[anchor] = taken.get(anchor, -1) + 1
        if taken[anchor]:
            anchor = f"{anchor}-{taken[anchor]}"
        opening.attrSet("id", anchor)
        level = int(opening.tag[1])
        if level > 1:
            if title.isupper() and anchor == slug(title):  # a code is found as it is written, too
                (inline.children or []).insert(0, _anchor(title))
            (inline.children or []).append(_anchor_link(anchor, title))
        found.append((level, Heading(title=title, anchor=anchor)))
    return found


def _anchor(name: str) -> Token:
    """A place in the page. The renderer prints `html_inline` unchanged."""
    return Token("html_inline", "", 0, content=f'<span id="{escapeHtml(name)}"></span>')


def _anchor_link(anchor: str, title: str) -> Token:
    """The link after a heading to itself. The renderer prints `html_inline` unchanged."""
    label = escapeHtml(f"Link to {title}")
    html = f'<a class="anchor" href="#{escapeHtml(anchor)}" aria-label="{label}">#</a>'
    return Token("html_inline", "", 0, content=html)


def _lead_links(tokens: list[Token], page: str) -> None:
    """Turn links between files into links between pages; links outside docs/ become plain text."""
    for token in tokens:
        closings = []
        for child in token.children or ():
            if child.type == "link_open":
                closings.append(_lead(child, page))
            elif child.type == "link_close" and not closings.pop():
                child.tag = "span"
            elif child.type == "image":
                child.attrSet("src", page_url(str(child.attrGet("src")), page) or "")


def _lead(link: Token, page: str) -> bool:
    address = str(link.attrGet("href") or "")
    if re.match(r"[a-z][a-z0-9+.-]*:|/", address):
        return True
    if url := page_url(address, page):
        link.attrSet("href", url)
        return True
    link.tag, link.attrs = "span", {}
    return False


def _title_of(path: Path) -> str:
    first = path.read_text(encoding="utf-8").lstrip().partition("\n")[0]
    return first.lstrip("# ").strip() or path.stem
