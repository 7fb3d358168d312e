"""Goods and searches at random, from a seed: few words, so that all of them meet."""

import random
from collections.abc import Iterator
from typing import Any

from crossdock.shop.search import (
    FACETS,
    Bool,
    Boost,
    Category,
    Chosen,
    Document,
    Everything,
    FacetRequest,
    Field,
    Filter,
    Fuzzy,
    Node,
    Nothing,
    OneOf,
    Pattern,
    Phrase,
    Present,
    Range,
    Scope,
    SearchRequest,
    Word,
)

WORDS = ("canvas", "steel", "Top", "topman", "red", "café", "blue-ish", "x100", "lamp", "lamps")
BRANDS = ("Revlon", "Calvin Klein", "calvin klein", "Top & Co", "Lord")
MERCHANTS = ((1, "Walmart"), (2, "Lord And Taylor"), (3, "Topman"))
COLORS = ("Red", "red", "Blue", "Dark Red", "Moss green")
SIZES = ("S", "M", "L", "200 mm")
MATERIALS = ("Steel", "Oak", "")
COUPONS = ("SPRING", "ten off")
TREE = (
    Category(id=1, parent_id=None, path=("Men",)),
    Category(id=2, parent_id=1, path=("Men", "Tops")),
    Category(id=3, parent_id=1, path=("Men", "Lamps and steel")),
    Category(id=4, parent_id=None, path=("Children",)),
)
EDGES = (500, 1000, 2500)
CURRENCIES = ("USD", "USD", "USD", "EUR")
TEXT_FIELDS: tuple[Field, ...] = (
    "name",
    "brand",
    "category",
    "merchant",
    "color",
    "size",
    "material",
    "description",
    "attributes",
    "coupon",
)
EXACT_FIELDS: tuple[Field, ...] = (
    "sku",
    "upc",
    "part_number",
    "product_id",
    "variant_id",
    "merchant_id",
    "category_id",
    "on_sale",
)
NUMBER_FIELDS: tuple[Field, ...] = (
    "price",
    "retail_price",
    "sale_price",
    "ship_flat_rate",
    "modified",
)


def made_documents(count: int, *, rng: random.Random) -> Iterator[list[Document]]:
    """Products with so many SKUs in all; a product's SKUs differ in some fields, or in none."""
    variant_id = 1
    product_id = 0
    while variant_id <= count:
        product_id += 1
        shared = _shared(product_id, rng)
        number = min(rng.choice((1, 1, 2, 4, 9)), count + 1 - variant_id)
        differs = {each: rng.random() < 0.6 for each in ("color", "size", "price", "code", "money")}
        first = _own(variant_id, rng)
        skus = []
        for place in range(number):
            other = _own(variant_id + place, rng)
            own = {
                name: (other if differs[why] else first)[name]
                for why, names in _WHY.items()
                for name in names
            }
            if not differs["money"]:
                own["currency"] = first["currency"]
            else:
                own["currency"] = other["currency"]
            skus.append(Document(variant_id=variant_id + place, **shared, **own))
        variant_id += number
        yield skus


_WHY = {
    "color": ("colors", "material"),
    "size": ("sizes",),
    "price": ("retail_minor", "price_minor", "sale_minor"),
    "code": ("sku", "upcs", "part_number", "merchant_sku"),
}


def _shared(product_id: int, rng: random.Random) -> dict[str, Any]:
    merchant_id, merchant = rng.choice(MERCHANTS)
    leaf = rng.choice((*TREE, None))
    categories = tuple(each for each in TREE if leaf and leaf.path[: len(each.path)] == each.path)
    return {
        "product_id": product_id,
        "name": _text(rng, 1, 4),
        "brand": rng.choice((*BRANDS, "")),
        "merchant_id": merchant_id,
        "merchant": merchant,
        "categories": categories,
        "description": _text(rng, 0, 8),
        "attributes": tuple(rng.sample(WORDS, rng.randint(0, 2))),
        "coupons": tuple(rng.sample(COUPONS, rng.randint(0, 2))),
        "modified_s": 1_700_000_000 + rng.randint(0, 50),
        "merchant_item_id": f"item-{product_id}",
        "ship_flat_minor": rng.choice((None, 595)),
    }


def _own(variant_id: int, rng: random.Random) -> dict[str, Any]:
    retail = rng.choice((499, 500, 999, 1000, 1999, 5000))
    price = retail - rng.choice((0, 0, 1, 100))
    return {
        "colors": tuple(rng.sample(COLORS, rng.choice((0, 1, 1, 1, 2)))),
        "sizes": (rng.choice(SIZES),) if rng.random() < 0.8 else (),
        "material": rng.choice(MATERIALS),
        "retail_minor": retail,
        "price_minor": price,
        "sale_minor": price if price < retail else None,
        "sku": f"SKU-{variant_id}",
        "upcs": (f"{variant_id:012d}", str(variant_id)),
        "part_number": f"P {variant_id % 7}",
        "merchant_sku": rng.choice(("", f"m{variant_id}")),
        "currency": rng.choice(CURRENCIES),
    }


def _text(rng: random.Random, least: int, most: int) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(least, most)))


def made_request(
    rng: random.Random,
    *,
    merchant_ids: tuple[int, ...] = (1, 2, 3),
    category_ids: tuple[int, ...] = (1, 2, 4),
) -> SearchRequest:
    """A search with everything in it, more often with little."""
    some = rng.choice((None, None, merchant_ids[::2], merchant_ids[1:2], ()))
    ids = {"merchant": merchant_ids, "category": category_ids}
    filters = tuple(
        Filter(node=node, facet=facet)  # type: ignore[arg-type]
        for node, facet in (_filter(rng, ids) for _ in range(rng.choice((0, 0, 1, 1, 2))))
    )
    facets = tuple(
        FacetRequest(
            facet=facet,
            ignores_own=rng.random() < 0.3,
            edges=EDGES if facet == "price" else (),
        )
        for facet in FACETS
        if rng.random() < 0.7
    )
    return SearchRequest(
        scope=Scope(
            currency=rng.choice(CURRENCIES),
            merchant_ids=some if rng.random() < 0.3 else None,
        ),
        query=made_node(rng, depth=rng.choice((0, 1, 1, 2, 3))),
        otherwise=made_node(rng, depth=0) if rng.random() < 0.2 else None,
        filters=filters,
        sort=rng.choice(("relevance", "modified", "price", "price_desc", "name", "random")),
        seed=rng.randint(0, 2**60),
        offset=rng.choice((0, 0, 0, 1, 7, 40)),
        limit=rng.choice((0, 1, 5, 20, 1000)),
        facets=facets,
    )


def _filter(rng: random.Random, ids: dict[str, tuple[int, ...]]) -> tuple[Node, str | None]:
    kind = rng.choice(
        ("color", "size", "brand", "merchant", "category", "price", "on_sale", "none")
    )
    if kind == "none":
        return made_node(rng, depth=1), None
    if kind == "price":
        low, high = sorted(rng.sample((0, 499, 500, 900, 1000, 5000), 2))
        return Range(field="price", low=low, high=high), "price"
    values = {
        "color": COLORS,
        "size": SIZES,
        "brand": BRANDS,
        "merchant": tuple(map(str, ids["merchant"])),
        "category": tuple(map(str, ids["category"])),
        "on_sale": ("true", "false"),
    }[kind]
    chosen = rng.sample(values, rng.choice((1, 1, 2)))
    if rng.random() < 0.5 or kind in ("merchant", "category", "on_sale"):
        return Bool(should=tuple(Chosen(facet=kind, value=each) for each in chosen)), kind
    field: Field = next(each for each in TEXT_FIELDS if each == kind)
    texts = (
        each[: rng.randint(1, len(each))] + "*" if rng.random() < 0.3 else each for each in chosen
    )
    phrases = tuple(Phrase(text=text, field=field) for text in texts)
    return Bool(should=phrases), kind


def made_node(rng: random.Random, *, depth: int) -> Node:
    """A query that is nested so deep."""
    if depth == 0 or rng.random() < 0.2:
        return _leaf(rng)
    kind = rng.random()
    if kind < 0.1:
        return Boost(node=made_node(rng, depth=depth - 1), hundredths=rng.choice((50, 300)))
    inner = [made_node(rng, depth=depth - 1) for _ in range(rng.randint(1, 4))]
    must: list[Node] = []
    should: list[Node] = []
    must_not: list[Node] = []
    for node in inner:
        rng.choice((must, should, should, must_not)).append(node)
    least = rng.choice((None, None, None, 0, 1, 2)) if should else None
    return Bool(must=tuple(must), should=tuple(should), must_not=tuple(must_not), least=least)


def _leaf(rng: random.Random) -> Node:
    return rng.choice(_LEAVES)(rng)


def _field(rng: random.Random) -> Field | None:
    return rng.choice((None, None, *TEXT_FIELDS))


def _a_word(rng: random.Random) -> Node:
    return Word(text=_word(rng), field=_field(rng))


def _a_code(rng: random.Random) -> Node:
    return Word(text=_code(rng), field=rng.choice((None, *EXACT_FIELDS, *NUMBER_FIELDS)))


def _words_in_a_row(rng: random.Random) -> Node:
    words = rng.sample([word for word in WORDS if "-" not in word], rng.randint(1, 3))
    return Phrase(text=" ".join(words), slop=rng.choice((0, 0, 1, 2, 4)), field=_field(rng))


def _phrase(rng: random.Random) -> Node:
    phrases = ("calvin klein", "calv* kl*", "lord and taylor", "dark re*", "Top*", "to", "SKU-1*")
    return Phrase(text=rng.choice(phrases), field=rng.choice((_field(rng), None, "sku")))


def _pattern(rng: random.Random) -> Node:
    patterns = ("top*", "*s", "l?mp", "?", "*", "sku-1?", "000*", "c*é", "x1*", "[a", "a.b")
    return Pattern(
        pattern=rng.choice(patterns), field=rng.choice((_field(rng), None, "sku", "upc"))
    )


def _fuzzy(rng: random.Random) -> Node:
    texts = ("lamb", "lmap", "ret", "stel", "cafes", "tpo", "calvin klein")
    return Fuzzy(text=rng.choice(texts), distance=rng.choice((0, 1, 2)), field=_field(rng))


def _numbers(rng: random.Random) -> Node:
    low, high = sorted(rng.sample((0, 499, 500, 595, 999, 1000, 2000, 1_700_000_020), 2))
    return Range(
        field=rng.choice(NUMBER_FIELDS),
        low=rng.choice((None, low, low)),
        high=rng.choice((None, high, high)),
        include_low=rng.random() < 0.5,
        include_high=rng.random() < 0.5,
    )


def _between_words(rng: random.Random) -> Node:
    words = ("a", "blue", "cafe", "lamp", "red", "steel", "top", "sku-20", "p 3")
    low, high = sorted(rng.sample(words, 2))
    return Range(
        field=rng.choice((*TEXT_FIELDS, "sku", "part_number")),
        low=rng.choice((None, low, low)),
        high=rng.choice((None, high, high)),
        include_low=rng.random() < 0.5,
        include_high=rng.random() < 0.5,
    )


def _present(rng: random.Random) -> Node:
    return Present(field=rng.choice((*TEXT_FIELDS, *EXACT_FIELDS, *NUMBER_FIELDS)))


def _one_of(rng: random.Random) -> Node:
    values = tuple(_code(rng) for _ in range(rng.choice((0, 1, 2, 40))))
    return OneOf(field=rng.choice(EXACT_FIELDS), values=values)


def _plain(rng: random.Random) -> Node:
    plain = (Everything(), Everything(), Nothing(), Word(text="!!"))
    return rng.choice((*plain, Chosen(facet="color", value="RED")))


_LEAVES = (
    _a_word,
    _a_word,
    _a_word,
    _a_code,
    _words_in_a_row,
    _phrase,
    _pattern,
    _fuzzy,
    _numbers,
    _between_words,
    _present,
    _one_of,
    _plain,
)


def _word(rng: random.Random) -> str:
    return rng.choice(
        (*WORDS, "RED", "cafe", "klein", "men", "taylor", "green", "s", "200", "missing")
    )


def _code(rng: random.Random) -> str:
    return rng.choice(
        ("sku-3", "SKU-12", "000000000005", "5", "p 3", "1", "2", "true", "999", "500", "-1")
    )
