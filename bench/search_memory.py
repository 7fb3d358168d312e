"""`python -m bench.search_memory FOLDER`: the memory of a process before and after searching, in megabytes."""

import sys
from pathlib import Path

from bench.searching import all_facets, create_service
from crossdock.shop.search import Scope, SearchRequest, Word


def main() -> None:
    """Open the index, run a hundred searches with all facets, and print both figures."""
    before = _resident_mb()
    engine = create_service(Path(sys.argv[1])).engine(1)
    for number in range(100):
        query = Word(text=f"series{number}")
        engine.search(SearchRequest(scope=Scope(currency="USD"), query=query, facets=all_facets()))
    sys.stdout.write(f"{before:.1f} {_resident_mb():.1f}")


def _resident_mb() -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("RssAnon:"))


if __name__ == "__main__":
    main()
