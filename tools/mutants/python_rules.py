"""The rules that change Python code, by its syntax tree; SQL in its strings is changed as SQL.

| rule | does |
|---|---|
| compare | `<` and `<=`, `>` and `>=`, `==` and `!=`, `is` and `is not`, `in` and `not in` for each other |
| arithmetic | `+` and `-`, `*` and `//` for each other; `%` becomes `*` |
| and_or | `and` and `or` for each other |
| drop_not | removes a `not`; adds one before a condition that is not a comparison |
| extremes | `min` and `max`, `any` and `all` for each other |
| constant | 0 for 1, 1 for 2, True for False |
| drop_statement | replaces a call whose result is unused, a `raise` or `+=` by `pass` |
| drop_filter | removes an `if` of a comprehension |
"""

import ast
import io
import itertools
import re
import tokenize
from collections.abc import Iterator

from tools.mutants.mutant import Edit, Mutant, mutate
from tools.mutants.sql_rules import sql_edits

_OPERATORS: dict[type[ast.AST], tuple[str, str, str]] = {
    ast.Lt: ("compare", "<", "<="), ast.LtE: ("compare", "<=", "<"),
    ast.Gt: ("compare", ">", ">="), ast.GtE: ("compare", ">=", ">"),
    ast.Eq: ("compare", "==", "!="), ast.NotEq: ("compare", "!=", "=="),
    ast.Is: ("compare", "is", "is not"), ast.IsNot: ("compare", "is not", "is"),
    ast.In: ("compare", "in", "not in"), ast.NotIn: ("compare", "not in", "in"),
    ast.Add: ("arithmetic", "+", "-"), ast.Sub: ("arithmetic", "-", "+"),
    ast.Mult: ("arithmetic", "*", "//"), ast.FloorDiv: ("arithmetic", "//", "*"),
    ast.Mod: ("arithmetic", "%", "*"), ast.And: ("and_or", "and", "or"), ast.Or: ("and_or", "or", "and"),
}  # fmt: skip
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
_CONSTANTS = {"0": "1", "1": "2", "True": "False", "False": "True"}
_STATEMENT = re.compile(
    r"\s*(select|insert|update|delete|with|left join|from|where|and|order by|on)\b"
)
_QUOTES = re.compile(r"^[rbfRBF]*(\"\"\"|'''|\"|')")


def python_mutants(path: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a module."""
    places = _Places(source)
    tree = ast.parse(source)
    for edit in _Breaking(places).edits(tree):
        yield mutate(path, source, edit)
    for start, text in _statements(source, places, tree):
        for edit in sql_edits(text, is_body=False):
            moved = Edit(edit.start + start, edit.end + start, edit.text, edit.rule)
            yield mutate(path, source, moved)


class _Places:
    """Converts the parser's lines and columns to offsets in the text."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._lines = source.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def at(self, line: int, column: int, *, in_bytes: bool = True) -> int:
        if in_bytes:
            column = len(self._lines[line - 1].encode()[:column].decode())
        return self._starts[line - 1] + column

    def start(self, node: ast.expr | ast.stmt) -> int:
        return self.at(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.at(node.end_lineno, node.end_col_offset)


class _Breaking:
    """Visits code that runs: no annotations, decorators or class options."""

    def __init__(self, places: _Places) -> None:
        self._places = places

    def edits(self, node: ast.AST) -> Iterator[Edit]:
        yield from self._edits_here(node)
        for name, value in ast.iter_fields(node):
            if name in {"annotation", "returns", "decorator_list", "keywords", "type_params"} and (
                name != "keywords" or isinstance(node, ast.ClassDef)
            ):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not _is_left_alone(child):
                    yield from self.edits(child)

    def _edits_here(self, node: ast.AST) -> Iterator[Edit]:
        places = self._places
        if isinstance(node, ast.Compare | ast.BinOp | ast.BoolOp):
            yield from self._operators(node)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield Edit(places.start(node), places.start(node.operand), "", "drop_not")
        elif isinstance(node, ast.Name) and node.id in _NAMES:
            yield Edit(places.start(node), places.end(node), _NAMES[node.id], "extremes")
        elif isinstance(node, ast.Constant) and repr(node.value) in _CONSTANTS:
            other = _CONSTANTS[repr(node.value)]
            yield Edit(places.start(node), places.end(node), other, "constant")
        elif isinstance(node, ast.comprehension):
            for test in node.ifs:
                yield Edit(places.start(test), places.end(test), "True", "drop_filter")
        elif isinstance(node, ast.stmt):
            yield from self._statement(node)

    def _operators(self, node: ast.Compare | ast.BinOp | ast.BoolOp) -> Iterator[Edit]:
        if isinstance(node, ast.BinOp):
            yield from self._operator(node.left, node.op, node.right)
            return
        sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else node.values
        for place, (left, right) in enumerate(itertools.pairwise(sides)):
            operator = node.ops[place] if isinstance(node, ast.Compare) else node.op
            yield from self._operator(left, operator, right)

    def _operator(self, left: ast.expr, operator: ast.AST, right: ast.expr) -> Iterator[Edit]:
        if type(operator) not in _OPERATORS:
            return
        rule, text, other = _OPERATORS[type(operator)]
        start, end = self._places.end(left), self._places.start(right)
        found = re.search(re.escape(text).replace("\\ ", r"\s+"), self._places.source[start:end])
        if found:
            yield Edit(start + found.start(), start + found.end(), other, rule)

    def _statement(self, node: ast.stmt) -> Iterator[Edit]:
        places = self._places
        is_call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Await | ast.Call)
        if is_call or isinstance(node, ast.Raise | ast.AugAssign):
            yield Edit(places.start(node), places.end(node), "pass", "drop_statement")
        if isinstance(node, ast.If | ast.While) and isinstance(
            node.test, ast.Name | ast.Attribute | ast.Call | ast.Await | ast.NamedExpr
        ):
            text = places.source[places.start(node.test) : places.end(node.test)]
            yield Edit(places.start(node.test), places.end(node.test), f"not ({text})", "drop_not")


def _is_left_alone(node: ast.AST) -> bool:
    """Type-checking imports, and `strict=True`, an assertion."""
    if isinstance(node, ast.keyword):
        return node.arg == "strict"
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def _statements(source: str, places: _Places, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The SQL in a module's strings, with its offsets."""
    documentation = {
        node.body[0].lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and ast.get_docstring(node) is not None
    }
    is_sql = False
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.STRING and token.start[0] not in documentation:
            quotes = _QUOTES.match(token.string)
            assert quotes is not None
            text = token.string[quotes.end() : -len(quotes[1])]
            is_sql = is_sql or bool(_STATEMENT.match(text))
            if is_sql:
                yield places.at(*token.start, in_bytes=False) + quotes.end(), text
        elif token.type not in {tokenize.NL, tokenize.COMMENT}:
            is_sql = False
