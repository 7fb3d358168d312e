"""The values of WooCommerce's cells: stock, amounts, measures, words."""

from crossdock.imports import fields
from crossdock.imports.items import RowRefused
from crossdock.imports.odd_cells import Odd
from crossdock.imports.reading import Reading
from crossdock.imports.tables import TableRow
from crossdock.shop.stock import StockRecord

_STATUS = {
    "1": "instock", "yes": "instock", "true": "instock", "instock": "instock",
    "0": "outofstock", "no": "outofstock", "false": "outofstock", "outofstock": "outofstock",
    "backorder": "onbackorder", "onbackorder": "onbackorder", "notify": "onbackorder",
}  # fmt: skip
_PUBLISHED = {
    "-1": False, "private": False, "draft": False, "pending": False, "publish": True, "published": True,
}  # fmt: skip
WEIGHTS = ("kg", "g", "lbs", "oz")
LENGTHS = ("cm", "mm", "m", "in", "yd")


def read_stock(row: TableRow, odd: Odd, *, origin: str, reading: Reading) -> dict[str, object]:
    """The stock fields. Stock that is not in the own pool is the supplier's, except at origin SC."""
    comma = reading.decimal_comma
    stock = fields.quantity(row["stock"], field="Stock", decimal_comma=comma)
    own = fields.quantity(row["meta stock sc"], field="Meta: _stock_sc", decimal_comma=comma)
    word = row["in stock"].casefold()
    if word and word not in _STATUS:
        raise RowRefused("In stock?", "is not 1, 0 or backorder", word)
    pools = {}
    if stock is not None:
        pools["own"] = stock if origin == "SC" else min(own or 0, stock)
        if origin != "SC":
            pools["supplier"] = stock - pools["own"]
    elif own is not None:
        pools["own"] = own
    return {
        "stock_managed": stock is not None or "stock_managed" in odd.fields,
        "stock_status": _STATUS[word] if word else None,
        "stock": tuple(StockRecord(pool=pool, on_hand=count) for pool, count in pools.items()),  # type: ignore[arg-type]
    }


def amount_of(row: TableRow, *, column: str, reading: Reading) -> int | None:
    """The amount in minor units."""
    return fields.amount(
        row[column],
        field=column.capitalize(),
        currency=reading.currency,
        decimal_comma=reading.decimal_comma,
    )


def weight_of(row: TableRow, _odd: Odd, *, reading: Reading) -> int:
    """The weight in grams, 0 without one."""
    for unit in WEIGHTS:
        if text := row[f"weight {unit}"]:
            return fields.grams(
                text,
                field=f"Weight ({unit})",
                unit=unit,
                decimal_comma=reading.decimal_comma,
            )
    return 0


def length_of(row: TableRow, *, side: str, reading: Reading) -> int | None:
    """One of the three lengths in millimetres."""
    for unit in LENGTHS:
        if text := row[f"{side} {unit}"]:
            return fields.millimetres(
                text,
                field=f"{side.capitalize()} ({unit})",
                unit=unit,
                decimal_comma=reading.decimal_comma,
            )
    return None


def is_published(row: TableRow) -> bool:
    """1 is published, 0 private and -1 a draft."""
    return fields.flag(row["published"], field="Published", default=True, also=_PUBLISHED)


def with_line_ends(text: str) -> str:
    r"""The text of a description, whose line ends the writer wrote as `\n` and a typed `\n` as `\\n`."""
    if "\\" not in text:
        return text
    return "\\n".join(part.replace("\\n", "\n") for part in text.split("\\\\n"))
