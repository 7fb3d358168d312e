"""A running server with a small demo shop, and a command line beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import postgres
from tests.support.command_line import CommandLine
from tests.support.processes import ServerProcess, serving

PRODUCTS = 120


@pytest.fixture(scope="session")
def demo_server(postgres_url: str, run_dir: Path, worker_id: str) -> Iterator[ServerProcess]:
    """`crossdock serve` on a database with a demo shop."""
    folder = run_dir / f"demo-{worker_id}"
    with postgres.clone(postgres_url, folder=run_dir, name=f"{worker_id}_demo") as url:
        loaded = CommandLine(data_dir=folder, database_url=url).ask(
            "demo", "load", "--products", PRODUCTS
        )
        assert loaded["products_added"] == PRODUCTS
        with serving(folder, "--no-jobs", database_url=url, workers=1) as process:
            process.database_url = url
            yield process


@pytest.fixture(scope="session")
def demo(demo_server: ServerProcess, run_dir: Path, worker_id: str) -> CommandLine:
    """Commands on the demo server's data."""
    folder = run_dir / f"demo-{worker_id}"
    return CommandLine(data_dir=folder, database_url=demo_server.database_url)


@pytest.fixture
def alone(empty_database_url: str, tmp_path: Path) -> CommandLine:
    """Commands on an empty database without a server."""
    return CommandLine(data_dir=tmp_path, database_url=empty_database_url)
