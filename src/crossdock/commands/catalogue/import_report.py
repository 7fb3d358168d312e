"""The report of an import: a progress bar and a table of refused rows, both on stderr."""

import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from crossdock.imports.items import Finding
from crossdock.imports.running import Summary, Watcher
from crossdock.kit.numbers import counted
from crossdock.terminal import print_table

_SHOWN = 50
_NAMED = 8


class TerminalWatcher(Watcher):
    """Shows progress on a terminal, keeps the first findings, and writes all to the report file."""

    def __init__(self, *, report: Path | None) -> None:
        self.console = Console(stderr=True)
        self._report_path = report
        self._report: IO[bytes] | None = None
        self._shown: list[Finding] = []
        self._count = 0
        self._progress = Progress(
            TextColumn("[progress.description]{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
            transient=True,
        )
        self._task = self._progress.add_task("Importing", total=None)

    def __enter__(self) -> Self:
        if self._report_path:
            self._report = self._report_path.open("wb")
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()
        if self._report:
            self._report.close()

    def moved(self, *, position: int, size: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=position, total=size)

    def found(self, finding: Finding) -> None:
        """Keep a finding for the table, and write it to the report."""
        self._count += 1
        if len(self._shown) < _SHOWN:
            self._shown.append(finding)
        if self._report:
            self._report.write(msgspec.json.encode(finding) + b"\n")

    def show_findings(self) -> None:
        """Print the first findings and the number of others."""
        if not self._shown:
            return
        table = Table("Row", "Field", "Reason", "Value", title="Refused rows and warnings")
        for finding in self._shown:
            reason = f"(warning) {finding.reason}" if finding.is_warning else finding.reason
            table.add_row(str(finding.row), finding.field, reason, finding.value)
        print_table(table, to_stderr=True)
        if self._count > len(self._shown):
            self.console.print(f"and {self._count - len(self._shown)} more; --report FILE has all")

    def show_summary(self, summary: Summary, *, as_json: bool) -> None:
        """Print the counts as JSON on stdout or text on stderr, with the error that ended the import."""
        if as_json:
            sys.stdout.write(msgspec.json.encode(summary).decode() + "\n")
        elif summary.records or not summary.error:
            self.console.print(Text(_summary_text(summary)), soft_wrap=True)
            if summary.columns_unread:
                self.console.print(Text(_unread_text(summary.columns_unread)), soft_wrap=True)
        if summary.error:
            self.console.print(Text(f"crossdock: {summary.error.rstrip('.')}."), soft_wrap=True)


def _unread_text(columns: list[str]) -> str:
    more = len(columns) - _NAMED
    rest = f" and {more} more (--json names them)" if more > 0 else ""
    return f"Columns without a meaning here: {', '.join(columns[:_NAMED])}{rest}."


def _summary_text(summary: Summary) -> str:
    if not summary.records and not summary.resumed_at:
        return "There is nothing in the file: no product, category, merchant or post."
    start = "Would have imported" if summary.dry_run else "Imported"
    resumed = f", resumed after {summary.resumed_at}" if summary.resumed_at else ""
    return (
        f"{start} {counted(summary.records, 'record')}{resumed}: "
        f"products {summary.products_added} added, {summary.products_changed} changed, "
        f"{summary.products_unchanged} unchanged; "
        f"variants {summary.variants_added} added, {summary.variants_changed} changed, "
        f"{summary.variants_disabled} disabled; stock {summary.stock_changed} changed; "
        f"{counted(summary.refused, 'row')} refused, {counted(summary.warnings, 'warning')}."
    )
