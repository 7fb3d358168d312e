"""Catalogue search: a query tree in; hits, exact counts and exact facets out.

A channel parses its syntax to nodes of the tree and asks `Searching`. The index behind it is fed by
the events of the catalogue (following.py); tree.py and asking.py are the language, engine.py is what
another engine would offer.
"""

from crossdock.shop.search.asking import (
    FACETS,
    LIMIT_MAX,
    OFFSET_MAX,
    Explained,
    Facet,
    FacetRequest,
    FacetValue,
    Filter,
    Found,
    Hit,
    Reason,
    Scope,
    SearchRequest,
    Sort,
    words_request,
)
from crossdock.shop.search.building import Building, Built, rebuild
from crossdock.shop.search.creating import SearchTrials, create_searching
from crossdock.shop.search.documents import Category, Document
from crossdock.shop.search.engine import Contents, Engine, Standing
from crossdock.shop.search.fields import FIELDS, SEARCHED, Field, FieldKind
from crossdock.shop.search.following import Follower
from crossdock.shop.search.local.compiling import Ranking
from crossdock.shop.search.local.embedding import Embedder, Embeddings
from crossdock.shop.search.local.engine import LocalEngine
from crossdock.shop.search.local.reranking import Reranking
from crossdock.shop.search.reading import (
    OptionNames,
    Traits,
    option_names,
    read_names,
    traits_of,
)
from crossdock.shop.search.searching import (
    FILTER_PATTERNS,
    Lag,
    Limits,
    Searching,
    alert_of_lags,
    read_lags,
)
from crossdock.shop.search.tree import (
    VALUES_MAX,
    Bool,
    Boost,
    Bounds,
    Chosen,
    Everything,
    Fuzzy,
    Node,
    Nothing,
    OneOf,
    Pattern,
    Phrase,
    Present,
    Range,
    Word,
    check_bounds,
)
from crossdock.shop.search.verifying import examine_indexes
from crossdock.shop.search.wording import Operator, words_query
from crossdock.shop.search.words import fold, keyword, split_words

__all__ = [
    "FACETS",
    "FIELDS",
    "FILTER_PATTERNS",
    "LIMIT_MAX",
    "OFFSET_MAX",
    "SEARCHED",
    "VALUES_MAX",
    "Bool",
    "Boost",
    "Bounds",
    "Building",
    "Built",
    "Category",
    "Chosen",
    "Contents",
    "Document",
    "Embedder",
    "Embeddings",
    "Engine",
    "Everything",
    "Explained",
    "Facet",
    "FacetRequest",
    "FacetValue",
    "Field",
    "FieldKind",
    "Filter",
    "Follower",
    "Found",
    "Fuzzy",
    "Hit",
    "Lag",
    "Limits",
    "LocalEngine",
    "Node",
    "Nothing",
    "OneOf",
    "Operator",
    "OptionNames",
    "Pattern",
    "Phrase",
    "Present",
    "Range",
    "Ranking",
    "Reason",
    "Reranking",
    "Scope",
    "SearchRequest",
    "SearchTrials",
    "Searching",
    "Sort",
    "Standing",
    "Traits",
    "Word",
    "alert_of_lags",
    "check_bounds",
    "create_searching",
    "examine_indexes",
    "fold",
    "keyword",
    "option_names",
    "read_lags",
    "read_names",
    "rebuild",
    "split_words",
    "traits_of",
    "words_query",
    "words_request",
]
