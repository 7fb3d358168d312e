"""The output of a run: a table on the terminal, build/bench.json and build/bench.md."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.measure import Bench, Line, Measured
from tests.support.processes import ROOT

BUILD = ROOT / "build"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One benchmark and its result; `measured` is missing if it failed."""

    bench: Bench
    measured: Measured | None
    error: str = ""
    duration_s: float = 0.0

    @property
    def passes(self) -> bool:
        """Whether all its floors are reached."""
        return bool(self.measured and self.measured.passes)


@dataclass(frozen=True, kw_only=True)
class Heading:
    """The head of the report."""

    commit: str
    machine: str
    seed: int
    is_quick: bool
    started_at: str


def show(rows: list[Row], console: Console) -> None:
    """Print the table."""
    table = Table("", "work", "ours", "limit", "ratio", "floor", "")
    for row in rows:
        for line in row.measured.lines if row.measured else ():
            mark = "[green]ok[/]" if line.passes else "[red]MISSED[/]"
            table.add_row(row.bench.id, line.name, *_cells(line), mark)
        if not row.measured:
            table.add_row(row.bench.id, row.bench.title, "", "", "", "", "[red]FAILED[/]")
    console.print(table)
    for row in rows:
        for fault in row.measured.faults if row.measured else (row.error,):
            console.print(f"{row.bench.id}: {fault}", markup=False)


def write_reports(heading: Heading, rows: list[Row], *, duration_s: float) -> Path:
    """Write both reports; returns the path of the Markdown one."""
    BUILD.mkdir(exist_ok=True)
    document = {
        **asdict(heading),
        "duration_s": round(duration_s, 1),
        "passed": all(row.passes for row in rows),
        "benches": [_as_dict(row) for row in rows],
    }
    (BUILD / "bench.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    path = BUILD / "bench.md"
    path.write_text(_markdown(heading, rows, duration_s=duration_s), encoding="utf-8")
    return path


def _as_dict(row: Row) -> dict[str, object]:
    measured = row.measured
    lines = [{**asdict(line), "passes": line.passes} for line in measured.lines] if measured else []
    return {
        "id": row.bench.id,
        "title": row.bench.title,
        "compared_with": row.bench.compared_with,
        "passes": row.passes,
        "duration_s": round(row.duration_s, 1),
        "lines": lines,
        "faults": list(measured.faults) if measured else [row.error],
        "figures": measured.figures if measured else {},
    }


def _markdown(heading: Heading, rows: list[Row], *, duration_s: float) -> str:
    size = "quick" if heading.is_quick else "full"
    text = [
        "# Benchmark report",
        "",
        f"- commit {heading.commit}, {size} size, seed {heading.seed}",
        f"- {heading.started_at}, {duration_s:.0f} s in all",
        f"- {heading.machine}",
        "",
        "| | work | compared with | ours | limit | ratio | floor | holds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        for line in row.measured.lines if row.measured else ():
            cells = " | ".join(_cells(line))
            holds = "yes" if line.passes else "**NO**"
            text.append(
                f"| {row.bench.id} | {line.name} | {row.bench.compared_with} | {cells} | {holds} |"
            )
    text.append("")
    for row in rows:
        figures = row.measured.figures if row.measured else {}
        faults = row.measured.faults if row.measured else (row.error,)
        shown = [f"{name.replace('_', ' ')} {value}" for name, value in figures.items()]
        text += [f"- {row.bench.id}: {note}" for note in (*faults, ", ".join(shown)) if note]
    return "\n".join(text) + "\n"


def _cells(line: Line) -> tuple[str, str, str, str]:
    sign = "<=" if line.at_most else ">="
    limit = "" if line.theirs is None else f"{line.theirs:,.1f}"
    ratio = "" if line.theirs is None else f"{line.ratio:.2f}"
    ours = f"{line.ours:,.1f}" if line.ours >= 1 else f"{line.ours:.3f}"
    return f"{ours} {line.unit}", limit, ratio, f"{sign} {line.floor:g}"
