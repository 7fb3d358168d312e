"""The output of a run: a table meanwhile, build/proof.json and build/proof.md at the end."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from proof.claim import Claim, Result
from tests.support.processes import ROOT

BUILD = ROOT / "build"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One claim of the report; it has no result while it waits or runs."""

    claim: Claim
    state: str = "waiting"
    result: Result | None = None
    duration_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Heading:
    """The head of the report."""

    commit: str
    machine: str
    postgres: str
    seed: int
    is_quick: bool
    workers: int
    started_at: str


class Board:
    """The live table on a terminal; plain lines anywhere else."""

    def __init__(self, claims: list[Claim], console: Console) -> None:
        self._rows = {claim.name: Row(claim=claim) for claim in claims}
        self._console = console
        self._live = Live(self._table(), console=console, refresh_per_second=4)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def put(self, row: Row) -> None:
        """Show a claim's new state."""
        self._rows[row.claim.name] = row
        if self._console.is_terminal:
            self._live.update(self._table())
        elif row.result:
            self._console.print(_line(row))

    def rows(self) -> list[Row]:
        """All rows in the order of the claims."""
        return list(self._rows.values())

    def _table(self) -> Table:
        table = Table("claim", "", "state", "s", "figures")
        for row in self._rows.values():
            duration = f"{row.duration_s:.1f}" if row.result else ""
            table.add_row(row.claim.name, row.claim.title, _coloured(row), duration, _figures(row))
        return table


def write_reports(heading: Heading, rows: list[Row], *, duration_s: float) -> Path:
    """Write both reports; returns the path of the Markdown one."""
    BUILD.mkdir(exist_ok=True)
    document = {
        **heading.__dict__,
        "duration_s": round(duration_s, 1),
        "held": all(row.result and row.result.held for row in rows),
        "claims": [_as_dict(row) for row in rows],
    }
    (BUILD / "proof.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    path = BUILD / "proof.md"
    path.write_text(_markdown(heading, rows, duration_s=duration_s), encoding="utf-8")
    return path


def _as_dict(row: Row) -> dict[str, object]:
    result = row.result
    return {
        "id": row.claim.id,
        "door": row.claim.door,
        "title": row.claim.title,
        "workload": row.claim.workload,
        "must_hold": row.claim.must_hold,
        "held": bool(result and result.held),
        "verdict": result.verdict if result else "not tried",
        "duration_s": round(row.duration_s, 2),
        "figures": result.figures if result else {},
        "notes": list(result.notes) if result else ["it was not tried"],
    }


def _markdown(heading: Heading, rows: list[Row], *, duration_s: float) -> str:
    size = "quick (CI)" if heading.is_quick else "full"
    lines = [
        "# Proof report",
        "",
        f"- commit {heading.commit}, {size} size, seed {heading.seed}",
        f"- {heading.started_at}, {duration_s:.0f} s in all",
        f"- {heading.machine}; PostgreSQL {heading.postgres}; {heading.workers} web processes",
        "",
        "| claim | what was done | must hold | held | s | figures |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        claim = row.claim
        lines.append(
            f"| {claim.name}: {claim.title} | {claim.workload} | {claim.must_hold} "
            f"| {_answer(row)} | {row.duration_s:.1f} "
            f"| {_figures(row)} |"
        )
    for row in rows:
        if row.result and row.result.notes:
            lines += ["", f"## {row.claim.name}", ""]
            lines += [f"- {' '.join(note.split())}" for note in row.result.notes]
    return "\n".join(lines) + "\n"


def _answer(row: Row) -> str:
    words = {
        "held": "yes",
        "FAILED": "**NO**",
        "error": "**ERROR OF THE PROOF**",
        "not tried": "**not tried here**",
    }
    return words[row.result.verdict] if row.result else "not tried"


def _figures(row: Row) -> str:
    figures = row.result.figures if row.result else {}
    return ", ".join(f"{name.replace('_', ' ')} {_shown(v)}" for name, v in figures.items())


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _coloured(row: Row) -> str:
    if row.result:
        colour = "green" if row.result.held else "red"
        return f"[{colour}]{row.result.verdict}[/]"
    return f"[yellow]{row.state}[/]"


def _line(row: Row) -> str:
    assert row.result
    return f"{row.claim.name:12} {row.result.verdict:6} {row.duration_s:6.1f} s  {row.claim.title}: {_figures(row)}"
