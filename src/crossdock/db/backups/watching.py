"""Who hears how far a backup or a restore is."""


class Watcher:
    """By default nobody listens."""

    def begins(self, step: str, *, rows: int) -> None:
        """A step begins, of about so many rows."""

    def moved(self, rows: int) -> None:
        """So many more rows are done."""
