"""What clients literally send, though it is not quite legal (spec section 4)."""

from collections.abc import Container
from dataclasses import replace
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    Visitor,
    visit,
)

from crossdock.channels.shoppo.errors import WireError

CONDITIONS = {
    "order": "Order",
    "orderItem": "OrderItem",
    "ConsumerCategory": "ConsumerProductCategory",
}


def rewrite_conditions(document: DocumentNode, *, types: Container[str]) -> DocumentNode:
    """The document with the schema's name where a type condition has the name of the examples."""
    rewritten: DocumentNode = visit(document, _Renaming(types))
    return rewritten


class _Renaming(Visitor):
    """Renames type conditions, where they name no type of the schema."""

    def __init__(self, types: Container[str]) -> None:
        super().__init__()
        self._types = types

    def enter_inline_fragment(self, node: InlineFragmentNode, *_: object) -> Any:
        """`... on order`."""
        return self._renamed(node) if node.type_condition else None

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: object) -> Any:
        """`fragment f on order`."""
        return self._renamed(node)

    def _renamed(self, node: Any) -> Any:
        condition = node.type_condition
        name = condition.name.value
        if name in self._types or CONDITIONS.get(name) not in self._types:
            return None
        known = replace(condition.name, value=CONDITIONS[name])
        return replace(node, type_condition=replace(condition, name=known))


def choose_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation to run: the only one whatever the name, else by name, in any case if need be.

    Raises WireError OPERATION_RESOLUTION_FAILURE.
    """
    operations = [
        each for each in document.definitions if isinstance(each, OperationDefinitionNode)
    ]
    if len(operations) == 1:
        return operations[0]
    if not operations:
        raise _unresolved("The document has no operation.")
    if not name:
        raise _unresolved("The document has several operations: operationName says which.")
    named = [each for each in operations if _name(each) == name] or [
        each for each in operations if _name(each).lower() == name.lower()
    ]
    if len(named) != 1:
        raise _unresolved("operationName names no operation of the document.")
    return named[0]


def _name(operation: OperationDefinitionNode) -> str:
    return operation.name.value if operation.name else ""


def _unresolved(text: str) -> WireError:
    return WireError("OPERATION_RESOLUTION_FAILURE", text, status=200)
