"""What is changed, and which tests must notice: those of the mirrored folder, for SQL also the races."""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from tools.mutants.mutant import Mutant
from tools.mutants.python_rules import python_mutants
from tools.mutants.sql_files import sql_mutants

TARGETS = (
    "kit/money.py",
    "shop/stock",
    "shop/orders",
    "shop/ledger",
    "shop/payments",
    "shop/partners",
    "shop/people",
)
SOURCE, TESTS, RACES = "src/crossdock", "tests", "tests/races"


def module_of(path: str) -> str:
    """The target that a file belongs to."""
    return next(target for target in TARGETS if _is_within(path, f"{SOURCE}/{target}"))


def read_mutants(root: Path, *, only: list[str]) -> Iterator[Mutant]:
    """Every mutant of the targets, or of the chosen ones."""
    for target in TARGETS:
        for path in _files(root / SOURCE / target):
            name = path.relative_to(root).as_posix()
            if only and not any(_is_within(name, f"{SOURCE}/{part}") for part in only):
                continue
            source = path.read_text(encoding="utf-8")
            yield from (sql_mutants if path.suffix == ".sql" else python_mutants)(name, source)


def noticing(root: Path, mutant: Mutant) -> list[str]:
    """The tests to run, the most likely first."""
    path = Path(mutant.path).relative_to(SOURCE)
    folder = Path(TESTS) / path.parent
    nearest = folder / f"test_{path.stem}.py"
    found = [nearest] if (root / nearest).exists() else []
    if str(path) not in TARGETS:
        found += _those_that_name_it_first(root, Path(mutant.path), folder=folder)
    if mutant.drops_a_lock:
        found.insert(0, Path(RACES))
    elif path.suffix == ".sql":
        found.append(Path(RACES))
    return list(dict.fromkeys(map(str, found)))


@lru_cache
def _those_that_name_it_first(root: Path, path: Path, *, folder: Path) -> list[Path]:
    """The tests of a folder; first those that mention the most names that the file defines."""
    defines = r"^\s*(?:async def|def|class|create or replace function) (\w+)"
    names = set(re.findall(defines, (root / path).read_text(encoding="utf-8"), re.MULTILINE))

    def spoken_of(test: Path) -> int:
        return len(names & set(re.findall(r"\w+", test.read_text(encoding="utf-8"))))

    tests = sorted((root / folder).glob("**/test_*.py"))
    return [test.relative_to(root) for test in sorted(tests, key=spoken_of, reverse=True)]


def _files(target: Path) -> list[Path]:
    if target.is_file():
        return [target]
    found = (p for p in target.glob("**/*") if p.suffix in {".py", ".sql"})
    return sorted(p for p in found if p.name != "__init__.py")


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith((f"{folder}/", f"{folder}."))
