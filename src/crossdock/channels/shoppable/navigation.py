"""What can be chosen further: values of the result with their counts (spec 4.6)."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import UNSET, structs

from crossdock.channels.shoppable.answers import (
    WireBrandValue,
    WireCategoryValue,
    WireColorValue,
    WireMerchantValue,
    WireNavigation,
    WireSizeValue,
)
from crossdock.shop.search import Facet, FacetRequest, FacetValue

_FACETS: Final[tuple[Facet, ...]] = ("category", "merchant", "brand", "size", "color")
LIMITED: Final = 10


class Kind(msgspec.Struct, frozen=True):
    """Which facets a navigation shows; of each at most `most` values, None for all."""

    facets: tuple[Facet, ...] = _FACETS
    ignores_own: bool = False
    most: int | None = None

    def requests(self) -> tuple[FacetRequest, ...]:
        """What the search is asked for."""
        return tuple(
            FacetRequest(facet=facet, ignores_own=self.ignores_own) for facet in self.facets
        )


# The seed names the types and nothing else; `arelimited` is taken for "options are limited".
KINDS: Final[dict[str, Kind]] = {
    "arelimited": Kind(most=LIMITED),
    "category_all": Kind(("category",), ignores_own=True),
    "category_only": Kind(("category",)),
    "except_category": Kind(tuple(each for each in _FACETS if each != "category")),
    "all": Kind(),
    "none": Kind(()),
}


def shown(kind: Kind, facets: Mapping[Facet, tuple[FacetValue, ...]]) -> WireNavigation:
    """The counted values; those that most products have come first, then by name."""
    values = {facet: facets[facet][: kind.most] for facet in kind.facets}
    found = WireNavigation(
        categories=[
            WireCategoryValue(category=each.label, category_id=each.value, count=each.count)
            for each in values.get("category", ())
        ],
        merchants=[
            WireMerchantValue(merchant=each.label, merchant_id=each.value, count=each.count)
            for each in values.get("merchant", ())
        ],
        brands=[
            WireBrandValue(brand=each.label, count=each.count) for each in values.get("brand", ())
        ],
        sizes=[WireSizeValue(size=each.label, count=each.count) for each in values.get("size", ())],
        colors=[
            WireColorValue(color=each.label, count=each.count) for each in values.get("color", ())
        ],
    )
    left_out = {name: UNSET for facet, name in _NAMES.items() if facet not in values}
    return structs.replace(found, **left_out)


_NAMES: Final[dict[Facet, str]] = {
    "category": "categories",
    "merchant": "merchants",
    "brand": "brands",
    "size": "sizes",
    "color": "colors",
}
