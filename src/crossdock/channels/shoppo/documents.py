"""Documents: read, checked and compiled once, then remembered by their hash."""

import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import islice

from graphql import (
    DocumentNode,
    GraphQLError,
    OperationDefinitionNode,
    parse,
    validate,
)

from crossdock.channels.shoppo.bounds import Cost, check_size, cost_of
from crossdock.channels.shoppo.errors import WireError
from crossdock.channels.shoppo.limits import CHARS_MAX, TOKENS_MAX
from crossdock.channels.shoppo.plans import Plan, make_plan
from crossdock.channels.shoppo.rewriting import choose_operation, rewrite_conditions
from crossdock.channels.shoppo.schema import Served

KEPT_MAX = 1_000
_ERRORS_MAX = 10
# Counts tokens in a fraction of the time that reading them takes. Every alternative ends where it may, a
# string that is not closed among them, so that no text is looked at twice.
_TOKEN = re.compile(
    r"(?:[\s,\ufeff]++|#[^\n\r]*+)"
    r"|(?P<token>"
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:""")?'
    r'|"(?:[^"\\\n\r]|\\.)*+"?'
    r"|[_A-Za-z][_0-9A-Za-z]*+|-?[0-9][0-9.eE+-]*+|\.\.\.|.)",
    re.DOTALL,
)


class Invalid(Exception):
    """A document that cannot be run: what the answer says instead of data."""

    def __init__(self, errors: list[GraphQLError], *, code: str) -> None:
        super().__init__(code)
        self.errors = errors
        self.code = code


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation, what it costs, and its plan if it has one."""

    node: OperationDefinitionNode
    cost: Cost
    plan: Plan | None


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document and the operations of it that were asked for."""

    node: DocumentNode
    chosen: dict[str | None, Operation] = field(default_factory=dict)


class Documents:
    """The documents of one process, the last used of them kept."""

    def __init__(self, served: Served, *, with_plans: bool = True) -> None:
        self._served = served
        self._with_plans = with_plans
        self._kept: OrderedDict[bytes, Document] = OrderedDict()

    def read(self, text: str) -> Document:
        """The document. Raises Invalid, and WireError QUERY_TOO_DEEP or QUERY_TOO_COMPLEX."""
        key = hashlib.sha256(text.encode()).digest()
        if known := self._kept.get(key):
            self._kept.move_to_end(key)
            return known
        document = Document(self._checked(text))
        self._kept[key] = document
        if len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return document

    def operation(self, document: Document, name: str | None) -> Operation:
        """The operation of this name. Raises WireError OPERATION_RESOLUTION_FAILURE."""
        node = choose_operation(document.node, name)
        key = node.name.value if node.name else None
        if key not in document.chosen:
            document.chosen[key] = Operation(
                node=node,
                cost=cost_of(self._served.schema, document.node, node),
                plan=make_plan(self._served, document.node, node) if self._with_plans else None,
            )
        return document.chosen[key]

    def _checked(self, text: str) -> DocumentNode:
        node = _parsed(text)
        check_size(node)
        node = rewrite_conditions(node, types=self._served.schema.type_map)
        errors = validate(self._served.schema, node, max_errors=_ERRORS_MAX)
        if errors:
            raise Invalid(errors, code="GRAPHQL_VALIDATION_FAILED")
        return node


def _parsed(text: str) -> DocumentNode:
    _refuse_large(text)
    try:
        return parse(text, max_lexical_tokens=TOKENS_MAX, allow_empty_selection_sets=False)
    except GraphQLError as error:
        raise Invalid([error], code="GRAPHQL_PARSE_FAILED") from None


def _refuse_large(text: str) -> None:
    """Raises WireError QUERY_TOO_COMPLEX for a text that would take long to read."""
    if len(text) > CHARS_MAX:
        raise _too_complex("characters", limit=CHARS_MAX, actual=len(text))
    found = (match for match in _TOKEN.finditer(text) if match["token"])
    counted = sum(1 for _ in islice(found, TOKENS_MAX + 1))
    if counted > TOKENS_MAX:
        raise _too_complex("tokens", limit=TOKENS_MAX, actual=counted)


def _too_complex(what: str, *, limit: int, actual: int) -> WireError:
    return WireError(
        "QUERY_TOO_COMPLEX",
        f"The document has more than {limit:,} {what}.",
        limit=limit,
        actual=actual,
    )
