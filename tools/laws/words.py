"""Laws about words: which belong where; and about comparing secrets."""

import ast
import re
from collections.abc import Iterator

from tools.laws.layout import channel_names
from tools.laws.tree import Finding, Tree

SRC = "src/crossdock/"
CORE = SRC + "shop/"
# These parts call others over HTTP themselves, so they know its headers and status codes.
CALLING_OUT = tuple(
    CORE + part for part in ("deliveries/", "dispatch/", "media/", "payments/", "webhooks/")
)
WEB_NAMES = {"cookie", "cookies", "csrf", "href", "querystring", "redirect"}
CALL_NAMES = {"header", "headers", "http"}
WEB_TEXT = re.compile(
    r"\b(set-)?cookies?\b|\bcsrf\b|\bx-forwarded-|\btext/html\b|\bHTTP [1-5]\d\d\b"
    r"|^/(console|docs|api|admin|portal|track|static)\b",
    re.IGNORECASE,
)
PROVING = (CORE + "partners/", CORE + "people/", SRC + "gate/", SRC + "channels/")
SECRETS = {"secret", "token", "signature", "password", "digest", "hmac"}
SHARED = (SRC + "kit/", SRC + "commands/", SRC + "settings/")


def the_core_speaks_no_web(tree: Tree) -> Iterator[Finding]:
    """The core knows no cookie, header, redirect or page address; these belong to channels and pages."""
    for path, module in tree.modules(CORE):
        names = WEB_NAMES if path.startswith(CALLING_OUT) else WEB_NAMES | CALL_NAMES
        for line, name in _names(module):
            if said := _words(name) & names:
                yield Finding(path, line, f"{name} says {min(said)}: a word of the web in the core")
        for line, text in _texts(module):
            if found := WEB_TEXT.search(text):
                yield Finding(path, line, f"{found[0]!r}: a word of the web in the core")
    for path, text in tree.under(CORE, suffix=".sql"):
        for number, row in enumerate(text.splitlines(), start=1):
            if found := WEB_TEXT.search(row):
                yield Finding(path, number, f"{found[0]!r}: a word of the web in the core")


def secrets_are_compared_in_constant_time(tree: Tree) -> Iterator[Finding]:
    """Authentication compares no secret with `==`, which stops at the first character that differs."""
    for path, module in tree.modules(*PROVING):
        for node in ast.walk(module):
            if not isinstance(node, ast.Compare) or not _asks_for_equality(node):
                continue
            sides = [node.left, *node.comparators]
            if any(isinstance(side, ast.Constant) for side in sides):
                continue
            for name in map(_last_name, sides):
                if _words(name) & SECRETS and not name.endswith("_id"):
                    message = f"{ast.unparse(node)}: use kit.crypto.constant_time_equal"
                    yield Finding(path, node.lineno, message)
                    break


def a_channels_word_stays_in_its_folder(tree: Tree) -> Iterator[Finding]:
    """Kit, settings and commands name no channel; what belongs to one comes from its manifest.

    Docstrings may name the source of a rule.
    """
    channels = {word for name in channel_names(tree) for word in (name, name.partition("_")[0])}
    for path, module in tree.modules(SRC):
        if not path.startswith(SHARED):
            continue
        for line, text in (*_names(module), *_texts(module)):
            plain = text.lower().replace("-", "_")
            if said := [word for word in channels if word in plain]:
                yield Finding(
                    path, line, f"{max(said, key=len)}: it belongs in its channel's folder"
                )


def _names(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, name) of what the code defines, uses and imports."""
    for node in ast.walk(module):
        if isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            yield node.lineno, node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""
            yield from ((node.lineno, alias.name) for alias in node.names)


def _texts(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of every string that is not a docstring."""
    prose = {
        id(node.value)
        for node in ast.walk(module)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.lineno, node.value


def _asks_for_equality(node: ast.Compare) -> bool:
    return any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops)


def _last_name(node: ast.expr) -> str:
    """The name at the end of `a.b.token`, `token[:8]` or `token()`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    if isinstance(node, ast.Subscript):
        return _last_name(node.value)
    return node.id if isinstance(node, ast.Name) else ""


def _words(name: str) -> set[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return {word.lower() for word in re.split(r"[^A-Za-z0-9]+", spaced) if word}
