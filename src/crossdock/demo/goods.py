"""The demo's products: product number `index` of a seed is always the same.

A product's features follow from its number, so that a small demo has all of them; names, prices
and quantities are random.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product as combinations
from typing import Any

import msgspec
from stdnum import ean

from crossdock.demo.chance import Chance
from crossdock.demo.stocking import (
    PLAIN,
    Stocking,
    any_stocking,
    origin_of,
    plain_stocking,
    serial_stocking,
)
from crossdock.demo.words import LANGUAGES, Colour, Kind, kinds, load_words
from crossdock.shop.catalogue import (
    ExtraHandling,
    Image,
    ProductRecord,
    Promotion,
    ShippingTerm,
    TargetUsers,
    VariantRecord,
    slug_of,
)

CURRENCY = "USD"
MERCHANT_COUNTRIES = {
    "Kestrel Tool Works": "US",
    "Van Loon Huishoud": "NL",
    "Bluepost Electronics": "US",
    "Bergwald Gartenbedarf": "DE",
    "Atelier Meridian": "FR",
    "Harbour & Pine Trading": "US",
}
# Fixed, so that the demo is the same on every day it is loaded.
PAST = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC))
RUNNING = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC))
FUTURE = (datetime(2036, 1, 1, tzinfo=UTC), datetime(2036, 3, 1, tzinfo=UTC))

_SIZES = {"size": ("200 mm", "300 mm", "450 mm"), "size and colour": ("S", "M", "L", "XL")}
_MATERIALS = ("Brass", "Oak", "Steel")
_ENDINGS = (0, 50, 95, 99)
_TAGS = ("new", "bestseller", "gift", "repairable", "last pieces")
_DIGITAL_EVERY = 24
_TARGET_USERS: tuple[TargetUsers, ...] = ("all", "women", "men", "unknown")
_SHIPPING_TERMS = (
    ShippingTerm(courier="IN19A04", price_minor=250, days=(12, 20)),
    ShippingTerm(courier="US19A08", price_minor=399, days=(5, 9)),
    ShippingTerm(courier="SG02A06", price_minor=310),
)
_VIEWS_MAX = 4

Period = tuple[datetime, datetime]


class _Draft(msgspec.Struct, frozen=True, kw_only=True):
    """The inputs from which the parts of a product are generated."""

    index: int
    seed: int
    kind: Kind
    chance: Chance
    brand: str
    retail_minor: int
    colour: Colour

    @property
    def place(self) -> int:
        """The number counted from the first product after the plain ones; negative for a plain one."""
        return self.index - PLAIN

    def is_every(self, step: int, rest: int) -> bool:
        """Whether this is every `step`th product, beginning with place `rest`."""
        return self.place >= 0 and self.place % step == rest


def products(*, count: int, seed: int) -> Iterator[ProductRecord]:
    """The demo's products in their order."""
    return (make_product(index, count=count, seed=seed) for index in range(count))


def make_product(index: int, *, count: int, seed: int) -> ProductRecord:
    """Product number `index`; `count` only says which other products it may refer to."""
    draft = _draft(index, seed=seed)
    kind = draft.kind
    option_names = _option_names(draft)
    return ProductRecord(
        handle=_handle(index),
        name=_name(draft, 0),
        merchant=kind.department.merchant,
        currency=CURRENCY,
        variants=_variants(draft, option_names),
        description=_description(draft, 0),
        brand=draft.brand,
        translations={
            language: {"name": _name(draft, place), "description": _description(draft, place)}
            for place, language in enumerate(LANGUAGES)
        },
        attributes={"Material": kind.department.material[0], "Warranty": "24 months"},
        categories=_categories(draft),
        images=_images(draft),
        tags=tuple(draft.chance.sample(_TAGS, draft.chance.below(3))),
        related_handles=_related(index, count=count),
        option_names=option_names,
        extra_handling=_extra_handling(draft),
        shipping_minor=250 if _is_bulky(draft) else 0,
        free_shipping=kind.department.virtual or draft.is_every(18, 4),
        enabled=not draft.is_every(40, 7),
        featured=draft.is_every(30, 5),
        virtual=kind.department.virtual,
        sold_without_stock=draft.is_every(36, 11),
        requires_serial=_needs_serial(kind),
        **_shipping(draft),
        target_users=_TARGET_USERS[draft.index % len(_TARGET_USERS)],
        features=_features(draft),
        sort=index,
    )


def picture_path(index: int, *, view: int) -> str:
    """The path of a picture of product number `index`; without a host, so that any port works."""
    return f"/demo-media/{index * 100 + view}.svg"


def _draft(index: int, *, seed: int) -> _Draft:
    chance = Chance(seed, "product", index)
    kind = _kind(index)
    low, high = kind.department.price_minor
    whole = chance.between(low, high) // 100 * 100
    return _Draft(
        index=index,
        seed=seed,
        kind=kind,
        chance=chance,
        brand=chance.pick(kind.department.brands),
        retail_minor=max(low, whole + chance.pick(_ENDINGS)),
        colour=chance.pick(load_words().colours),
    )


def _kind(index: int) -> Kind:
    is_digital = index >= PLAIN and (index - PLAIN) % _DIGITAL_EVERY == _DIGITAL_EVERY - 1
    choices = kinds(virtual=is_digital)
    return choices[(index // _DIGITAL_EVERY if is_digital else index) % len(choices)]


def _needs_serial(kind: Kind) -> bool:
    return kind.department.virtual and kind.group.name[0] == "Licences"


def _handle(index: int) -> str:
    return f"{slug_of(_kind(index).noun[0])}-{index}"


def _model(draft: _Draft) -> str:
    return f"{draft.brand[:2].upper()}-{draft.index:04d}"


def _name(draft: _Draft, place: int) -> str:
    return f"{draft.brand} {draft.kind.noun[place]} {_model(draft)}"


def _description(draft: _Draft, place: int) -> str:
    texts = load_words().texts
    first = texts.description[place].format(
        noun=_capital(draft.kind.noun[place]),
        material=draft.kind.department.material[place],
        model=_model(draft),
    )
    detail = "" if draft.kind.department.virtual else f"<p>{texts.detail[place]}</p>"
    return f"<p>{first}</p>{detail}"


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def _categories(draft: _Draft) -> tuple[tuple[str, ...], ...]:
    kind = draft.kind
    own = (kind.department.name[0], kind.group.name[0], kind.noun[0])
    if draft.is_every(30, 5):
        return (own, ("Our choice",))
    return (own,)


def _images(draft: _Draft) -> tuple[Image, ...]:
    noun = draft.kind.noun[0]
    return tuple(
        Image(url=picture_path(draft.index, view=view), alt=f"{noun}, view {view}")
        for view in range(1, draft.chance.between(2, _VIEWS_MAX))
    )


def _related(index: int, *, count: int) -> tuple[str, ...]:
    """Up to two other products, of the same kind if possible."""
    step = len(kinds(virtual=False))
    near = (index + step, index - step, index + 1)
    return tuple(_handle(other) for other in near if 0 <= other < count)[:2]


def _extra_handling(draft: _Draft) -> ExtraHandling | None:
    if not _is_bulky(draft):
        return None
    texts = load_words().texts.handling
    price = draft.chance.between(5, 40) * 100
    return ExtraHandling(price_minor=price, description=dict(zip(LANGUAGES, texts, strict=True)))


def _shipping(draft: _Draft) -> dict[str, Any]:
    """How long shipping takes; every other product has terms of its own for some countries."""
    if draft.kind.department.virtual:
        return {}
    terms = () if draft.index % 2 else _SHIPPING_TERMS
    return {
        "shipping_days": (3, 10),
        "shipping_terms": terms,
        "ships_to": ("US", "CN", "IN") if draft.is_every(25, 6) else (),
    }


def _features(draft: _Draft) -> tuple[str, ...]:
    if draft.kind.department.virtual:
        return ()
    return (_capital(draft.kind.department.material[0]), "24 months warranty")


def _is_bulky(draft: _Draft) -> bool:
    return not draft.kind.department.virtual and draft.is_every(20, 9)


def _option_names(draft: _Draft) -> tuple[str, ...]:
    """Every third product has variants, if its department has options."""
    if not draft.is_every(3, 0):
        return ()
    return {
        "none": (),
        "size": ("Size",),
        "colour": ("Colour",),
        "material": ("Material",),
        "size and colour": ("Size", "Colour"),
    }[draft.kind.department.choices]


def _variants(draft: _Draft, option_names: tuple[str, ...]) -> tuple[VariantRecord, ...]:
    origin = origin_of(draft.chance)
    if not option_names:
        return (_variant(draft, 0, origin=origin, options={}, colour=draft.colour),)
    chance, choices = draft.chance, draft.kind.department.choices
    colours = chance.sample(load_words().colours, chance.between(2, 3))
    values: dict[str, list[str]] = {
        "Size": chance.sample(_SIZES.get(choices, ()), chance.between(2, 3)),
        "Material": chance.sample(_MATERIALS, 2),
        "Colour": [colour.name[0] for colour in colours],
    }
    by_name = {colour.name[0]: colour for colour in colours}
    rows = combinations(*(values[name] for name in option_names))
    return tuple(
        _variant(
            draft,
            number,
            origin=origin,
            options=(options := dict(zip(option_names, row, strict=True))),
            colour=by_name.get(options.get("Colour", ""), draft.colour),
        )
        for number, row in enumerate(rows)
    )


def _variant(
    draft: _Draft, number: int, *, origin: str, options: dict[str, str], colour: Colour
) -> VariantRecord:
    chance, department = draft.chance, draft.kind.department
    stocking = _stocking(draft, origin)
    retail = draft.retail_minor + (number * 100 if number % 2 else 0)
    sku = f"{department.code}-{draft.index:05d}"
    return VariantRecord(
        sku=f"{sku}-{number + 1}" if options else sku,
        merchant_sku=f"{draft.brand[:1]}{draft.index:06d}/{number + 1}",
        part_number=_model(draft),
        upc=_trade_number(draft, number),
        options=options,
        attributes={"Colour": colour.name[0], "Material": department.material[0]},
        image=picture_path(draft.index, view=_VIEWS_MAX + number if options else 1),
        retail_minor=None if draft.is_every(60, 19) else retail,
        **_sale(draft, retail),
        cost_minor=retail * chance.between(45, 65) // 100,
        vat_bp=department.vat_bp,
        **_measures(draft),
        origin=stocking.origin,
        stock_managed=stocking.managed,
        stock_status=stocking.status,
        enabled=not (options and number == 1 and draft.is_every(15, 3)),
        stock=stocking.stock,
        promotions=_promotions(draft, retail),
    )


def _stocking(draft: _Draft, origin: str) -> Stocking:
    if draft.place < 0:
        return plain_stocking(draft.index, draft.chance)
    if _needs_serial(draft.kind):
        return serial_stocking()
    if draft.kind.department.virtual:
        return Stocking(origin="SC", managed=False, stock=())
    alert = load_words().texts.best_before[0] if draft.kind.group.perishable else ""
    return any_stocking(origin, draft.chance, best_before_alert=alert)


def _trade_number(draft: _Draft, number: int) -> str:
    """An EAN-13 with prefix 952 (demonstrations) or a UPC-12 with prefix 4 (internal use)."""
    if draft.is_every(17, 13):
        return ""
    serial = draft.index * 100 + number
    body = f"4{serial:010d}" if draft.index % 2 else f"952{serial:09d}"
    return f"{body}{ean.calc_check_digit(body)}"


def _measures(draft: _Draft) -> dict[str, Any]:
    if draft.kind.department.virtual:
        return {"weight_g": 0}
    chance = draft.chance
    return {
        "weight_g": chance.between(*draft.kind.department.weight_g),
        "length_mm": chance.between(40, 900),
        "width_mm": chance.between(30, 500),
        "height_mm": chance.between(5, 300),
    }


def _sale(draft: _Draft, retail: int) -> dict[str, Any]:
    """A current, a future, a past sale, or one without dates."""
    periods: dict[int, tuple[datetime | None, datetime | None]] = {
        1: RUNNING,
        4: FUTURE,
        6: PAST,
        7: (None, None),
    }
    if draft.place < 0 or draft.place % 11 not in periods:
        return {}
    starts_at, ends_at = periods[draft.place % 11]
    return {
        "sale_minor": retail * draft.chance.between(75, 92) // 100,
        "sale_starts_at": starts_at,
        "sale_ends_at": ends_at,
    }


def _promotions(draft: _Draft, retail: int) -> tuple[Promotion, ...]:
    periods: dict[int, tuple[Period, ...]] = {
        2: (RUNNING,),
        5: (FUTURE,),
        8: (PAST,),
        11: (PAST, FUTURE),
    }
    if draft.place < 0:
        return ()
    return tuple(
        Promotion(
            price_minor=retail * draft.chance.between(60, 85) // 100, starts_at=first, ends_at=last
        )
        for first, last in periods.get(draft.place % 13, ())
    )
