"""Which Python functions lead to a mutant, by the names in the code: only a test that calls one can notice it."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from tools.mutants.mutant import Mutant

_FUNCTION = re.compile(r"create (?:or replace )?function (\w+)", re.IGNORECASE)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_MIGRATIONS = "src/crossdock/db/migrations/"


@dataclass(frozen=True)
class Piece:
    """A part of a file: a function, a constant, a class's own lines or anything else.

    `name` is '' where others cannot name it, `key` is a Python function's `path:first line`.
    """

    path: str
    kind: str
    name: str
    key: str
    first: int
    last: int
    words: frozenset[str]


def leading(root: Path, mutant: Mutant) -> frozenset[str] | None:
    """The keys of those functions; None if it may be reached in any way."""
    pieces = _pieces_of(root, mutant.path)
    around = [p for p in pieces if p.first <= mutant.line <= p.last]
    if not around:
        return None
    nearest = min(around, key=lambda p: p.last - p.first)
    if nearest.kind == "function":
        return frozenset({nearest.key})
    return _leading_to(root, nearest.name, "" if _is_public(nearest) else nearest.path)


def _is_public(piece: Piece) -> bool:
    """Whether other files may name it: an SQL function, or a constant that is neither private nor a test's."""
    is_test = Path(piece.path).name.startswith("test_")
    return piece.path.endswith(".sql") or not (is_test or piece.name.startswith("_"))


@lru_cache
def _leading_to(root: Path, name: str, home: str) -> frozenset[str] | None:
    """Follow a name through constants and SQL functions; `home` is the file of a private one."""
    found: set[str] = set()
    waiting, seen = [(name, home)], {(name, home)}
    while waiting:
        name, home = waiting.pop()
        if not name:
            return None
        for piece in _naming(root, name):
            if home and piece.path != home:
                continue
            if piece.kind == "function":
                found.add(piece.key)
                continue
            following = (piece.name, "" if _is_public(piece) else piece.path)
            if following not in seen:
                seen.add(following)
                waiting.append(following)
    return frozenset(found)


@lru_cache
def _naming(root: Path, name: str) -> list[Piece]:
    return [p for p in _all_pieces(root) if name in p.words and p.name != name]


@lru_cache
def _all_pieces(root: Path) -> list[Piece]:
    paths = [p for part in ("src/crossdock", "tests") for p in (root / part).glob("**/*")]
    names = sorted(p.relative_to(root).as_posix() for p in paths if p.suffix in {".py", ".sql"})
    return [piece for name in names for piece in _pieces_of(root, name)]


@cache
def _pieces_of(root: Path, path: str) -> list[Piece]:
    source = (root / path).read_text(encoding="utf-8")
    return list((_sql_pieces if path.endswith(".sql") else _python_pieces)(path, source))


def _sql_pieces(path: str, source: str) -> Iterator[Piece]:
    """The functions; a revision is one piece without a name, because a trigger may call what it names."""
    if path.startswith(_MIGRATIONS):
        yield Piece(path, "other", "", "", 1, source.count("\n") + 1, _words(source))
        return
    starts = [*_FUNCTION.finditer(source)]
    for place, match in enumerate(starts):
        end = starts[place + 1].start() if place + 1 < len(starts) else len(source)
        text = source[match.start() : end]
        first = source.count("\n", 0, match.start()) + 1
        last = source.count("\n", 0, end)
        # The comment between two functions is about the second.
        yield Piece(path, "sql", match[1], "", first, last, _words(_without_comments(text)))


def _python_pieces(path: str, source: str) -> Iterator[Piece]:
    lines = source.splitlines(keepends=True)
    yield from _pieces_in(path, lines, ast.parse(source).body, owner="")


def _pieces_in(
    path: str, lines: list[str], statements: list[ast.stmt], *, owner: str
) -> Iterator[Piece]:
    """The pieces of a module, or of the class `owner`."""
    for node in statements:
        if isinstance(node, _DEFINITIONS):
            yield from _functions(path, lines, node)
        elif isinstance(node, ast.ClassDef):
            yield from _pieces_in(path, lines, node.body, owner=node.name)
        elif not (isinstance(node, ast.Import | ast.ImportFrom) or _is_documentation(node)):
            targets = (
                node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            )
            named = [t.id for t in targets if isinstance(t, ast.Name)]
            name = named[0] if len(named) == 1 and not owner else ""
            first, last = node.lineno, node.end_lineno or node.lineno
            text = "" if name == "__all__" else "".join(lines[first - 1 : last])
            yield Piece(path, "constant" if name else "other", name, "", first, last, _words(text))


def _functions(
    path: str, lines: list[str], node: ast.FunctionDef | ast.AsyncFunctionDef
) -> Iterator[Piece]:
    """A function and those inside it; a mutant before its body, in a default, may be reached in any way."""
    for inner in ast.walk(node):
        if isinstance(inner, _DEFINITIONS):
            first = min([inner.lineno, *(d.lineno for d in inner.decorator_list)])
            last = inner.end_lineno or first
            text = _words("".join(lines[first - 1 : last]))
            yield Piece(path, "function", "", f"{path}:{first}", inner.body[0].lineno, last, text)


def _is_documentation(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _without_comments(text: str) -> str:
    return re.sub(r"--.*", "", text)


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))
