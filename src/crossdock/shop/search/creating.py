"""The service of searches, as the settings want it."""

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
