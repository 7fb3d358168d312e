"""Plans: an operation compiled once to functions over rows, which answers what GraphQL's own executor would.

A plan covers what partners send all day: fields, aliases, arguments, fragments. Whatever it does not
cover (directives, introspection), and every value that is not as the schema has it, is left to the
executor, which is right by definition. A query may be run again; what a mutation came to is handed over,
so that it is carried out once.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    OperationDefinitionNode,
    OperationType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    print_ast,
)
from graphql.execution.values import VariableValues, get_argument_values
from graphql.language import (
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    visit,
)
from msgspec import Raw

from crossdock.channels.shoppo.completing import (
    Complete,
    Unplanned,
    leaf,
    listed,
    optional,
    required,
)
from crossdock.channels.shoppo.schema import Served, selected_names
from crossdock.channels.shoppo.subjects import Call, Done, ListLoad, Load, Selection, Taking
from crossdock.channels.shoppo.wire import encode
from crossdock.errors import Unavailable

_EDGES: Final = "edges"

Run = Callable[[Call, VariableValues], Awaitable[dict[str, Any]]]
"""The data of an answer. Raises Unplanned, or what a subject refuses."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What runs an operation; `is_of_goods`: it reads lists of goods and nothing else."""

    run: Run
    is_of_goods: bool


Grouped = dict[str, list[FieldNode]]
"""The fields of an object by their name in the answer, in its order."""


def make_plan(
    served: Served, document: DocumentNode, operation: OperationDefinitionNode
) -> Plan | None:
    """The plan of an operation of a valid document, None where there can be none."""
    making = _Making(served, document)
    try:
        if operation.operation is OperationType.MUTATION:
            return making.plan_of_mutations(operation)
        return making.plan(operation)
    except Unplanned:
        return None


class _Making:
    """Makes the plan of one document's operation."""

    def __init__(self, served: Served, document: DocumentNode) -> None:
        self._served = served
        self._fragments = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }

    def plan(self, operation: OperationDefinitionNode) -> Plan:
        root = self._served.schema.query_type
        assert root  # every schema has one
        grouped = self._grouped(root, [operation.selection_set])
        fields = [self._root_field(key, nodes, root) for key, nodes in grouped.items()]

        async def run(call: Call, variables: VariableValues) -> dict[str, Any]:
            return {key: await answer(call, variables) for key, answer in fields}

        names = {nodes[0].name.value for nodes in grouped.values()}
        return Plan(run, is_of_goods=names <= self._served.lists.keys())

    def plan_of_mutations(self, operation: OperationDefinitionNode) -> Plan:
        """One after another, as the executor does; what one refuses is the executor's to tell."""
        root = self._served.schema.mutation_type
        assert root  # every operation of a valid document has its type
        grouped = self._grouped(root, [operation.selection_set])
        fields = {key: self._mutation(nodes, root) for key, nodes in grouped.items()}

        async def run(call: Call, variables: VariableValues) -> dict[str, Any]:
            done: dict[str, Done] = {}
            answer = {}
            for key, mutation in fields.items():
                done[key] = await mutation.carry_out(call, variables, done=done)
                answer[key] = mutation.render(call, done=done, key=key)
            return answer

        return Plan(run, is_of_goods=False)

    def _mutation(self, nodes: list[FieldNode], root: GraphQLObjectType) -> "_Mutation":
        first = nodes[0]
        name = first.name.value
        if name.startswith("__"):
            raise Unplanned
        field = root.fields[name]
        return _Mutation(
            load=self._served.mutations[name],
            arguments=_arguments(field, first),
            names=selected_names(nodes, self._fragments),
            complete=self._complete(field.type, nodes),
        )

    def _root_field(
        self, key: str, nodes: list[FieldNode], root: GraphQLObjectType
    ) -> tuple[str, Callable[[Call, VariableValues], Awaitable[Any]]]:
        first = nodes[0]
        name = first.name.value
        if name == "__typename":
            return key, _constant(root.name)
        if name.startswith("__"):
            raise Unplanned
        load, field = self._served.queries[name], root.fields[name]
        names = selected_names(nodes, self._fragments)
        arguments = _arguments(field, first)
        if name in self._served.lists and (selection := self._selection(field, nodes, names)):
            return key, _listing(self._served.lists[name], arguments, selection)
        complete = self._complete(field.type, nodes)

        async def answer(call: Call, variables: VariableValues) -> Any:
            return complete(await load(call, arguments(variables), names), call)

        return key, answer

    def _selection(
        self, field: GraphQLField, nodes: list[FieldNode], names: frozenset[str]
    ) -> Selection | None:
        """What is selected of a connection; None where its edges are selected never, or twice."""
        kind: Any = get_named_type(field.type)
        grouped = self._grouped(kind, _selections(nodes))
        edges = [key for key, each in grouped.items() if each[0].name.value == _EDGES]
        if len(edges) != 1:
            return None
        edge_kind: Any = get_named_type(kind.fields[_EDGES].type)
        edge = self._object(edge_kind, _selections(grouped[edges[0]]))
        fields = [
            (key, _edges_json if key in edges else self._field(kind, each))
            for key, each in grouped.items()
        ]
        return Selection(
            key=self._key(nodes),
            names=names,
            edge=lambda row, call: encode(edge(row, call)),
            whole=lambda page, call: encode({key: read(page, call) for key, read in fields}),
        )

    def _key(self, nodes: list[FieldNode]) -> bytes:
        """A digest of these fields and of all fragments."""
        texts = sorted(map(print_ast, self._fragments.values()))
        return hashlib.sha256("\n".join([*map(print_ast, nodes), *texts]).encode()).digest()

    def _complete(self, kind: Any, nodes: list[FieldNode]) -> Complete:
        if isinstance(kind, GraphQLNonNull):
            return required(self._complete(kind.of_type, nodes))
        if is_list_type(kind):
            return listed(self._complete(kind.of_type, nodes))
        if is_leaf_type(kind):
            return leaf(kind)
        selections = _selections(nodes)
        if is_abstract_type(kind):
            return self._abstract(kind, selections)
        return optional(self._object(kind, selections))

    def _abstract(self, kind: Any, selections: list[SelectionSetNode]) -> Complete:
        schema, rows = self._served.schema, self._served.rows
        made = {
            each.name: self._object(each, selections) for each in schema.get_possible_types(kind)
        }

        def complete(row: Any, call: Call) -> Any:
            return made[rows[type(row)]](row, call)

        return optional(complete)

    def _object(self, kind: GraphQLObjectType, selections: list[SelectionSetNode]) -> Complete:
        fields = [
            (key, self._field(kind, nodes))
            for key, nodes in self._grouped(kind, selections).items()
        ]
        return lambda row, call: {key: read(row, call) for key, read in fields}

    def _field(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> Complete:
        first = nodes[0]
        name = first.name.value
        if name == "__typename":
            return lambda _row, _call: kind.name
        read = self._served.types[kind.name][name]
        if isinstance(read, Taking):
            raise Unplanned
        complete = self._complete(kind.fields[name].type, nodes)
        return lambda row, call: complete(read(row, call), call)

    def _grouped(self, kind: GraphQLObjectType, selections: list[SelectionSetNode]) -> Grouped:
        found: Grouped = {}
        seen: set[str] = set()
        for each in selections:
            self._collect(kind, each, found=found, seen=seen)
        return found

    def _collect(
        self,
        kind: GraphQLObjectType,
        selections: SelectionSetNode,
        *,
        found: Grouped,
        seen: set[str],
    ) -> None:
        for selection in selections.selections:
            if selection.directives:
                raise Unplanned
            if isinstance(selection, FieldNode):
                key = selection.alias.value if selection.alias else selection.name.value
                found.setdefault(key, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                if condition is None or self._applies(condition.name.value, kind):
                    self._collect(kind, selection.selection_set, found=found, seen=seen)
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                fragment = self._fragments[name]
                if name not in seen:
                    seen.add(name)
                    if self._applies(fragment.type_condition.name.value, kind):
                        self._collect(kind, fragment.selection_set, found=found, seen=seen)

    def _applies(self, condition: str, kind: GraphQLObjectType) -> bool:
        if condition == kind.name:
            return True
        named = self._served.schema.get_type(condition)
        return is_abstract_type(named) and self._served.schema.is_sub_type(named, kind)


@dataclass(frozen=True, slots=True)
class _Mutation:
    """A mutation of an operation; `done` are it and those before it."""

    load: Load
    arguments: Callable[[VariableValues], Mapping[str, Any]]
    names: frozenset[str]
    complete: Complete

    async def carry_out(
        self, call: Call, variables: VariableValues, *, done: Mapping[str, Done]
    ) -> Done:
        try:
            arguments = self.arguments(variables)
        except GraphQLError:
            raise Unplanned(done) from None
        try:
            return Done(row=await self.load(call, arguments, self.names))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - the executor raises it again and says what it says
            return Done(error=error)

    def render(self, call: Call, *, done: Mapping[str, Done], key: str) -> Any:
        if done[key].error is not None:
            raise Unplanned(done)
        try:
            return self.complete(done[key].row, call)
        except Unplanned:
            raise Unplanned(done) from None


def _selections(nodes: list[FieldNode]) -> list[SelectionSetNode]:
    return [node.selection_set for node in nodes if node.selection_set]


def _edges_json(page: Any, _call: Call) -> Any:
    return [Raw(each.json) for each in page.edges]


def _listing(
    load: ListLoad, arguments: Callable[[VariableValues], Mapping[str, Any]], selection: Selection
) -> Callable[[Call, VariableValues], Awaitable[Any]]:
    async def answer(call: Call, variables: VariableValues) -> Any:
        return Raw(await load(call, arguments(variables), selection))

    return answer


def _constant(value: str) -> Callable[[Call, VariableValues], Awaitable[Any]]:
    async def answer(_call: Call, _variables: VariableValues) -> Any:
        return value

    return answer


def _arguments(
    field: GraphQLField, node: FieldNode
) -> Callable[[VariableValues], Mapping[str, Any]]:
    """The arguments of a field; those without variables are read once."""
    if any(_has_variable(argument) for argument in node.arguments or ()):
        return lambda variables: get_argument_values(field, node, variables)
    fixed = get_argument_values(field, node)
    return lambda _variables: fixed


def _has_variable(node: Any) -> bool:
    finder = _Finding()
    visit(node, finder)
    return finder.has_found


class _Finding(Visitor):
    """Looks for variables."""

    has_found = False

    def enter_variable(self, _node: VariableNode, *_: Any) -> None:
        self.has_found = True
