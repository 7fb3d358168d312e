"""Documents: read, checked and compiled once, then remembered by their hash."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    parse,
    validate,
)

from crossdock.channels.shoppo.bounds import Cost, check_size, cost_of
from crossdock.channels.shoppo.errors import WireError
from crossdock.channels.shoppo.limits import TOKENS_MAX
from crossdock.channels.shoppo.plans import Plan, make_plan
from crossdock.channels.shoppo.rewriting import choose_operation, rewrite_conditions
from crossdock.channels.shoppo.schema import Served

KEPT_MAX = 1_000
_KEPT_CHARS_MAX = 50_000
_ERRORS_MAX = 10


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
        if len(text) <= _KEPT_CHARS_MAX:
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
    try:
        return parse(text, max_tokens=TOKENS_MAX, allow_empty_selection_sets=False)
    except GraphQLSyntaxError as error:
        if f"more than {TOKENS_MAX}" in error.message:
            raise WireError(
                "QUERY_TOO_COMPLEX",
                f"The document has more than {TOKENS_MAX:,} tokens.",
                limit=TOKENS_MAX,
            ) from None
        raise Invalid([error], code="GRAPHQL_PARSE_FAILED") from None
    except GraphQLError as error:
        raise Invalid([error], code="GRAPHQL_PARSE_FAILED") from None
