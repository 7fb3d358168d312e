"""Documents as rows of the local index, with the columns that make counts of products exact.

A search counts products, an index counts documents, and a product has several. Two ways lead to the
same numbers (counting.py); these columns serve them:

| column | on | holds |
|---|---|---|
| `lead` | one SKU of each product and currency | that it is the one |
| `varies` | every SKU | the fields in which the SKUs of its product differ |
| `<facet>_label` | every SKU | its values, as key, label and parent |
| `<facet>_once` | the first SKU of the product with the value | the same, so that it counts once |
| `<facet>_set` | every SKU | a number for the set of its values |
| `price_once`, `price_before` | the first SKU with the price | it, and the next lower one of the product |
| `embedded_...` | every SKU, with the extra `rerank` | its product's embedding, and of which text it is |
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from crossdock.shop.search.asking import Facet
from crossdock.shop.search.documents import Document
from crossdock.shop.search.fields import VARYING
from crossdock.shop.search.words import fold, keyword

LABEL_FACETS: Final[tuple[Facet, ...]] = (
    "brand",
    "merchant",
    "category",
    "color",
    "size",
    "coupon",
    "on_sale",
)
VARYING_FACETS: Final[tuple[Facet, ...]] = ("color", "size", "on_sale")
LABELS: Final = (
    *(f"{facet}_label" for facet in LABEL_FACETS),
    *(f"{facet}_once" for facet in LABEL_FACETS),
)
EMBEDDED: Final = tuple(f"embedded_{number}" for number in range(6))
EMBEDDED_TEXT: Final = "embedded_text"
COLUMNS: Final = (
    *("product", "variant"),
    *(f"{facet}_set" for facet in LABEL_FACETS),
    *(EMBEDDED_TEXT, *EMBEDDED),
)
ORDERS: Final = ("newest", "cheapest", "dearest", "dice")
TEXT_ORDERS: Final = ("alphabet",)
EXTRA_NUMBERS: Final = ("price_once", "price_before")
EXTRA_EXACTS: Final = ("present", "varies", "lead", "chosen")

_SEPARATOR: Final = "\x1f"
_ID_BITS: Final = 28
_ID_MASK: Final = (1 << _ID_BITS) - 1
_PRICE_MAX: Final = (1 << 35) - 1
DICE_MAX: Final = (1 << 52) - 1
_NAME_CHARS: Final = 80


class Label(msgspec.Struct, frozen=True):
    """A facet's value: what it is compared by, what people read, and the value above it."""

    key: str
    text: str
    parent: str = ""

    def encode(self) -> str:
        """As the index keeps it."""
        return _SEPARATOR.join((self.key, self.text, self.parent))


def decode_label(text: str) -> Label:
    """The label that `encode` wrote."""
    key, label, parent = text.split(_SEPARATOR)
    return Label(key, label, parent)


class Row(msgspec.Struct, frozen=True):
    """A document as the index takes it: words and values, signed numbers, columns."""

    texts: dict[str, list[str]]
    numbers: dict[str, int]
    columns: dict[str, int]


def make_rows(
    documents: Sequence[Document], *, embedding: Mapping[str, int] | None = None
) -> list[Row]:
    """The rows of one product's documents, in their order; each currency is a product of its own.

    `embedding` are the columns that embedding.py makes of the product.
    """
    rows: list[Row] = []
    for currency in dict.fromkeys(document.currency for document in documents):
        of_currency = [each for each in documents if each.currency == currency]
        rows += _rows_of(of_currency, embedding or {})
    return rows


def newest_key(modified_s: int, product_id: int) -> int:
    """Descending: the last change first, and then the lower id."""
    return _key(modified_s, _ID_MASK - (product_id & _ID_MASK))


def cheap_key(price_minor: int, product_id: int) -> int:
    """Ascending: the lower price first, and then the lower id."""
    return _key(price_minor, product_id & _ID_MASK)


def dear_key(price_minor: int, product_id: int) -> int:
    """Descending: the higher price first, and then the lower id."""
    return _key(price_minor, _ID_MASK - (product_id & _ID_MASK))


def _key(first: int, then: int) -> int:
    return min(max(first, 0), _PRICE_MAX) << _ID_BITS | then


def dice_of(product_id: int) -> int:
    """A number that has nothing to do with the product but is always the same."""
    return text_number(str(product_id))


def text_number(text: str) -> int:
    """A number for a text: 52 bits, which also a float keeps; 0 stays free."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return 1 + int.from_bytes(digest, "big") % DICE_MAX


def labels_of(document: Document, facet: Facet) -> list[Label]:
    """The document's values of a facet, each key once."""
    if facet == "merchant":
        found = [Label(str(document.merchant_id), document.merchant)]
    elif facet == "category":
        found = [
            Label(str(each.id), " > ".join(each.path), str(each.parent_id or ""))
            for each in document.categories
        ]
    elif facet == "on_sale":
        text = "true" if document.is_on_sale else "false"
        found = [Label(text, text)]
    else:
        texts = {
            "brand": (document.brand,),
            "color": document.colors,
            "size": document.sizes,
            "coupon": document.coupons,
        }[facet]
        found = [Label(key, _readable(text)) for text in texts if (key := keyword(text))]
    return list({label.key: label for label in reversed(found)}.values())


def _readable(text: str) -> str:
    return " ".join(text.replace(_SEPARATOR, " ").split())


def _rows_of(documents: list[Document], embedding: Mapping[str, int]) -> list[Row]:
    first = documents[0]
    prices = sorted({each.price_minor for each in documents})
    before = dict(zip(prices, [-1, *prices], strict=False))
    shared = {
        "product": first.product_id,
        "newest": newest_key(first.modified_s, first.product_id),
        "cheapest": cheap_key(prices[0], first.product_id),
        "dearest": dear_key(prices[0], first.product_id),
        "dice": dice_of(first.product_id),
        **embedding,
    }
    alphabet = f"{fold(first.name)[:_NAME_CHARS]}{_SEPARATOR}{first.product_id:020}"
    bodies = [_body(document) for document in documents]
    varies = _differing(documents, bodies)
    seen: set[int] = set()
    spelt: dict[tuple[str, str], Label] = {}
    rows = []
    for document, (texts, numbers) in zip(documents, bodies, strict=True):
        own = {**texts, "varies": varies, "alphabet": [alphabet]}
        own["present"] = [*texts, *numbers]
        own["lead"] = ["1"] if document is first else []
        columns = {**shared, "variant": document.variant_id}
        _add_labels(document, own, columns, spelt)
        own_numbers = dict(numbers)
        if document.price_minor not in seen:
            seen.add(document.price_minor)
            own_numbers["price_once"] = document.price_minor
            own_numbers["price_before"] = before[document.price_minor]
        rows.append(Row(own, own_numbers, columns))
    return rows


def _body(document: Document) -> tuple[dict[str, list[str]], dict[str, int]]:
    return {**document.texts(), **document.exacts()}, document.numbers()


def _differing(
    documents: list[Document], bodies: list[tuple[dict[str, list[str]], dict[str, int]]]
) -> list[str]:
    """The varying fields that are not the same in all of them, in their words or as facets."""
    if len(bodies) == 1:
        return []
    texts, numbers = bodies[0]
    found = {
        field
        for field in VARYING
        if any(
            other.get(field) != texts.get(field) or amounts.get(field) != numbers.get(field)
            for other, amounts in bodies
        )
    }
    for facet in VARYING_FACETS:
        if len({tuple(label.key for label in labels_of(each, facet)) for each in documents}) > 1:
            found.add(facet)
    return sorted(found)


def _add_labels(
    document: Document,
    texts: dict[str, list[str]],
    columns: dict[str, int],
    spelt: dict[tuple[str, str], Label],
) -> None:
    """The values of the facets. A product spells each in one way, its first: so it counts once."""
    chosen: list[str] = []
    for facet in LABEL_FACETS:
        labels = labels_of(document, facet)
        new = [label for label in labels if (facet, label.key) not in spelt]
        spelt.update({(facet, label.key): label for label in new})
        encoded = [spelt[facet, label.key].encode() for label in labels]
        texts[f"{facet}_label"] = encoded
        columns[f"{facet}_set"] = text_number("\n".join(sorted(encoded))) if labels else 0
        chosen += [f"{facet}:{label.key}" for label in labels]
        texts[f"{facet}_once"] = [label.encode() for label in new]
    texts["chosen"] = chosen
