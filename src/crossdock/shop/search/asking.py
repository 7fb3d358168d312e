"""What a search is asked, and what it answers; amounts are minor units."""

from typing import Final, Literal

import msgspec

from crossdock.shop.search.tree import Everything, Node
from crossdock.shop.search.wording import words_query

Facet = Literal["brand", "merchant", "category", "color", "size", "coupon", "on_sale", "price"]
FACETS: Final[tuple[Facet, ...]] = (
    "brand",
    "merchant",
    "category",
    "color",
    "size",
    "coupon",
    "on_sale",
    "price",
)
# A product is sorted by its lowest price, whichever of its SKUs match.
Sort = Literal["relevance", "modified", "price", "price_desc", "name", "random"]
Edges = tuple[int, ...]
OFFSET_MAX: Final = 1_000_000
LIMIT_MAX: Final = 1_000


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Whose goods are searched at all: of one currency, of these merchants or of all."""

    currency: str
    merchant_ids: tuple[int, ...] | None = None


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A condition that does not score; `facet` says which facet chose it, if one did."""

    node: Node
    facet: Facet | None = None


class FacetRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A facet of the result; without its own filters if `ignores_own`, so that siblings stay visible.

    `edges` are where the ranges of prices meet, ascending: below the first, from it to the next, ...
    """

    facet: Facet
    ignores_own: bool = False
    edges: Edges = ()


class SearchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One search. A product matches if one of its SKUs satisfies query and filters together.

    `otherwise` is asked where `query` finds nothing. `seed` chooses the order of `random`.
    """

    scope: Scope
    query: Node = Everything()
    otherwise: Node | None = None
    filters: tuple[Filter, ...] = ()
    sort: Sort = "relevance"
    seed: int = 0
    offset: int = 0
    limit: int = 20
    facets: tuple[FacetRequest, ...] = ()


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A product, and its SKU that matches best; `score` in millionths, 0 unless sorted by relevance."""

    product_id: int
    variant_id: int
    score: int


class FacetValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value and how many products have it: a search with it as one more filter finds so many.

    | facet | `value` | `label` | `parent` |
    |---|---|---|---|
    | brand, color, size, coupon | the text | the text | |
    | merchant | the id | the name | |
    | category | the id | `Level 1 > Level 2` | the id of the level above |
    | on_sale | `true`, `false` | the same | |
    | price | `low-high`, an open end empty | the same | |
    """

    value: str
    label: str
    count: int
    parent: str = ""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The products of a page, how many there are in all, and the facets by name.

    Values stand by count and then by label, those of price by amount. `as_of` is the number of the
    last event that the index knows; `is_otherwise` says that the request's `otherwise` was asked.
    """

    hits: tuple[Hit, ...]
    count: int
    facets: dict[Facet, tuple[FacetValue, ...]]
    as_of: int
    is_otherwise: bool = False


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """What a word counts in a field of a product, in millionths."""

    word: str
    field: str
    score: int


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """A product of a page, and why it stands there.

    `similarity` is what it was ranked again by beside its score: how near it is in meaning to the words
    of the search, in millionths of no unit; None where nothing was.
    """

    hit: Hit
    reasons: tuple[Reason, ...]
    similarity: int | None = None


def words_request(
    words: str,
    *,
    currency: str,
    limit: int = 20,
    facets: tuple[FacetRequest, ...] = (),
) -> SearchRequest:
    """The request for plain words among all of a currency's goods."""
    query, otherwise = words_query(words.split())
    return SearchRequest(
        scope=Scope(currency=currency),
        query=query,
        otherwise=otherwise,
        limit=limit,
        facets=facets,
    )
