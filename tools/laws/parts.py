"""Laws about the parts of the core: which part writes a table, which SQL calls which, no channel's words."""

import ast
import re
from collections.abc import Iterator, Mapping

from tools.laws.tree import Finding, Tree

CORE = "src/crossdock/shop/"
FOUNDATION = re.compile(
    r"src/crossdock/db/migrations/versions/\d{4}-\d{2}-\d{2}-\d{4}_\w+/\d{2}_(\w+)\.sql"
)
CHANNELS = "src/crossdock/channels/"

# The parts from the highest to the lowest: SQL of one may call functions of those below it.
LAYERS = (
    "telling",
    "bulk",
    "resellers",
    "invoices",
    "tickets",
    "carts",
    "warehouse",
    "dispatch",
    "orders",
    "payments",
    "ledger",
    "deliveries",
    "media",
    "catalogue",
    "pricing",
    "stock",
    "customers",
    "partners",
    "people",
    "alerts",
    "events",
)
# Tables whose file in the foundation is called otherwise than the part that writes them.
OWNERS = {
    "serials": "stock",
    "imports": "catalogue",
    "reseller_stock": "resellers",
    "commission": "resellers",
}
TABLE_OWNERS = {"connectors": "dispatch", "reseller_people": "resellers"}
_MADE = re.compile(r"^create table (\w+)", re.MULTILINE)
_WRITTEN = re.compile(r"\b(?:insert into|update|delete from|copy)\s+(\w+)\b", re.IGNORECASE)
_DECLARED = re.compile(r"^create (?:or replace )?function (\w+)", re.MULTILINE)
# Seals the secrets of all parts again, by statements that it lists side by side.
_ABOVE_ALL = "resealing"
_COMMENT = re.compile(r"--[^\n]*")


def tables_have_one_writer(tree: Tree) -> Iterator[Finding]:
    """Only the part whose foundation file creates a table writes it."""
    owners = _owners(tree)
    for path, line, sql in _statements(tree):
        for match in _WRITTEN.finditer(sql):
            owner, part = owners.get(match[1].lower()), _part(path)
            if owner is not None and part not in {owner, _ABOVE_ALL}:
                at = line + sql.count("\n", 0, match.start())
                yield Finding(path, at, f"{match[1]} is written by {owner}, not by {part}")


def sql_calls_point_down(tree: Tree) -> Iterator[Finding]:
    """A SQL function calls only functions of its own part and of the parts below it."""
    made = {
        name: _part(path)
        for path, text in tree.under(CORE, suffix=".sql")
        for name in _DECLARED.findall(text)
    }
    for path, text in tree.under(CORE, suffix=".sql"):
        own, body = _part(path), _COMMENT.sub(lambda m: " " * len(m[0]), text)
        for match in re.finditer(r"\b([a-z_]+)\(", body):
            other = made.get(match[1])
            if other is None or other == own or own not in LAYERS or other not in LAYERS:
                continue
            if LAYERS.index(other) < LAYERS.index(own):
                line = body.count("\n", 0, match.start()) + 1
                yield Finding(path, line, f"{match[1]} is of {other}, which stands above {own}")


def the_core_knows_no_channel(tree: Tree) -> Iterator[Finding]:
    """The core names no channel, except as the source of a rule: `(spec shopwedo 14.2)`, `seeds/002`."""
    names = {path.removeprefix(CHANNELS).split("/")[0] for path, _ in tree.under(CHANNELS)}
    names = {name for name in names if "." not in name} - {"plumbing"}
    if not names:
        return
    named = re.compile(rf"(?<!spec )(?<!specs/)\b(?:{'|'.join(sorted(names))})\b", re.IGNORECASE)
    for path, text in tree.under(CORE):
        for number, line in enumerate(text.splitlines(), start=1):
            if match := named.search(line):
                yield Finding(path, number, f"{match[0]} is a channel; the core knows none")


def _owners(tree: Tree) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for path, text in tree.texts.items():
        if match := FOUNDATION.fullmatch(path):
            part = OWNERS.get(match[1], match[1])
            found |= {table: TABLE_OWNERS.get(table, part) for table in _MADE.findall(text)}
    return found


def _statements(tree: Tree) -> Iterator[tuple[str, int, str]]:
    """(path, line, SQL) of every SQL file of the core, and of every text in its Python."""
    for path, text in tree.under(CORE, suffix=".sql"):
        yield path, 1, _COMMENT.sub(lambda match: " " * len(match[0]), text)
    for path, module in tree.modules(CORE):
        for node in ast.walk(module):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield path, node.lineno, node.value


def _part(path: str) -> str:
    return path.removeprefix(CORE).split("/")[0].removesuffix(".py")
