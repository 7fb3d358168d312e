"""The refused rows and warnings of an import as a table that a spreadsheet may open."""

import csv
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from crossdock.imports.items import Finding
from crossdock.imports.tables import guard_cell

_HEADER = ("row", "kind", "field", "reason", "value")


class RefusedRows:
    """Writes findings to a CSV file; an earlier file of the same name is replaced once this one is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = path.with_suffix(".new")
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        # The mark tells spreadsheets that it is UTF-8.
        self._file = self._new.open("w", encoding="utf-8-sig", newline="")
        self._rows = csv.writer(self._file, lineterminator="\r\n")
        self._rows.writerow(_HEADER)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()
        if error is None:
            self._new.replace(self._path)

    def add(self, finding: Finding) -> None:
        """Write one finding."""
        kind = "warning" if finding.is_warning else "refused"
        texts = (kind, finding.field, finding.reason, finding.value)
        self._rows.writerow((finding.row, *map(guard_cell, texts)))
