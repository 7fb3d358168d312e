"""A shop of its own for each test, and a way to import a text into it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.imports.exporting import export_catalogue
from crossdock.imports.items import Finding
from crossdock.imports.mapping import FieldMap, load_map
from crossdock.imports.running import ImportOrder, Summary, Watcher, run_import
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.shops import Shop, add_shop

DATA = Path(__file__).parents[3] / "shared" / "data"
MAPS = Path(__file__).parent / "maps"


class Collector(Watcher):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def found(self, finding: Finding) -> None:
        self.findings.append(finding)


class Imported(Summary, kw_only=True):
    """A summary with the findings in (row, field, reason) and warnings apart."""

    findings: list[Finding] = []

    @property
    def refusals(self) -> list[tuple[int, str, str]]:
        return [(f.row, f.field, f.reason) for f in self.findings if not f.is_warning]

    @property
    def warned(self) -> list[tuple[int, str]]:
        """The row and field of each warning."""
        return [(f.row, f.field) for f in self.findings if f.is_warning]


Import = Callable[..., Awaitable[Imported]]
Rows = Callable[..., Awaitable[list[tuple[Any, ...]]]]


@pytest.fixture
async def shop(database: Database) -> Shop:
    """A shop in US dollars without anything in it."""
    return await _new_shop(database, currency="USD")


@pytest.fixture
async def other_shop(database: Database) -> Shop:
    """Another one."""
    return await _new_shop(database, currency="USD")


@pytest.fixture
async def brussels(database: Database) -> Shop:
    """A shop in Belgium that sells in euros."""
    return await _new_shop(database, currency="EUR", country="BE")


async def _new_shop(database: Database, *, currency: str, country: str = "US") -> Shop:
    slug = f"shop-{RandomIds().random_token(12).lower()}"
    async with database.begin() as tx:
        return await add_shop(
            tx, slug=slug, name="Harbour Goods", currency=currency, country=country
        )


@pytest.fixture
def import_(database: Database, shop: Shop, clock: FrozenClock, tmp_path: Path) -> Import:
    """Import a text, bytes or a file, in a format, into the shop."""

    async def run(
        content: str | bytes | Path,
        format_name: str,
        *,
        map_name: str = "",
        dry_run: bool = False,
        into: Shop | None = None,
    ) -> Imported:
        path = content if isinstance(content, Path) else tmp_path / "file"
        if not isinstance(content, Path):
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        watcher = Collector()
        order = ImportOrder(
            path=path,
            format=format_name,
            shop=into or shop,
            merchant="Harbour Goods",
            map=load_map(MAPS / map_name) if map_name else FieldMap(),
            dry_run=dry_run,
        )
        summary = await run_import(database, order=order, clock=clock, watcher=watcher)
        values = {name: getattr(summary, name) for name in summary.__struct_fields__}
        return Imported(**values, findings=watcher.findings)

    return run


@pytest.fixture
def rows(database: Database, shop: Shop) -> Rows:
    """Rows of a query whose first parameter is the shop, or that of `of`."""

    async def read(query: str, *parameters: Any, of: Shop = shop) -> list[tuple[Any, ...]]:
        async with database.begin() as tx:
            return await tx.all(query, (of.id, *parameters))

    return read


@pytest.fixture
def export(database: Database, shop: Shop) -> Callable[..., Awaitable[bytes]]:
    """The shop's catalogue in a format."""

    async def run(format_name: str, *, of: Shop | None = None) -> bytes:
        pieces = export_catalogue(database, shop=of or shop, format_name=format_name)
        return b"".join([piece async for piece in pieces])

    return run


def real_data(name: str) -> Path:
    """A file of the real data sets; the test is skipped where they are not there."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"needs the real data set {name}")
    return path
