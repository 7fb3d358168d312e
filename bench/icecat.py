"""Real goods and rated searches: 19,406 electronics products, and what people found relevant.

Data sourced from Icecat, by way of the Chorus project (Apache-2.0). The folder is not part of the
project; without it nothing can be measured.
"""

import csv
import json
import math
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from crossdock.shop.search import Document, Engine, words_request

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "icecat-chorus"
DEPTH = 10
_COLOR = "attr_t_product_colour"


def is_there() -> bool:
    """Whether this machine has the data."""
    return (FOLDER / "judgements.csv").exists()


def read_goods() -> Iterator[list[Document]]:
    """Each product as one SKU; its place in the files is its number."""
    for number, product in enumerate(_products(), start=1):
        yield [_document(number, product)]


def read_judgements() -> dict[str, dict[int, int]]:
    """The grade (0 to 3) of each rated product by query; queries without a relevant product are left out."""
    numbers = {product["id"]: number for number, product in enumerate(_products(), start=1)}
    found: dict[str, dict[int, int]] = defaultdict(dict)
    with (FOLDER / "judgements.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["docid"] in numbers:
                found[row["query"]][numbers[row["docid"]]] = int(row["rating"])
    return {query: grades for query, grades in found.items() if any(grades.values())}


def ndcg(products: Sequence[int], grades: Mapping[int, int]) -> float:
    """nDCG at ten, with exponential gain; unrated products count as 0."""
    best = sorted(grades.values(), reverse=True)
    return _gain([grades.get(each, 0) for each in products]) / _gain(best)


def relevance(engine: Engine, judgements: Mapping[str, Mapping[int, int]]) -> dict[str, float]:
    """nDCG at ten of each query."""
    found = {}
    for query, grades in judgements.items():
        answer = engine.search(words_request(query, currency="USD", limit=DEPTH))
        found[query] = ndcg([hit.product_id for hit in answer.hits], grades)
    return found


def _gain(grades: Sequence[int]) -> float:
    top = enumerate(grades[:DEPTH])
    return sum((2.0**grade - 1) / math.log2(place + 2) for place, grade in top)


def _products() -> Iterator[dict[str, Any]]:
    for path in sorted(FOLDER.glob("products-*.json.zip")):
        with zipfile.ZipFile(path) as archive:
            yield from json.loads(archive.read(archive.namelist()[0]))


def _document(number: int, product: dict[str, Any]) -> Document:
    texts = [
        value
        for name, value in product.items()
        if name.startswith("attr_t_") and name != _COLOR and isinstance(value, str)
    ]
    return Document(
        product_id=number,
        variant_id=number,
        currency="USD",
        name=product.get("title") or "",
        brand=product.get("supplier") or "",
        description=product.get("short_description") or "",
        attributes=tuple(texts),
        colors=(product[_COLOR],) if isinstance(product.get(_COLOR), str) else (),
        part_number=product.get("name") or "",
        upcs=tuple(product.get("ean") or ()),
        sku=product["id"],
        merchant_id=1,
        merchant="Chorus",
        retail_minor=max(0, int(product.get("price") or 0)),
        price_minor=max(0, int(product.get("price") or 0)),
        modified_s=1_700_000_000,
    )
