"""The history of this program's SQL files, from which older and newer databases are told apart.

`generations.txt` has one line for each version that an SQL file ever had: its checksum and its name;
a deleted file has `removed` as its last checksum. The number of lines is the schema's generation. A
checksum that a database has and the list has not comes from a newer program or from another branch.
Lines are only appended, so that Git merges the additions of two branches without conflicts.
`make docs` adds what is missing.

`releases.txt` has the generation of each release: a database also serves programs of the previous
release, so that the nodes of an installation can be upgraded one by one.
"""

import enum
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

PACKAGE_DIR = Path(__file__).parent.parent
MIGRATIONS_DIR = Path(__file__).parent / "migrations"
VERSIONS_DIR = MIGRATIONS_DIR / "versions"
LEDGER_FILE = Path(__file__).with_name("generations.txt")
RELEASES_FILE = Path(__file__).with_name("releases.txt")
REMOVED = "removed"
DRAFT = "draft-"  # prefix of a checksum that is not listed yet
_REVISION = re.compile(r'^revision = "(\w+)"', re.MULTILINE)

STATE_SQL = """
select (select version_num from alembic_version),
       (select string_agg(name || ' ' || checksum, E'\\n') from schema_functions),
       (select string_agg(name || ' ' || checksum, E'\\n') from schema_revisions),
       (select generation from schema_generation),
       (select serves_from from schema_generation)
"""
Row = tuple[str | None, str | None, str | None, int | None, int | None]


class SchemaState(msgspec.Struct, frozen=True):
    """What a database has, or this program needs: revision, checksums of files, generation.

    `serves_from` is the oldest generation whose programs the database still serves.
    """

    revision: str | None = None
    functions: dict[str, str] = {}
    revision_files: dict[str, str] = {}
    generation: int = 0
    serves_from: int = 0


class Standing(enum.Enum):
    """How a database's version compares to this program's."""

    CURRENT = "current"
    OLDER = "older"
    NEWER_AND_SERVES = "newer, and still serves this program"
    NEWER = "newer"
    FOREIGN = "not of this program's history"


def parse_state(row: Row) -> SchemaState:
    """The state from a row of STATE_SQL."""
    revision, functions, revision_files, generation, serves_from = row
    return SchemaState(
        revision, _pairs(functions), _pairs(revision_files), generation or 0, serves_from or 0
    )


@cache
def wanted_state() -> SchemaState:
    """The state that this program needs."""
    listed = ledger()
    functions = {name: checksum(path) for name, path in function_files()}
    return SchemaState(
        revisions()[-1],
        {
            name: text if text in listed.get(name, ()) else DRAFT + text
            for name, text in functions.items()
        },
        {name: checksum(path) for name, path in revision_files()},
        generation(),
        serves_from(),
    )


def standing_of(current: SchemaState) -> Standing:
    """Compare the database's state with this program's."""
    wanted = wanted_state()
    if current == wanted:
        return Standing.CURRENT
    if current.revision is None:
        return Standing.OLDER
    if current.generation > wanted.generation:
        serves = current.serves_from <= wanted.generation
        return Standing.NEWER_AND_SERVES if serves else Standing.NEWER
    if current.revision not in revisions() or unknown_files(current):
        return Standing.FOREIGN
    return Standing.OLDER


def unknown_files(current: SchemaState) -> list[str]:
    """Files of the database that this program never had, and revisions that differ."""
    listed, wanted = ledger(), wanted_state()
    functions = [
        name
        for name, text in current.functions.items()
        if not text.startswith(DRAFT) and text not in listed.get(name, ())
    ]
    edited = [
        name
        for name, text in current.revision_files.items()
        if wanted.revision_files.get(name) != text
    ]
    return sorted([*functions, *edited])


def forgotten_files(current: SchemaState) -> list[str]:
    """Files that this program would restore or change without a new generation."""
    return sorted(
        name
        for name, text in wanted_state().functions.items()
        if text.startswith(DRAFT) and current.functions.get(name, DRAFT)[: len(DRAFT)] != DRAFT
    )


def generation() -> int:
    """The number of this program's schema."""
    return len(LEDGER_FILE.read_text(encoding="utf-8").splitlines())


def serves_from() -> int:
    """The generation of the previous release; this program's own if there is none."""
    lines = RELEASES_FILE.read_text(encoding="utf-8").splitlines()
    mine = generation()
    before = [int(number) for _, number in map(str.split, lines) if int(number) < mine]
    return max(before, default=mine)


def ledger() -> dict[str, list[str]]:
    """All checksums that each file ever had, oldest first."""
    found: dict[str, list[str]] = {}
    for line in LEDGER_FILE.read_text(encoding="utf-8").splitlines():
        text, name = line.split(" ", 1)
        found.setdefault(name, []).append(text)
    return found


def missing_lines() -> list[str]:
    """The lines that the list lacks: none, unless a file was changed."""
    listed = {name: texts[-1] for name, texts in ledger().items()}
    present = {name: checksum(path) for name, path in tracked_files()}
    changed = [f"{text} {name}" for name, text in present.items() if listed.get(name) != text]
    gone = [name for name, text in listed.items() if name not in present and text != REMOVED]
    return changed + [f"{REMOVED} {name}" for name in sorted(gone)]


def revisions() -> list[str]:
    """Revision ids in the order of their dated file names; read without loading Alembic."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(VERSIONS_DIR.glob("*.py")))
    return [match[1] for text in texts if (match := _REVISION.search(text))]


def function_files() -> list[tuple[str, Path]]:
    """The files of functions, which are applied whenever they changed."""
    found = (path for path in PACKAGE_DIR.rglob("*.sql") if MIGRATIONS_DIR not in path.parents)
    return [_named(path) for path in sorted(found)]


def revision_files() -> list[tuple[str, Path]]:
    """The files of revisions, which are applied once."""
    found = (path for path in VERSIONS_DIR.rglob("*") if path.suffix in {".py", ".sql"})
    return [_named(path) for path in sorted(found)]


def tracked_files() -> Iterator[tuple[str, Path]]:
    """All files that define the schema."""
    yield from revision_files()
    yield from function_files()


def checksum(path: Path) -> str:
    """A short name for the file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:24]


def _named(path: Path) -> tuple[str, Path]:
    return path.relative_to(PACKAGE_DIR).as_posix(), path


def _pairs(lines: str | None) -> dict[str, str]:
    return dict(line.rsplit(" ", 1) for line in (lines or "").splitlines())
