"""The output of backup and restore: facts about the file, and a progress bar on a terminal."""

from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from crossdock.db.backups import Manifest, Watcher


class RowProgress(Watcher):
    """A progress bar per step, counted in rows."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("[progress.description]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("rows"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._progress.add_task("Starting", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begins(self, step: str, *, rows: int) -> None:
        """Start the next bar."""
        self._progress.remove_task(self._task)
        self._task = self._progress.add_task(step, total=rows or None)

    def moved(self, rows: int) -> None:
        """Move the bar."""
        self._progress.advance(self._task, rows)


def facts_of(manifest: Manifest) -> dict[str, Any]:
    """The facts about a backup file that both commands print."""
    return {
        "created_at": manifest.created_at,
        "crossdock": manifest.crossdock,
        "generation": manifest.schema.generation,
        "tables": len(manifest.tables),
        "rows": manifest.rows,
        "has_master_key": manifest.master_key is not None,
    }
