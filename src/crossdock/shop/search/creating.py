"""The service of searches, as the settings want it."""

from collections.abc import Mapping

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

    def engine_of(shop_id: int) -> Engine:
        return _engine(settings, building=building, shop_id=shop_id, ranking=ranking)

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

    def engine(self, tried: Mapping[str, int], *, shop_id: int) -> Engine:
        """A shop's engine with these weights and this tie, named as in `present`, for `Searching.explain`."""
        tie = tried.get("tie", self._settings.tie)
        weights = {name: value for name, value in tried.items() if name != "tie"}
        ranking = Ranking(weights=self._settings.weights | weights, tie=tie)
        return _engine(self._settings, building=self._building, shop_id=shop_id, ranking=ranking)


def _engine(settings: Search, *, building: Building, shop_id: int, ranking: Ranking) -> Engine:
    reranking = (
        Reranking(embedder=building.embedder, share=settings.rerank_share)
        if building.embedder
        else None
    )
    return LocalEngine(building.folder(shop_id), ranking=ranking, reranking=reranking)
