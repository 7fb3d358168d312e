"""What the pages promise of the demo and of a partner's terms is so."""

import re
from pathlib import Path

from crossdock.demo.goods import products
from crossdock.demo.stocking import GRID, ORIGINS, PLAIN
from crossdock.shop.partners import TERM_KEYS

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "guides/demo.md").read_text()


def test_the_guide_numbers_the_cases_as_they_are():
    assert f"| 0-{GRID // 2 - 1} | origins " in GUIDE
    assert f"| {GRID // 2}-{GRID - 1} | the same" in GUIDE
    assert f"| {GRID}-{PLAIN - 1} | a stock status" in GUIDE
    assert ", ".join(f"`{origin}`" for origin in ORIGINS) in GUIDE


def test_the_guide_tells_how_often_something_is_special():
    told = {int(n) for n in re.findall(r"^\| (\d+) \| [a-z]", GUIDE, re.MULTILINE)}
    goods = list(products(count=PLAIN + 720, seed=1))[PLAIN:]
    seen = {
        720 // sum(product.virtual for product in goods),
        720 // sum(product.extra_handling is not None for product in goods),
        720 // sum(product.shipping_minor > 0 for product in goods),
        720 // sum(product.free_shipping and not product.virtual for product in goods),
        720 // sum(product.featured for product in goods),
        720 // sum(product.sold_without_stock for product in goods),
        720 // sum(not product.enabled for product in goods),
        720 // sum(product.variants[0].retail_minor is None for product in goods),
    }
    assert told == seen


def test_the_guide_s_sku_is_of_the_product_with_its_number():
    (sku,) = re.findall(r"`(TLS-\d+)`", GUIDE)
    goods = list(products(count=PLAIN, seed=1))
    assert goods[int(sku[4:])].variants[0].sku == sku


def test_the_page_of_terms_names_every_term():
    page = (DOCS / "operating/keys.md").read_text()
    named = {
        key
        for row in re.findall(r"^\| (`.+?) \|", page, re.MULTILINE)
        for key in re.findall(r"`(\w+)`", row)
    }
    minor = {key for key in TERM_KEYS if key.endswith("_minor")}
    assert named - {"set"} == set(TERM_KEYS) - minor | {"test"}
