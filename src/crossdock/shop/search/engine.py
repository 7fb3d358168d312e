"""What a search engine offers, whichever it is: a query tree in; hits, counts and facets out."""

from collections.abc import Hashable
from datetime import datetime
from typing import Protocol

import msgspec

from crossdock.shop.search.asking import Explained, Found, SearchRequest


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How much an engine knows: everything up to event number `as_of`, in so many documents."""

    as_of: int
    documents: int


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """All that an engine knows, to be compared: the price of each variant as of a moment."""

    as_of: int
    priced_at: datetime
    prices: dict[int, int]


class Engine(Protocol):
    """Searches the goods of one shop. The methods block, and several threads may call them.

    tests/shop/search holds what any engine has to answer.
    """

    def search(self, request: SearchRequest) -> Found:
        """Answer a request. Raises Unavailable `search_unavailable` while there is nothing to ask."""

    def explain(self, request: SearchRequest) -> tuple[Explained, ...]:
        """Why the products of the page stand where they do; same errors."""

    def standing(self) -> Standing:
        """How much it knows. Raises Unavailable `search_unavailable`."""

    def state(self) -> Hashable:
        """What is another one as soon as a search may be answered otherwise; None while there is nothing to ask.

        It is cheap, and waits for nothing.
        """

    def contents(self) -> Contents:
        """All that it knows. Raises Unavailable `search_unavailable`."""
