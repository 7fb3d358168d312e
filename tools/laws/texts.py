"""Laws about every text: links work, and nothing names the machine on which it was written."""

import posixpath
import re
from collections.abc import Iterator
from urllib.parse import unquote

from tools.laws.tree import Finding, Tree

# Spelled in pieces, so that this file keeps the law it tells of.
INDEX_HOSTS = re.compile(
    "|".join(
        [
            "py" + r"pi\.org",
            "python" + "hosted",
            "registry" + r"\.npm" + "js",
            "npm" + r"js\.com",
            "deb" + r"\.deb" + "ian",
        ]
    )
)
MACHINE_PATHS = re.compile(r"(?:^|[^a-z.])/(?:wor" + "k|far" + "m|roo" + r"t|tmp/[a-z]+)/")
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
SOURCE = re.compile(r"\b(?:src|href)=\"([^\"]+)\"")
CODE_PATH = re.compile(r"`([\w.-]+(?:/[\w.*-]+)*/?)`")
HISTORY = ("CHANGELOG.md", "docs/decisions/")
PACKAGE = "src/crossdock/"


def no_index_is_named(tree: Tree) -> Iterator[Finding]:
    """No text names the host of a package index: users choose their own."""
    yield from _lines_with(tree, INDEX_HOSTS, "names the host of a package index")


def no_machine_is_named(tree: Tree) -> Iterator[Finding]:
    """No text names a path of the machine on which it was written."""
    yield from _lines_with(tree, MACHINE_PATHS, "names a path of one machine")


def links_lead_somewhere(tree: Tree) -> Iterator[Finding]:
    """A relative link in Markdown leads to an existing file, and its fragment to a heading in it."""
    for path, text in tree.under("", suffix=".md"):
        prose = _without_fences(text)
        for pattern in (LINK, REFERENCE, SOURCE):
            for match in pattern.finditer(prose):
                if problem := _broken(tree, path, match[1]):
                    yield Finding(path, prose.count("\n", 0, match.start()) + 1, problem)


def named_paths_exist(tree: Tree) -> Iterator[Finding]:
    """A path in back-quotes exists, relative to the repository or to src/crossdock.

    Only text whose first part is an existing folder counts as a path.
    """
    tops = _folders(tree, "") | _folders(tree, PACKAGE)
    for path, text in tree.under("", suffix=".md"):
        if path.startswith(HISTORY):
            continue
        prose = _without_fences(text)
        for match in CODE_PATH.finditer(prose):
            named = match[1]
            if "/" not in named or named.split("/")[0] not in tops:
                continue
            beside = posixpath.join(posixpath.dirname(path), named)
            if not any(tree.has(place) for place in (named, PACKAGE + named, beside)):
                line = prose.count("\n", 0, match.start()) + 1
                yield Finding(path, line, f"{named} does not exist")


def heading_anchors(markdown: str) -> set[str]:
    """The fragments of a Markdown page's headings, as code hosts make them."""
    anchors: set[str] = set()
    for line in _without_fences(markdown).splitlines():
        if match := re.match(r"#{1,6}\s+(.*?)\s*#*$", line):
            title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[1]).lower()
            anchor = re.sub(r"[^\w\- ]", "", title).replace(" ", "-")
            twins = sum(
                1 for known in anchors if re.fullmatch(re.escape(anchor) + r"(-\d+)?", known)
            )
            anchors.add(f"{anchor}-{twins}" if twins else anchor)
    return anchors | set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", markdown))


def _broken(tree: Tree, page: str, link: str) -> str | None:
    """What is wrong with a link; None for a good one and for one that leads out of the repository."""
    if re.match(r"[a-z][a-z0-9+.-]*:|//|/", link) or "{" in link:
        return None
    place, _, fragment = unquote(link).partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(page), place)) if place else page
    if target != "." and not tree.has(target):
        return f"the link to {link} leads nowhere"
    if fragment and target in tree.texts and fragment not in heading_anchors(tree.texts[target]):
        return f"no heading of {target} makes #{fragment}"
    return None


def _lines_with(tree: Tree, pattern: re.Pattern[str], message: str) -> Iterator[Finding]:
    for path, text in tree.texts.items():
        for match in pattern.finditer(text):
            yield Finding(path, text.count("\n", 0, match.start() + 1) + 1, message)


def _folders(tree: Tree, below: str) -> set[str]:
    return {
        path.removeprefix(below).split("/")[0]
        for path in tree.paths()
        if path.startswith(below) and "/" in path.removeprefix(below)
    }


def _without_fences(markdown: str) -> str:
    """Blank out fenced code, keeping the line numbers."""
    kept: list[str] = []
    inside = False
    for line in markdown.splitlines():
        if line.lstrip().startswith("```"):
            inside = not inside
            kept.append("")
        else:
            kept.append("" if inside else line)
    return "\n".join(kept)
