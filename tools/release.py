"""Freeze the database of a release, so that every later version is tested with it.

`python -m tools.release 0.1.0` creates a database with the demo shop, or takes the one of
`--database-url` (better one in which every feature was used), dumps it to
tests/upgrades/dumps/0.1.0.sql.gz, and adds the release and its generation to
src/crossdock/db/releases.txt. From then on its revisions are never edited, and its functions are
kept until the release after the next.
"""

import argparse
import gzip
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from crossdock.db.embedded import EmbeddedPostgres
from crossdock.db.generations import RELEASES_FILE, generation, missing_lines
from crossdock.db.placement import place

ROOT = Path(__file__).resolve().parent.parent
DUMPS = ROOT / "tests/upgrades/dumps"
PRODUCTS = 100


def dump(url: str) -> bytes:
    """A database as compressed SQL for `psql`."""
    text = _run("pg_dump", "--no-owner", "--no-privileges", "--dbname", url)
    return gzip.compress(text, mtime=0)


def restore(packed: bytes, *, url: str) -> None:
    """Fill an empty database from a dump."""
    _run("psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--dbname", url,
         text=gzip.decompress(packed))  # fmt: skip


def make_demo(url: str) -> None:
    """Fill a database with the demo shop."""
    command = [sys.executable, "-m", "crossdock", "demo", "load", "--products", str(PRODUCTS)]
    with tempfile.TemporaryDirectory() as folder:
        settings = {"CROSSDOCK_DATABASE_URL": url, "CROSSDOCK_DATA_DIR": folder}
        subprocess.run(command, check=True, env={**os.environ, **settings}, cwd=folder)


def freeze(version: str, *, database_url: str) -> None:
    """Write the release's dump, and its generation."""
    if missing := missing_lines():
        sys.exit(f"release: run `make docs` first, {len(missing)} SQL files are not in the list")
    if (target := DUMPS / f"{version}.sql.gz").exists():
        sys.exit(f"release: {version} is frozen already")
    target.write_bytes(dump(database_url))
    with RELEASES_FILE.open("a", encoding="utf-8") as releases:
        releases.write(f"{version} {generation()}\n")
    print(f"release: wrote {target.relative_to(ROOT)}; commit it with {RELEASES_FILE.name}")


def _run(program: str, *arguments: str, text: bytes | None = None) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = place(Path(folder)).bin_dir / program
        answer = subprocess.run([path, *arguments], input=text, capture_output=True, check=False)
    if answer.returncode:
        raise RuntimeError(f"{program} failed:\n{answer.stderr.decode(errors='replace')}")
    return answer.stdout


def main() -> None:
    """Freeze the release that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", help="the release, as in pyproject.toml")
    parser.add_argument("--database-url", help="a used database of this version")
    asked = parser.parse_args()
    if asked.database_url:
        freeze(asked.version, database_url=asked.database_url)
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(Path(folder), temporary=True) as server,
    ):
        make_demo(server.url())
        freeze(asked.version, database_url=server.url())


if __name__ == "__main__":
    main()
