"""The columns that each table format requires, and which format a header looks like."""

import re
from collections.abc import Collection, Sequence

import msgspec

from crossdock.imports.items import Unreadable, shown
from crossdock.imports.woocommerce_headers import translated

_NOT_NAME = re.compile(r"[^a-z0-9]+")
_FOUND_MAX = 6
_LIKENESS = 2


def _alternatives(names: Sequence[str]) -> str:
    first, *others = names
    return f"{first} (or {', '.join(others)})" if others else first


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """A table format: one column of each tuple in `needs` must be there; `typical` ones tell it apart.

    By their plain names, `html` columns have HTML and `paths` escaped names; all others plain text.
    """

    format: str
    needs: tuple[tuple[str, ...], ...]
    typical: frozenset[str]
    html: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()

    @property
    def needed(self) -> str:
        """The required columns for a message: 'Handle (or URL handle) and Title'."""
        *others, last = map(_alternatives, self.needs)
        return f"{', '.join(others)} and {last}"

    def missing(self, names: Collection[str]) -> list[str]:
        """The required columns that are not among these plain names."""
        return [
            _alternatives(column)
            for column in self.needs
            if not any(plain_name(name) in names for name in column)
        ]


SHOPIFY_CSV = Layout(
    format="shopify-csv",
    needs=(("Handle", "URL handle"), ("Title",)),
    typical=frozenset(
        {"vendor", "body html", "variant sku", "variant price", "option1 name", "option1 value"}
        | {"option1 name", "image src", "variant inventory qty", "published on online store"}
    ),
    html=frozenset({"body html", "description"}),
    paths=frozenset({"product category", "type"}),
)
WOOCOMMERCE_CSV = Layout(
    format="woocommerce-csv",
    needs=(
        ("SKU", "ID"),
        ("Type", "SKU"),
        ("Name",),
        ("Regular price", "Sale price", "Stock", "In stock?", "Published"),
    ),
    typical=frozenset(
        {"type", "regular price", "in stock", "tax status", "backorders allowed", "is featured"}
        | {"attribute 1 name", "sale price", "visibility in catalog", "published"}
    ),
    html=frozenset({"description", "short description"}),
    paths=frozenset({"categories"}),
)
GOOGLE_TABLE = Layout(
    format="google-merchant",
    needs=(("id",), ("title",), ("price", "availability", "quantity", "image_link")),
    typical=frozenset(
        {"price", "availability", "link", "image link", "gtin", "brand", "condition"}
        | {"item group id", "product type", "google product category"}
    ),
    html=frozenset({"description"}),
    paths=frozenset({"product type", "google product category"}),
)
LAYOUTS = (SHOPIFY_CSV, WOOCOMMERCE_CSV, GOOGLE_TABLE)

EXPECTED = {
    "shopify-csv": f"a table with the columns {SHOPIFY_CSV.needed}",
    "woocommerce-csv": "a table with the columns SKU (or ID and Type), Name and "
    f"{_alternatives(WOOCOMMERCE_CSV.needs[-1])}",
    "google-merchant": "an RSS or Atom feed whose items have g: elements, "
    f"or a table with the columns {GOOGLE_TABLE.needed}",
    "jsonl": "one JSON object per line, or one array of them, each with name, and sku or variants",
}
"""What a file in each format looks like, for error messages."""

_OTHERS = {
    "WP All Import or WP All Export": frozenset(
        {"content", "excerpt", "post type", "permalink", "parent product id", "stock status"}
        | {"image filename", "image path", "image caption", "image title", "image alt text"}
        | {"attachment url", "product categories", "product tags", "product visibility"}
        | {"image featured", "image url", "post id", "menu order", "comment status"}
    ),
    "Magento": frozenset(
        {"attribute set code", "product websites", "store view code", "product online"}
        | {"additional attributes", "configurable variations", "base image", "url key"}
    ),
    "PrestaShop": frozenset(
        {"active 0 1", "categories x y z", "price tax excluded", "price tax included"}
        | {"tax rules id", "on sale 0 1", "reference", "supplier reference", "url rewritten"}
    ),
    "BigCommerce": frozenset(
        {"item type", "product name", "product code sku", "track inventory", "current stock level"}
        | {"product visible", "product url", "product image file 1"}
    ),
    "Squarespace": frozenset(
        {"product id non editable", "variant id non editable", "product type non editable"}
        | {"product page", "hosted image urls"}
    ),
}
"""What tells the tables of other programs, which have no format here."""
_OTHER_MIN = 3

_OTHERWISE = "For any other table or JSON, describe the columns in a map: --map FILE"


def plain_name(header: str) -> str:
    """A column's name without case, spaces and punctuation: 'Body (HTML)' is 'body html'."""
    return _NOT_NAME.sub(" ", header.casefold()).strip()


def check_header(header: Sequence[str], *, layout: Layout, mapped: Collection[str]) -> None:
    """Raises Unreadable, with what was expected and found, unless the required columns are present.

    `mapped` are the columns that a map creates.
    """
    if not mapped and (program := other_program(header)):
        raise Unreadable(
            f"The file is not {layout.format}, but a table of {program}: {found_names(header)}. "
            f"There is no format for that; --map FILE says how it makes {layout.format}"
        )
    missing = layout.missing(_plain_names((*header, *mapped)))
    if missing:
        raise foreign(
            layout.format,
            found=f"one without {' and '.join(missing)}: {found_names(header)}",
            likely=looks_like(header),
        )


def foreign(format_name: str, *, found: str, likely: str = "") -> Unreadable:
    """The error about a file of another format: what was expected, what was found, what to do."""
    advice = _OTHERWISE
    if likely and likely.partition(" ")[0] != format_name:
        advice = f"It looks like {likely}: use --format {likely.partition(' ')[0]}. {_OTHERWISE}"
    return Unreadable(
        f"The file is not {format_name}: expected {EXPECTED[format_name]}; found {found}. {advice}"
    )


def found_names(names: Sequence[str]) -> str:
    """The first few names as a list, and the number of further ones."""
    first = ", ".join(shown(name) or '""' for name in names[:_FOUND_MAX])
    more = len(names) - _FOUND_MAX
    return f"{first} and {more} more" if more > 0 else first


def looks_like(header: Sequence[str]) -> str:
    """The format whose columns these are, with the language of a translated header, or ''."""
    names = _plain_names(header)
    likely = [
        (len(layout.typical & names), layout.format)
        for layout in LAYOUTS
        if not layout.missing(names)
    ]
    count, name = max(likely, default=(0, ""))
    if count < _LIKENESS or other_program(header):
        return ""
    language = translated(header).language if name == WOOCOMMERCE_CSV.format else ""
    return f"{name} (WooCommerce in {language})" if language else name


def other_program(header: Sequence[str]) -> str:
    """The program without a format here whose table this is, or ''."""
    names = {plain_name(name) for name in header}
    return next((p for p, typical in _OTHERS.items() if len(typical & names) >= _OTHER_MIN), "")


def _plain_names(header: Sequence[str]) -> set[str]:
    """The columns' plain names, in English where WooCommerce translated them."""
    return {plain_name(name) for name in header} | set(translated(header).names.values())
