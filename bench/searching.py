"""A shop's index, built as in production, and the service that searches it."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from crossdock.kit.clock import SystemClock
from crossdock.kit.ids import RandomIds
from crossdock.settings.search import Search
from crossdock.shop.search import (
    FACETS,
    Bounds,
    Building,
    Built,
    FacetRequest,
    Limits,
    LocalEngine,
    Ranking,
    Searching,
    option_names,
    rebuild,
)
from proof.stand import Stand
from tests.support.factories import ShopFixture

EDGES = (5_000, 20_000)


@dataclass(frozen=True)
class OpenSearch:
    """The service over a new index, the index's folder, and the time of building it."""

    service: Searching
    folder: Path
    built: Built
    build_s: float

    @property
    def size_mb(self) -> float:
        """The index's size on the disk."""
        return sum(each.stat().st_size for each in self.folder.iterdir()) / 1e6


@asynccontextmanager
async def open_search(stand: Stand, shop: ShopFixture) -> AsyncIterator[OpenSearch]:
    """Build the shop's index with the default settings, and open it."""
    settings = Search()
    building = Building(
        db=stand.database,
        clock=SystemClock(),
        ids=RandomIds(),
        root=stand.folder / "search",
        options=option_names(
            color=settings.color_options,
            size=settings.size_options,
            material=settings.material_options,
        ),
        writer_mb=settings.writer_mb,
    )
    began = time.perf_counter()
    built = await rebuild(building, shop_id=shop.id)
    build_s = time.perf_counter() - began
    service = create_service(building.folder(shop.id))
    try:
        folder = next(each for each in building.folder(shop.id).iterdir() if each.is_dir())
        yield OpenSearch(service, folder, built, build_s)
    finally:
        service.close()


def create_service(folder: Path) -> Searching:
    """The search service of a web process."""
    settings = Search()
    ranking = Ranking(weights=settings.weights, tie=settings.tie)
    limits = Limits(
        bounds=Bounds(),
        deadline_ms=settings.deadline_ms,
        at_once=settings.at_once,
        waiting_max=settings.waiting_max,
    )
    return Searching(lambda _: LocalEngine(folder, ranking=ranking), limits=limits)


def all_facets() -> tuple[FacetRequest, ...]:
    """Every facet there is."""
    return tuple(
        FacetRequest(facet=each, edges=EDGES if each == "price" else ()) for each in FACETS
    )
