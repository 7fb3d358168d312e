"""The progress callbacks of backup and restore."""


class Watcher:
    """Receives progress; the default ignores it."""

    def begins(self, step: str, *, rows: int) -> None:
        """A step begins, with an estimate of its rows."""

    def moved(self, rows: int) -> None:
        """This many more rows are done."""
