"""Lists among the variables that PHP made objects of, because an entry was taken out."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLSchema,
    OperationDefinitionNode,
    get_nullable_type,
    type_from_ast,
)

from crossdock.channels.plumbing import as_list


def with_lists(
    schema: GraphQLSchema, operation: OperationDefinitionNode, given: Mapping[str, Any]
) -> dict[str, Any]:
    """The variables, with a list wherever the operation declares one; no input has numbers for names."""
    found = dict(given)
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        if isinstance(found.get(name), dict | list):
            found[name] = _listed(found[name], type_from_ast(schema, definition.type))
    return found


def _listed(value: Any, declared: Any) -> Any:
    kind = get_nullable_type(declared)
    if isinstance(kind, GraphQLList):
        value = as_list(value)
        if isinstance(value, list):
            return [_listed(each, kind.of_type) for each in value]
        return _listed(value, kind.of_type)
    if isinstance(kind, GraphQLInputObjectType) and isinstance(value, dict):
        return {
            name: _listed(each, kind.fields[name].type) if name in kind.fields else each
            for name, each in value.items()
        }
    return value
