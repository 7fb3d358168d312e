"""Search strings in the subset of Solr's syntax that the guide promises (spec 4.3), as a query tree.

    query   := clause ((AND | OR | nothing) clause)*     AND binds tighter than OR
    clause  := [+ | - | NOT | !] primary [^boost]
    primary := ( query ) | field:primary | "words"[~slop] | word[~distance] | [low TO high]

Whatever is not this, is words: bad syntax is never an error.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import Final, Literal, NamedTuple

from crossdock.channels.shoppable.solr_fields import ACTIVE, NAMES, Asking, Bound
from crossdock.errors import Invalid
from crossdock.shop.search import (
    Bool,
    Boost,
    Bounds,
    Everything,
    Node,
    Nothing,
    Operator,
    Word,
    split_words,
    words_query,
)

Mark = Literal["", "+", "-"]

_SLOP_MAX: Final = 100
_DISTANCE_MAX: Final = 2
_BOOST_MAX: Final = 100_000
_KEYWORDS: Final = frozenset(("AND", "OR", "NOT"))
_SPACE = re.compile(r"\s*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_FIELD = re.compile(r"([A-Za-z_][A-Za-z0-9_]*):(?!:)")
_WORD = re.compile(r'(?:\\.|[^\s()"\[\]{}^~:\\])+', re.DOTALL)
_END = r'(?:"(?:[^"\\]|\\.)*"|(?:\\.|[^\s\[\]{}\\])+)'
_RANGE = re.compile(rf"([\[{{])\s*({_END})\s+TO\s+({_END})\s*([\]}}])", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL = re.compile(r'[+\-&|!(){}\[\]^"~*?:/\\]')
_WILD = re.compile(r"[*?]")
# The guide's own example has `AND__`: underscores around a word are none of it.
_OPERATOR = re.compile(r"_*(AND|OR|&&|\|\|)_*(?=[\s()]|$)")
_NOT = re.compile(r"_*NOT_*(?=[\s(])")
_ALL = re.compile(r"\*:\*")
_NOT_AFTER_A_WORD: Final = frozenset('":[]{}')
_OPERATORS: Final[dict[str, Literal["and", "or"]]] = {
    "AND": "and",
    "&&": "and",
    "OR": "or",
    "||": "or",
}


class _Broken(Exception):
    """The text is not of this syntax."""


class _TooDeep(Exception):
    """The text has more brackets inside each other than it may."""


class _Clause(NamedTuple):
    """A part of a query, how it is marked, and what joins it to the one before."""

    node: Node
    mark: Mark
    joined: Literal["and", "or", ""]


class Query(NamedTuple):
    """What is asked, and what otherwise, where it finds nothing."""

    node: Node
    otherwise: Node | None = None


def read_search(
    text: str, *, currency: str, operator: Operator = "or", bounds: Bounds | None = None
) -> Query:
    """The query of a search string; '' asks for everything.

    Raises Invalid `too_large` for one beyond the bounds; its other bounds are for the search to check.
    """
    limits = bounds or Bounds()
    if len(text) > limits.chars:
        raise Invalid("too_large", f"The search has more than {limits.chars} characters.")
    if not text.strip():
        return Query(Everything())
    parser = _Parser(text, currency=currency, operator=operator, depth=limits.depth)
    try:
        clauses = parser.whole()
    except _Broken:
        return _words(_SPECIAL.sub(" ", text).split(), operator=operator, chars=limits.chars)
    except _TooDeep:
        message = f"The search is nested deeper than {limits.depth}."
        raise Invalid("too_large", message) from None
    if clauses and all(_is_plain(clause) for clause in clauses):
        words = [_text(clause.node) for clause in clauses]
        return _words(words, operator=operator, chars=limits.chars)
    return Query(_combined(clauses, operator=operator))


def _words(written: Sequence[str], *, operator: Operator, chars: int) -> Query:
    """Plain words; what was an operator in a text of bad syntax is none."""
    words = [word for each in written if (word := each.strip("_")) not in _KEYWORDS]
    node, otherwise = words_query(words, operator=operator, chars=chars)
    return Query(Nothing() if isinstance(node, Everything) else node, otherwise)


def _is_plain(clause: _Clause) -> bool:
    is_word = isinstance(clause.node, Word) and clause.node.field is None
    return is_word and not clause.mark and not clause.joined


def _text(node: Node) -> str:
    assert isinstance(node, Word)  # a plain clause
    return node.text


def _combined(clauses: Sequence[_Clause], *, operator: Operator) -> Node:
    """The clauses by precedence: runs that AND joins, then the alternatives."""
    runs: list[list[_Clause]] = []
    for clause in clauses:
        if runs and (clause.joined or operator) == "and":
            runs[-1].append(clause)
        else:
            runs.append([clause])
    must: list[Node] = []
    should: list[Node] = []
    must_not: list[Node] = []
    for run, following in zip_longest(runs, runs[1:]):
        is_alternative = run[0].joined == "or" or bool(following and following[0].joined == "or")
        nodes = tuple(clause.node for clause in run)
        if all(clause.mark == "-" for clause in run):
            if is_alternative:
                should.append(Bool(must_not=nodes))
            else:
                must_not += nodes
        elif len(run) > 1:
            should.append(_all_of(run))
        else:
            (must if run[0].mark == "+" else should).append(run[0].node)
    if len(should) == 1 and not must and not must_not:
        return should[0]
    if not (must or should or must_not):
        return Nothing()
    return Bool(must=tuple(must), should=tuple(should), must_not=tuple(must_not))


def _all_of(run: Sequence[_Clause]) -> Node:
    return Bool(
        must=tuple(clause.node for clause in run if clause.mark != "-"),
        must_not=tuple(clause.node for clause in run if clause.mark == "-"),
    )


class _Parser:
    """Reads one text from left to right."""

    def __init__(self, text: str, *, currency: str, operator: Operator, depth: int) -> None:
        self._text = text
        self._at = 0
        self._ask = Asking(currency=currency)
        self._operator = operator
        self._depth_max = depth

    def whole(self) -> list[_Clause]:
        """The clauses of the whole text. Raises _Broken, or _TooDeep."""
        clauses = self._clauses(None, depth=0)
        if self._at < len(self._text):
            raise _Broken
        return clauses

    def _clauses(self, name: str | None, *, depth: int) -> list[_Clause]:
        """Up to a closing bracket or the end."""
        if depth > self._depth_max:
            raise _TooDeep if _is_balanced(self._text) else _Broken
        found: list[_Clause] = []
        joined: Literal["and", "or", ""] = ""
        is_first = True
        while self._skipped() not in ("", ")"):
            if operator := self._take(_OPERATOR):
                if is_first or joined:
                    raise _Broken
                joined = _OPERATORS[operator[1]]
                continue
            mark = self._mark()
            node = self._boosted(self._primary(name, depth=depth))
            if node is not None:
                found.append(_Clause(node, mark, joined))
            joined, is_first = "", False
        if joined:
            raise _Broken
        return found

    def _mark(self) -> Mark:
        if self._take(_NOT):
            self._skipped()
            return "-"
        sign = self._text[self._at]
        if sign not in "+-!":
            return ""
        self._at += 1
        following = self._next()
        if not following or following.isspace() or following in "+-!)":
            raise _Broken
        return "+" if sign == "+" else "-"

    def _primary(self, name: str | None, *, depth: int, is_value: bool = False) -> Node | None:
        """One clause without its mark; None where it has no words."""
        sign = self._next()
        if sign == "(":
            return self._group(name, depth=depth)
        if sign == '"':
            return self._phrase(name)
        if not is_value and self._take(_ALL):
            return Everything()
        if not is_value and (field := self._take(_FIELD)):
            return self._fielded(field[1].strip("_"), name, depth=depth)
        return self._word(name)

    def _group(self, name: str | None, *, depth: int) -> Node | None:
        self._at += 1
        clauses = self._clauses(name, depth=depth + 1)
        if self._next() != ")":
            raise _Broken
        self._at += 1
        return _combined(clauses, operator=self._operator) if clauses else None

    def _fielded(self, field: str, name: str | None, *, depth: int) -> Node | None:
        """What is asked of a field; the name of none that is known is a word."""
        if self._skipped() in ("", ")"):
            raise _Broken
        if field not in NAMES and field != ACTIVE:
            inner = self._primary(name, depth=depth, is_value=True)
            nodes = tuple(node for node in (self._leaf(name, field), inner) if node is not None)
            both = Bool(must=nodes) if self._operator == "and" else Bool(should=nodes)
            return both if nodes else None
        if span := self._take(_RANGE):
            return self._ask.between(
                field,
                Bound(_end(span[2]), is_included=span[1] == "["),
                Bound(_end(span[3]), is_included=span[4] == "]"),
            )
        return self._primary(field, depth=depth, is_value=True)

    def _phrase(self, name: str | None) -> Node | None:
        quoted = self._take(_QUOTED)
        if not quoted:
            raise _Broken
        text = _ESCAPED.sub(r"\1", quoted[1]).replace("*", " ")
        slop = 0
        if self._next() == "~":
            self._at += 1
            number = self._take(_NUMBER)
            slop = min(int(Decimal(number[0])), _SLOP_MAX) if number else 0
        if not text.strip("_ ") or (name is None and not split_words(text)):
            return None
        return self._ask.phrase(name, text.strip("_"), slop=slop)

    def _word(self, name: str | None) -> Node | None:
        found = self._take(_WORD)
        if not found or self._next() in _NOT_AFTER_A_WORD:
            raise _Broken
        raw = found[0].strip("_")
        distance = self._distance()
        if not raw:
            return None
        if _WILD.search(_ESCAPED.sub("", raw)):
            pattern = _ESCAPED.sub(lambda m: "?" if m[1] in "*?" else m[1], raw)
            return self._ask.pattern(name, pattern)
        text = _ESCAPED.sub(r"\1", raw)
        if distance is not None:
            return self._ask.fuzzy(name, text, distance=distance)
        return self._leaf(name, text)

    def _leaf(self, name: str | None, text: str) -> Node | None:
        if name is None and not split_words(text):
            return None
        return self._ask.word(name, text)

    def _distance(self) -> int | None:
        """The number behind a tilde; 2 without one, or for a similarity as Solr once took it."""
        if self._next() != "~":
            return None
        self._at += 1
        number = self._take(_NUMBER)
        if not number or "." in number[0]:
            return _DISTANCE_MAX
        return min(int(number[0]), _DISTANCE_MAX)

    def _boosted(self, node: Node | None) -> Node | None:
        if self._next() != "^":
            return node
        self._at += 1
        number = self._take(_NUMBER)
        if not number:
            raise _Broken
        hundredths = min(int(Decimal(number[0]) * 100), _BOOST_MAX)
        return None if node is None else Boost(node=node, hundredths=hundredths)

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skipped(self) -> str:
        """The next character that is no blank."""
        self._take(_SPACE)
        return self._next()

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found:
            self._at = found.end()
        return found


def _end(text: str) -> str | None:
    """An end of a range; `*` is open."""
    if text == "*":
        return None
    quoted = _QUOTED.fullmatch(text)
    return _ESCAPED.sub(r"\1", quoted[1] if quoted else text)


def _is_balanced(text: str) -> bool:
    open_ = 0
    for sign in _QUOTED.sub("", _ESCAPED.sub("", text)):
        open_ += (sign == "(") - (sign == ")")
        if open_ < 0:
            return False
    return open_ == 0
