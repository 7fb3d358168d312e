"""The report of an export: what was written, and what the format cannot express."""

import sys

import msgspec
from rich.console import Console
from rich.text import Text

from crossdock.imports.exporting import ExportSummary
from crossdock.kit.numbers import counted

_SHOWN = 20


def show_summary(summary: ExportSummary, *, as_json: bool) -> None:
    """JSON on stdout, or a line or two on stderr."""
    if as_json:
        sys.stdout.write(msgspec.json.encode(summary).decode() + "\n")
        return
    console = Console(stderr=True)
    where = f" into {summary.file}, {counted(summary.bytes, 'byte')}" if summary.file else ""
    counts = f"{counted(summary.products, 'product')} with {counted(summary.variants, 'variant')}"
    console.print(Text(f"Exported {counts}{where}."), soft_wrap=True)
    if summary.left_out:
        parts = ", ".join(f"{name} ({count})" for name, count in summary.left_out.items())
        console.print(
            Text(f"Left out, since {summary.format} has no place for it: {parts}."), soft_wrap=True
        )
    if summary.receiver_lacks:
        console.print(Text(_lacks_text(summary)), soft_wrap=True)
    if summary.attributes_left_out_count:
        console.print(Text(_attributes_text(summary)), soft_wrap=True)


def _lacks_text(summary: ExportSummary) -> str:
    """The products that the receiver will refuse because a required field is missing, and the remedy."""
    parts = ", ".join(f"{name} ({count})" for name, count in summary.receiver_lacks.items())
    advice = (
        f" Give the products' pages: crossdock shop set {summary.shop} "
        "--product-url 'https://shop.example/p/{handle}'."
        if "link" in summary.receiver_lacks
        else ""
    )
    if "availability_date" in summary.receiver_lacks:
        advice += " Goods on backorder need an attribute availability_date, such as 2026-12-24."
    return f"The receiver requires what these items do not have: {parts}.{advice}"


def _attributes_text(summary: ExportSummary) -> str:
    names = ", ".join(summary.attributes_left_out[:_SHOWN])
    more = summary.attributes_left_out_count - _SHOWN
    rest = f" and {more} more (--json names them)" if more > 0 else ""
    return (
        f"Left out {counted(summary.attributes_left_out_count, 'attribute')}, which fewer products have than "
        f"those with a column: {names}{rest}."
    )
