"""The schema: the text of `schema/*.graphql` with a reading for each field."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    print_schema,
)
from graphql.language import FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

from crossdock.channels.shoppo.connections import PAGE_INFO
from crossdock.channels.shoppo.countries import hint_countries
from crossdock.channels.shoppo.files import take_files
from crossdock.channels.shoppo.subjects import (
    Call,
    ListLoad,
    Load,
    NodeLoad,
    Read,
    Subject,
    Taking,
)
from crossdock.channels.shoppo.wording import speak_graphql

FOLDER = Path(__file__).parent / "schema"
QUERY, MUTATION = "RootQuery", "RootMutation"
Resolver = Any


def schema_text() -> str:
    """The files one after another: what they say is what is served."""
    return "\n".join(path.read_text("utf-8") for path in sorted(FOLDER.glob("*.graphql")))


@cache
def published() -> str:
    """The schema as one text, as the reference has it; made when it is first asked for."""
    return print_schema(build_schema(schema_text())) + "\n"


@dataclass(frozen=True, kw_only=True)
class Served:
    """The schema, and the readings by type and field that it was made with."""

    schema: GraphQLSchema
    types: Mapping[str, Mapping[str, Read | Taking]]
    queries: Mapping[str, Load]
    mutations: Mapping[str, Load]
    lists: Mapping[str, ListLoad]
    rows: Mapping[type, str]


def build_served(subjects: Iterable[Subject]) -> Served:
    """The schema with the readings of all subjects. Raises ValueError where the two do not fit."""
    types: dict[str, Mapping[str, Read | Taking]] = {"PageInfo": PAGE_INFO}
    queries: dict[str, Load] = {}
    lists: dict[str, ListLoad] = {}
    mutations: dict[str, Load] = {}
    rows: dict[type, str] = {}
    nodes: dict[int, NodeLoad] = {}
    for subject in subjects:
        for name, fields in subject.types.items():
            types[name] = {**types.get(name, {}), **fields}
        queries |= subject.queries
        lists |= subject.lists
        mutations |= subject.mutations
        rows |= subject.rows
        nodes |= subject.nodes
    queries["node"] = _node(nodes)
    speak_graphql()
    schema = build_schema(schema_text(), assume_valid_sdl=True, no_location=True)
    take_files(schema)
    hint_countries(schema)
    _attach(schema, types=types, roots={QUERY: queries, MUTATION: mutations})
    _name_rows(schema, rows)
    return Served(
        schema=schema, types=types, queries=queries, mutations=mutations, lists=lists, rows=rows
    )


def selected_names(
    nodes: Iterable[FieldNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> frozenset[str]:
    """The names of all fields below these, whatever type they are of; of their own also as `.name`."""
    own = [node.selection_set for node in nodes if node.selection_set]
    found = {f".{each.name.value}" for each in _fields(own, fragments, is_deep=False)}
    return frozenset(found | {each.name.value for each in _fields(own, fragments, is_deep=True)})


def _fields(
    selections: Iterable[SelectionSetNode],
    fragments: Mapping[str, FragmentDefinitionNode],
    *,
    is_deep: bool,
) -> Iterator[FieldNode]:
    """The fields of these selections, each fragment once; with `is_deep` those below them too."""
    seen: set[str] = set()
    waiting = list(selections)
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                yield selection
                if is_deep and selection.selection_set:
                    waiting.append(selection.selection_set)
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name not in seen and name in fragments:
                    seen.add(name)
                    waiting.append(fragments[name].selection_set)


def _node(nodes: Mapping[int, NodeLoad]) -> Load:
    async def load(call: Call, arguments: Mapping[str, Any], names: frozenset[str]) -> Any:
        found = call.ids.decode(arguments["id"])
        if found is None or found[0] not in nodes:
            return None
        kind, number, place = found
        return await nodes[kind](call, number, place, names)

    return load


def _attach(
    schema: GraphQLSchema,
    *,
    types: Mapping[str, Mapping[str, Read | Taking]],
    roots: Mapping[str, Mapping[str, Load]],
) -> None:
    for name, kind in schema.type_map.items():
        if not isinstance(kind, GraphQLObjectType) or name.startswith("__"):
            continue
        known: Mapping[str, Any] = roots[name] if name in roots else types.get(name, {})
        if set(kind.fields) != set(known):
            raise ValueError(f"{name}: {set(kind.fields) ^ set(known)} in schema or readings alone")
        resolver = _loading if name in roots else _reading
        for field_name, field in kind.fields.items():
            field.resolve = resolver(known[field_name])


def _reading(read: Read | Taking) -> Resolver:
    if isinstance(read, Taking):
        taking = read.read
        return lambda row, info, **arguments: taking(row, info.context, arguments)
    return lambda row, info: read(row, info.context)


def _loading(load: Load) -> Resolver:
    async def resolve(_source: None, info: GraphQLResolveInfo[Call], **arguments: Any) -> Any:
        if done := info.context.done.get(str(info.path.key)):
            return done.answer()
        names = selected_names(info.field_nodes, info.fragments)
        return await load(info.context, arguments, names)

    return resolve


def _name_rows(schema: GraphQLSchema, rows: Mapping[type, str]) -> None:
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLInterfaceType):
            kind.resolve_type = lambda row, _info, _kind: rows[type(row)]
