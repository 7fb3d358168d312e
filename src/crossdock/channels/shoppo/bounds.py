"""How large a document may be: depth, aliases, fields of the root, cost (spec section 14).

Depths of fragments are measured once each, however often they are spread; cyclic ones are for validation to
refuse. What validation would compare is counted and bounded before it: it looks at each pair of fields that
answer under one name in one place, which for two thousand tokens are a million.
"""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    IntValueNode,
    OperationDefinitionNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)
from graphql.language import (
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
)

from crossdock.channels.shoppo.errors import WireError
from crossdock.channels.shoppo.limits import (
    ALIASES_MAX,
    COST_MAX,
    DEPTH_MAX,
    FRAGMENTS_MAX,
    LIST_COST,
    MEETINGS_MAX,
    NESTING_MAX,
    PAGE_DEFAULT,
    PAGE_MAX,
    ROOT_FIELDS_MAX,
    SPREAD_FIELDS_MAX,
)

Cost = Callable[[Mapping[str, Any]], int]
"""What an operation costs with these variables."""

_TOO_MUCH = COST_MAX + 1


def check_size(document: DocumentNode) -> None:
    """Raises WireError QUERY_TOO_DEEP or QUERY_TOO_COMPLEX; needs no valid document."""
    measuring = _Measuring(document)
    _refuse_above(FRAGMENTS_MAX, measuring.fragment_count, what="fragments")
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            _refuse_above(
                ROOT_FIELDS_MAX, measuring.root_fields(definition), what="fields of the root"
            )
            depth = measuring.depth(definition.selection_set)
            for limit, actual in ((DEPTH_MAX, depth), (NESTING_MAX, measuring.levels)):
                if actual > limit:
                    raise _too_deep(limit, actual)
    _refuse_above(ALIASES_MAX, measuring.aliases, what="aliases")
    _Meetings(document).check()


def _too_deep(limit: int, actual: int) -> WireError:
    return WireError(
        "QUERY_TOO_DEEP",
        f"The operation is {actual} levels deep, of {limit} at most.",
        limit=limit,
        actual=actual,
    )


def _refuse_above(limit: int, actual: int, *, what: str) -> None:
    if actual > limit:
        raise WireError(
            "QUERY_TOO_COMPLEX",
            f"The document has {actual:,} {what}, of {limit:,} at most.",
            limit=limit,
            actual=actual,
        )


class _Measuring:
    """Depth and number of a document's fields, number of its fragments."""

    def __init__(self, document: DocumentNode) -> None:
        self.aliases = self.fragment_count = self.levels = 0
        self._fragments = _fragments(document)
        self._sizes: dict[str, tuple[int, int]] = {}
        for each in document.definitions:
            if isinstance(each, FragmentDefinitionNode | OperationDefinitionNode):
                self.fragment_count += isinstance(each, FragmentDefinitionNode)
                self._count_aliases(each.selection_set)

    def _count_aliases(self, selections: SelectionSetNode) -> None:
        waiting = [selections]
        while waiting:
            for selection in waiting.pop().selections:
                self.aliases += isinstance(selection, FieldNode) and selection.alias is not None
                inner = getattr(selection, "selection_set", None)
                if inner:
                    waiting.append(inner)

    def root_fields(self, operation: OperationDefinitionNode) -> int:
        """How many fields the root has, those of its fragments among them."""
        count, seen, waiting = 0, set[str](), [operation.selection_set]
        while waiting:
            for selection in waiting.pop().selections:
                if isinstance(selection, FieldNode):
                    count += 1
                elif isinstance(selection, InlineFragmentNode):
                    waiting.append(selection.selection_set)
                elif isinstance(selection, FragmentSpreadNode):
                    name = selection.name.value
                    if name in self._fragments and name not in seen:
                        seen.add(name)
                        waiting.append(self._fragments[name])
        return count

    def depth(self, selections: SelectionSetNode) -> int:
        """How many fields stand below one another; introspection is not counted.

        `levels` is the most of any kind that were met so far. It is not followed beyond NESTING_MAX, below
        which everything that follows fragments by recursion has room.
        """
        return self._size(selections, level=1)[0]

    def _size(self, selections: SelectionSetNode, *, level: int) -> tuple[int, int]:
        """(fields below one another, levels of any kind)."""
        self.levels = max(self.levels, level)
        if level > NESTING_MAX:
            return 0, 0
        depth = levels = 0
        for each in selections.selections:
            own_depth, own_levels = self._size_of(each, level=level)
            depth, levels = max(depth, own_depth), max(levels, own_levels)
        return depth, levels + 1

    def _size_of(self, selection: SelectionNode, *, level: int) -> tuple[int, int]:
        if isinstance(selection, FragmentSpreadNode):
            return self._fragment_size(selection.name.value, level=level)
        inner: SelectionSetNode | None = getattr(selection, "selection_set", None)
        depth, levels = self._size(inner, level=level + 1) if inner else (0, 0)
        if isinstance(selection, FieldNode):
            depth = 1 if selection.name.value.startswith("__") else depth + 1
        return depth, levels

    def _fragment_size(self, name: str, *, level: int) -> tuple[int, int]:
        if name not in self._fragments:
            return 0, 0
        if name not in self._sizes:
            self._sizes[name] = 0, 0  # what a fragment in itself reads
            self._sizes[name] = self._size(self._fragments[name], level=level + 1)
        depth, levels = self._sizes[name]
        self.levels = max(self.levels, level + levels)
        return depth, levels


def _fragments(document: DocumentNode) -> dict[str, SelectionSetNode]:
    return {
        each.name.value: each.selection_set
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }


class _Meetings:
    """Counts the fields of a document as they are executed, and the pairs of them that have to agree."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = _fragments(document)
        self._roots = [
            each.selection_set
            for each in document.definitions
            if isinstance(each, OperationDefinitionNode)
        ]
        self._fields = self._meetings = 0
        self._spread: set[str] = set()

    def check(self) -> None:
        """Raises WireError QUERY_TOO_COMPLEX for more fields, or more pairs of them, than a document may have."""
        for each in self._roots:
            self._meet([each], level=1)
        for name, selections in self._fragments.items():
            if name not in self._spread:
                self._meet([selections], level=1)

    def _meet(self, places: list[SelectionSetNode], *, level: int) -> None:
        """Count what is selected in these places, which become one place of the answer."""
        for same in self._by_name(places).values():
            self._meetings += len(same) * (len(same) - 1) // 2
            _refuse_above(MEETINGS_MAX, self._meetings, what="pairs of fields under one name")
            below = [each for each in same if each is not None]
            if below and level < NESTING_MAX:  # only a cycle goes further
                self._meet(below, level=level + 1)

    def _by_name(self, places: list[SelectionSetNode]) -> dict[str, list[SelectionSetNode | None]]:
        """What is below each field of these places, by the name that it answers under."""
        found: dict[str, list[SelectionSetNode | None]] = {}
        waiting, seen = list(places), set[str]()
        while waiting:
            for selection in waiting.pop().selections:
                self._fields += 1
                if isinstance(selection, FieldNode):
                    name = (selection.alias or selection.name).value
                    found.setdefault(name, []).append(selection.selection_set)
                elif isinstance(selection, InlineFragmentNode):
                    waiting.append(selection.selection_set)
                elif isinstance(selection, FragmentSpreadNode):
                    name = selection.name.value
                    if name in self._fragments and name not in seen:
                        seen.add(name)
                        waiting.append(self._fragments[name])
            _refuse_above(SPREAD_FIELDS_MAX, self._fields, what="fields where they are spread")
        self._spread |= seen
        return found


def cost_of(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> Cost:
    """What a valid operation costs: an object 1, a list of objects LIST_COST of them, a page its size.

    The function raises WireError QUERY_TOO_COMPLEX above COST_MAX.
    """
    pricing = _Pricing(schema, document)
    root = schema.get_root_type(operation.operation)
    assert root  # a valid operation has one
    count = pricing.of_set(operation.selection_set, root)

    def cost(variables: Mapping[str, Any]) -> int:
        found = count(variables, {})
        if found > COST_MAX:
            raise WireError(
                "QUERY_TOO_COMPLEX",
                f"The operation costs more than {COST_MAX:,}; ask for fewer at once.",
                limit=COST_MAX,
                actual=found,
            )
        return found

    return cost


Count = Callable[[Mapping[str, Any], dict[str, int]], int]
"""Cost with these variables; the fragments that were priced already."""


class _Pricing:
    """Makes a function of the variables from the fields of a document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        self._priced: dict[str, Count] = {}

    def of_set(self, selections: SelectionSetNode, parent: Any) -> Count:
        parts = [part for each in selections.selections if (part := self._of(each, parent))]
        return lambda variables, known: min(
            sum(part(variables, known) for part in parts), _TOO_MUCH
        )

    def _of(self, selection: SelectionNode, parent: Any) -> Count | None:
        if isinstance(selection, FieldNode):
            return self._of_field(selection, parent)
        if isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition
            kind = self._schema.get_type(condition.name.value) if condition else parent
            return self.of_set(selection.selection_set, kind)
        assert isinstance(selection, FragmentSpreadNode)
        return self._of_spread(selection.name.value)

    def _of_spread(self, name: str) -> Count:
        if name not in self._priced:
            fragment = self._fragments[name]
            kind = self._schema.get_type(fragment.type_condition.name.value)
            self._priced[name] = self.of_set(fragment.selection_set, kind)
        priced = self._priced[name]

        def count(variables: Mapping[str, Any], known: dict[str, int]) -> int:
            if name not in known:
                known[name] = priced(variables, known)
            return known[name]

        return count

    def _of_field(self, node: FieldNode, parent: Any) -> Count | None:
        name = node.name.value
        if name.startswith("__") or node.selection_set is None:
            return None
        kind = parent.fields[name].type
        inner = self.of_set(node.selection_set, get_named_type(kind))
        times = self._times(node, parent, kind)
        return lambda variables, known: min(
            times(variables) * (1 + inner(variables, known)), _TOO_MUCH
        )

    def _times(self, node: FieldNode, parent: Any, kind: Any) -> Callable[[Mapping[str, Any]], int]:
        if is_list_type(get_nullable_type(kind)):
            times = 1 if _is_connection(parent) else LIST_COST
            return lambda _variables: times
        if not _is_connection(get_named_type(kind)):
            return lambda _variables: 1
        sizes = [
            each.value for each in node.arguments or () if each.name.value in {"first", "last"}
        ]
        return lambda variables: _page_size(sizes, variables)


def _is_connection(kind: Any) -> bool:
    is_object = isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
    return is_object and kind.name.endswith("Connection")


def _page_size(sizes: list[Any], variables: Mapping[str, Any]) -> int:
    for size in sizes:
        value = variables.get(size.name.value) if isinstance(size, VariableNode) else None
        if isinstance(size, IntValueNode):
            value = int(size.value)
        if isinstance(value, int):
            return min(max(value, 1), PAGE_MAX)
    return PAGE_DEFAULT
