"""The service of searches, as the settings want it."""

from collections.abc import Mapping

import msgspec

from crossdock.settings.search import Search
from crossdock.shop.search.building import Building
from crossdock.shop.search.engine import Engine
from crossdock.shop.search.local.compiling import Ranking
from crossdock.shop.search.local.engine import LocalEngine
from crossdock.shop.search.local.reranking import Reranking
from crossdock.shop.search.searching import Limits, Searching
from crossdock.shop.search.tree import Bounds


def create_searching(settings: Search, *, building: Building) -> Searching:
    """Create it over the folders that `building` keeps; results are ranked again where it has an embedder."""
    ranking = Ranking(weights=settings.weights, tie=settings.tie)
    reranking = (
        Reranking(embedder=building.embedder, share=settings.rerank_share)
        if building.embedder
        else None
    )

    def engine_of(shop_id: int) -> Engine:
        return LocalEngine(building.folder(shop_id), ranking=ranking, reranking=reranking)

    limits = Limits(
        bounds=Bounds(
            chars=settings.query_chars,
            clauses=settings.query_clauses,
            depth=settings.query_depth,
            patterns=settings.query_patterns,
        ),
        deadline_ms=settings.deadline_ms,
        at_once=settings.at_once,
        waiting_max=settings.waiting_max,
        lag_alert_s=settings.lag_alert_s,
    )
    return Searching(engine_of, limits=limits)


class SearchTrials:
    """Searches over the same indexes with other weights, in hundredths, than those of the settings."""

    def __init__(self, settings: Search, *, building: Building) -> None:
        self._settings = settings
        self._building = building

    @property
    def present(self) -> dict[str, int]:
        """The weights of the settings by field, and under `tie` what a word counts beside its best field."""
        return {**self._settings.weights, "tie": self._settings.tie}

    def open(self, tried: Mapping[str, int]) -> Searching:
        """A search with these weights and this tie, named as in `present`; close it after use."""
        named = {
            name if name == "tie" else f"weight_{name}": value for name, value in tried.items()
        }
        return create_searching(
            msgspec.structs.replace(self._settings, **named), building=self._building
        )
