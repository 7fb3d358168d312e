"""The sentences in which the core refuses, as `tools.translations` finds them: where errors are raised, one per code.

A sentence with values is its template, `An order that is %(state)s cannot be shipped.`, after the names that the
code has for them. What is no whole sentence is a part of a channel's own, and stays English.
"""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from crossdock.errors import ERROR_CODES

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "src/crossdock/shop"
UNSEEN = (
    "carts",
    "events",
    "invoices",
    "mailing",
    "search",
    "webhooks",
    "resealing.py",
    "shops.py",
)
"""Parts of the core that refuse programs, carts and commands, and no page of the console."""
_ERRORS = {"Conflict", "Invalid", "NotFound", "Refused", "Unavailable"}
_NAME = re.compile(r"[A-Za-z_]\w*")
_VALUE = re.compile(r"%\(\w+\)s")
_WORDS_MIN = 3
"""A template of fewer words would be taken for much that it is not."""


def refusals() -> Iterator[tuple[str, str]]:
    """Each sentence, with the file that has it."""
    for text in ERROR_CODES.values():
        yield text, "src/crossdock/errors.py"
    for path in sorted(CORE.rglob("*.py")):
        name = path.relative_to(CORE)
        if name.parts[0] not in UNSEEN:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for text in sorted(set(_sentences(tree))):
                yield text, f"src/crossdock/shop/{name}"


def is_template(text: str) -> bool:
    """Whether a sentence has values."""
    return bool(_VALUE.search(text))


def _sentences(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assigned = _assigned(node)
            for message in _messages(node):
                found = assigned[message.id] if isinstance(message, ast.Name) else [_text(message)]
                yield from filter(_is_sentence, found)


def _messages(function: ast.AST) -> Iterator[ast.expr]:
    """The message of each error that is made in a function."""
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in _ERRORS
            and len(node.args) > 1
        ):
            yield node.args[1]


def _assigned(function: ast.AST) -> dict[str, list[str]]:
    """The texts of a function's names."""
    found = defaultdict[str, list[str]](list)
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id].append(_text(node.value))
    return found


def _text(node: ast.expr) -> str:
    """A text as it is, a formatted one as its template; '' for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return ""
    seen, parts = Counter[str](), list[str]()
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            name = (_NAME.findall(ast.unparse(part.value)) or ["value"])[-1].lower()
            seen[name] += 1
            parts.append(f"%({name}{seen[name] if seen[name] > 1 else ''})s")
        elif isinstance(part, ast.Constant):
            parts.append(str(part.value))
    return "".join(parts)


def _is_sentence(text: str) -> bool:
    words = _NAME.findall(_VALUE.sub("", text))
    return text[:1].isupper() and text.endswith(".") and (
        not is_template(text) or len(words) >= _WORDS_MIN
    )  # fmt: skip
