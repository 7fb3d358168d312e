"""The enum of countries: a code that no country has is refused with the one that was probably meant.

GraphQL's own hint goes by the letters alone, and leads from UK to the United States.
"""

from typing import Any, Final

from graphql import EnumValueNode, GraphQLEnumType, GraphQLError, GraphQLSchema

from crossdock.kit.countries import find_country, no_country

ENUM: Final = "CountryCode"


def hint_countries(schema: GraphQLSchema) -> None:
    """Word the refusals of the enum by countries, in variables and in documents."""
    kind = schema.type_map.get(ENUM)
    if not isinstance(kind, GraphQLEnumType):
        return
    of_value, of_literal = kind.coerce_input_value, kind.coerce_input_literal

    def value(given: Any, hide_suggestions: bool = False) -> Any:
        if isinstance(given, str):
            hide_suggestions |= _is_elsewhere(given, kind)
        return of_value(given, hide_suggestions)

    def literal(node: Any, hide_suggestions: bool = False) -> Any:
        if isinstance(node, EnumValueNode):
            hide_suggestions |= _is_elsewhere(node.value, kind)
        return of_literal(node, hide_suggestions)

    readings = {"coerce_input_value": value, "coerce_input_literal": literal}
    for name, reading in readings.items():
        setattr(kind, name, reading)


def _is_elsewhere(text: str, kind: GraphQLEnumType) -> bool:
    """Whether it is a country that the enum does not have. Raises GraphQLError for no country."""
    country = find_country(text)
    if country is None:
        raise GraphQLError(no_country(text))
    return country not in kind.values
