"""The reports of a run: build/mutants.json and build/mutants.md."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.mutants.mutant import Mutant
from tools.mutants.targets import module_of
from tools.mutants.verdicts import Verdict

FLOOR = 0.85
# A statement that PostgreSQL does not take says nothing about a test: SQLSTATE class 42.
_NOT_TAKEN = re.compile(
    r"psycopg\.errors\.(SyntaxError|Undefined\w+|Ambiguous\w+|DatatypeMismatch|Indeterminate\w+|GroupingError)\b"
)


@dataclass(frozen=True)
class Outcome:
    """A tested mutant: killed, survived, or invalid because PostgreSQL refused it; and the test that failed."""

    mutant: Mutant
    fate: str
    seconds: float
    by: str = ""

    def told(self) -> str:
        """One line of it."""
        mutant = self.mutant
        place = f"{mutant.path}:{mutant.line}"
        return f"{self.fate} {place} {mutant.rule} {self.seconds:.1f} s {self.by}".rstrip()


@dataclass(frozen=True)
class Score:
    """The results of a module's mutants; equivalent ones are not counted."""

    killed: int
    survived: int
    equivalent: int
    unlisted: int

    @property
    def share(self) -> float:
        """The share of the detectable ones that were killed."""
        counted = self.killed + self.survived - self.equivalent
        return self.killed / counted if counted else 1.0


def is_not_taken(log: str) -> bool:
    """Whether the tests failed because PostgreSQL refused a changed statement."""
    return _NOT_TAKEN.search(log) is not None


def failing_test(log: str) -> str:
    """The test that failed, by what pytest says at the end; '' if it was cut short."""
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", log, re.MULTILINE)
    return found[1] if found else ""


Verdicts = Mapping[tuple[str, str, str], Verdict]


def scores(outcomes: Sequence[Outcome], verdicts: Verdicts) -> dict[str, Score]:
    """The score of each tested module."""
    by_module: defaultdict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.fate != "invalid":
            by_module[module_of(outcome.mutant.path)].append(outcome)
    return {module: _score(tried, verdicts) for module, tried in sorted(by_module.items())}


def faults(outcomes: Sequence[Outcome], verdicts: Verdicts, *, is_whole: bool) -> list[str]:
    """Why the run fails: survivors without a verdict and, in a full run, modules below the floor."""
    found = [
        f"{o.mutant.path}:{o.mutant.line}: {o.mutant.rule} survives: {o.mutant.before} -> {o.mutant.after}"
        for o in outcomes
        if o.fate == "survived" and o.mutant.key not in verdicts
    ]
    for module, score in scores(outcomes, verdicts).items() if is_whole else ():
        if score.share < FLOOR:
            found.append(f"{module}: {score.share:.0%} killed, the floor is {FLOOR:.0%}")
    return found


def write_report(folder: Path, outcomes: Sequence[Outcome], verdicts: Verdicts) -> str:
    """Write both files; returns the Markdown text."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [_row(outcome, verdicts) for outcome in outcomes]
    (folder / "mutants.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    lines = [
        "| module | mutants | killed | survived | equivalent | no verdict | share |",
        "|---|---|---|---|---|---|---|",
    ]
    for module, score in scores(outcomes, verdicts).items():
        lines.append(
            f"| {module} | {score.killed + score.survived} | {score.killed} | {score.survived} "
            f"| {score.equivalent} | {score.unlisted} | {score.share:.0%} |"
        )
    lines += ["", "| survivor | rule | line | becomes | verdict |", "|---|---|---|---|---|"]
    for row in rows:
        if row["fate"] == "survived":
            cells = (
                f"{row['path']}:{row['line']}",
                row["rule"],
                row["before"],
                row["after"],
                row["verdict"],
            )
            lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
    text = "\n".join(["# Mutants", "", *lines, ""])
    (folder / "mutants.md").write_text(text, encoding="utf-8")
    return text


def _score(tried: Sequence[Outcome], verdicts: Verdicts) -> Score:
    survivors = [outcome.mutant.key for outcome in tried if outcome.fate == "survived"]
    listed = [verdicts[key] for key in survivors if key in verdicts]
    return Score(
        killed=len(tried) - len(survivors),
        survived=len(survivors),
        equivalent=sum(verdict.kind == "equivalent" for verdict in listed),
        unlisted=len(survivors) - len(listed),
    )


def _row(outcome: Outcome, verdicts: Verdicts) -> dict[str, object]:
    mutant, verdict = outcome.mutant, verdicts.get(outcome.mutant.key)
    return {
        "path": mutant.path, "line": mutant.line, "rule": mutant.rule, "before": mutant.before,
        "after": mutant.after, "fate": outcome.fate, "seconds": round(outcome.seconds, 1),
        "by": outcome.by,
        "verdict": f"{verdict.kind}: {verdict.reason}" if verdict else "",
    }  # fmt: skip
