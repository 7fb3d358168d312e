"""The repository that is checked: every text file, read once."""

import ast
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PYTHON_FOLDERS = ("src/", "tests/", "tools/", "bench/", "proof/")


@dataclass(frozen=True, order=True)
class Finding:
    """A place that breaks a law; `line` counts from 1."""

    path: str
    line: int
    message: str


@dataclass(frozen=True)
class Tree:
    """Texts by path, relative to the repository and with forward slashes.

    `others` are files that are not text; no law reads them.
    """

    texts: Mapping[str, str]
    others: frozenset[str] = frozenset()
    parsed: dict[str, ast.Module] = field(default_factory=dict, compare=False)

    def under(self, *prefixes: str, suffix: str = "") -> Iterator[tuple[str, str]]:
        """Yield (path, text) of the files below any of the prefixes."""
        for path, text in self.texts.items():
            if path.startswith(prefixes) and path.endswith(suffix):
                yield path, text

    def modules(self, *prefixes: str) -> Iterator[tuple[str, ast.Module]]:
        """Yield (path, syntax tree) of the Python files below any of the prefixes."""
        for path, text in self.under(*prefixes, suffix=".py"):
            if path not in self.parsed:
                self.parsed[path] = ast.parse(text, filename=path)
            yield path, self.parsed[path]

    def has(self, path: str) -> bool:
        """Whether there is a file or folder at this path; `*` matches within one name."""
        wanted = path.strip("/").removeprefix("./").split("/")
        return any(_starts_with(known.split("/"), wanted) for known in self.paths())

    def paths(self) -> Iterator[str]:
        yield from self.texts
        yield from self.others


Law = Callable[[Tree], Iterator[Finding]]


def read_repository(root: Path) -> Tree:
    """Read every file that git tracks or would track."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    texts: dict[str, str] = {}
    others: set[str] = set()
    for path in sorted(set(listing.split("\0")) - {""}):
        if not (root / path).is_file():
            continue
        try:
            texts[path] = (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            others.add(path)
    return Tree(texts, frozenset(others))


def _starts_with(known: list[str], wanted: list[str]) -> bool:
    return len(known) >= len(wanted) and all(
        _matches(name, pattern) for name, pattern in zip(known, wanted, strict=False)
    )


def _matches(name: str, pattern: str) -> bool:
    return name == pattern or ("*" in pattern and Path(name).match(pattern))
