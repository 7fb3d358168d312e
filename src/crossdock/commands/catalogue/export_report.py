"""What a person sees of an export: how much was written and what the format had no place for."""

import sys

import msgspec
from rich.console import Console
from rich.text import Text

from crossdock.imports.exporting import ExportSummary

_SHOWN = 20


def show_summary(summary: ExportSummary, *, as_json: bool) -> None:
    """JSON on stdout, or a line or two on stderr."""
    if as_json:
        sys.stdout.write(msgspec.json.encode(summary).decode() + "\n")
        return
    console = Console(stderr=True)
    where = f" into {summary.file}, {summary.bytes} bytes" if summary.file else ""
    console.print(
        Text(f"Exported {summary.products} products with {summary.variants} variants{where}.")
    )
    if summary.left_out:
        parts = ", ".join(f"{name} ({count})" for name, count in summary.left_out.items())
        console.print(Text(f"Left out, since {summary.format} has no place for it: {parts}."))
    if summary.attributes_left_out_count:
        console.print(Text(_attributes_text(summary)))


def _attributes_text(summary: ExportSummary) -> str:
    names = ", ".join(summary.attributes_left_out[:_SHOWN])
    more = summary.attributes_left_out_count - _SHOWN
    rest = f" and {more} more (--json names them)" if more > 0 else ""
    return (
        f"Left out {summary.attributes_left_out_count} attributes, which fewer products have than "
        f"those with a column: {names}{rest}."
    )
