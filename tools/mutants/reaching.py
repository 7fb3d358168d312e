"""Which tests reach which functions: written down while they run once on unbroken code."""

import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

ANYTHING = "*"
_PROCESSES = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec"}


@dataclass(frozen=True)
class Reached:
    """A test, the functions that it calls as `path:first line`, and its time. ANYTHING if it starts a process."""

    test: str
    functions: frozenset[str]
    seconds: float

    @property
    def file(self) -> str:
        """The file that it is in."""
        return self.test.split("::")[0]

    def is_led(self, leading: Collection[str] | None) -> bool:
        """Whether it calls one of these functions; None are any."""
        return (
            leading is None or ANYTHING in self.functions or not self.functions.isdisjoint(leading)
        )


def noticed_by(
    files: Sequence[str], reached: Sequence[Reached], leading: Collection[str] | None
) -> list[Reached]:
    """The tests of these files or folders that call such a function: the first file's first, and the quick ones."""

    def place(test: Reached) -> int | None:
        return next(
            (n for n, file in enumerate(files) if f"{test.file}/".startswith(f"{file}/")), None
        )

    places = {test.test: place(test) for test in reached if test.is_led(leading)}
    found = [test for test in reached if places.get(test.test) is not None]
    return sorted(found, key=lambda test: (places[test.test], test.seconds))


def read_reached(file: Path) -> tuple[list[Reached], list[str]]:
    """What a Recorder wrote: the tests that passed, and the names of those that did not."""
    found = json.loads(file.read_text(encoding="utf-8"))
    rows = [Reached(test, frozenset(names), seconds) for test, names, seconds in found["reached"]]
    return rows, found["failed"]


@dataclass(eq=False)
class Recorder:
    """A pytest plugin that writes to `file` what each test reaches in the Python files below `root`.

    What a fixture of several tests reaches counts for all that use it, what an import reaches for all. A test that
    fails is left out: it would notice a mutant by chance.
    """

    root: Path
    file: Path
    _by_fixture: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _known: dict[CodeType, str] = field(default_factory=dict)
    _rows: list[tuple[str, set[str], tuple[str, ...], float]] = field(default_factory=list)
    _imported: set[str] = field(default_factory=set)
    _here: set[str] = field(default_factory=set)
    _failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._here = self._imported

    def start(self) -> None:
        """Begin to follow calls, in every thread; there is no way to stop."""
        sys.settrace(self._called)
        threading.settrace(self._called)
        sys.addaudithook(self._heard)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        """Collect what one test reaches; what earlier ones had computed is computed again."""
        _forget("crossdock")
        self._here, started = set(), time.monotonic()
        result = yield
        fixtures = tuple(getattr(item, "fixturenames", ()))
        self._rows.append((item.nodeid, self._here, fixtures, time.monotonic() - started))
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[Any]:
        """Collect what a shared fixture reaches apart from the test that happens to need it first."""
        outside = self._here
        if fixturedef.scope != "function":
            self._here = self._by_fixture[fixturedef.argname]
        try:
            return (yield)
        finally:
            self._here = outside

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note who fails."""
        if report.failed:
            self._failed.append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        rows = [
            (test, sorted(self._all_of(here, fixtures)), round(seconds, 2))
            for test, here, fixtures, seconds in self._rows
            if test not in self._failed
        ]
        found = {"reached": rows, "failed": sorted(set(self._failed))}
        self.file.write_text(json.dumps(found), encoding="utf-8")

    def _all_of(self, here: set[str], fixtures: tuple[str, ...]) -> set[str]:
        return here.union(self._imported, *(self._by_fixture[name] for name in fixtures))

    def _called(self, frame: FrameType, _event: str, _argument: object) -> None:
        code = frame.f_code
        name = self._known.get(code)
        if name is None:
            path = Path(code.co_filename)
            is_own = path.is_relative_to(self.root)
            own = f"{path.relative_to(self.root)}:{code.co_firstlineno}" if is_own else ""
            name = self._known[code] = own
        if name:
            self._here.add(name)

    def _heard(self, event: str, _arguments: object) -> None:
        if event in _PROCESSES:
            self._here.add(ANYTHING)


def _forget(package: str) -> None:
    """Empty the caches of the package's functions."""
    own = [m for name, m in list(sys.modules.items()) if name.split(".")[0] == package]
    for module in own:
        for value in list(vars(module).values()):
            if hasattr(value, "cache_clear"):
                value.cache_clear()


@dataclass(eq=False)
class Chosen:
    """A pytest plugin that runs these tests alone, in this order."""

    tests: list[str]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out the others."""
        places = {test: place for place, test in enumerate(self.tests)}
        kept = [item for item in items if item.nodeid in places]
        items[:] = sorted(kept, key=lambda item: places[item.nodeid])
