"""What a form changes of a product, held against what its page had shown and what is stored by now."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from crossdock.gate import Form
from crossdock.kit.languages import gettext
from crossdock.kit.money import format_minor, parse_typed_amount
from crossdock.shop.catalogue import OwnedProduct, ProductTerms, Translation, VariantPrices
from crossdock.web.console.product_order_terms import order_terms_label, order_terms_texts
from crossdock.web.console.product_terms import terms_texts

PRICES: Final = (("price", "retail_minor"), ("sale", "sale_minor"), ("cost", "cost_minor"))
_NAME_IN, _DESCRIPTION_IN = "translated-name", "translated-description"
_SHOWN: Final = "shown."
_LONG: Final = 200


class Stale(msgspec.Struct, frozen=True, kw_only=True):
    """A field that somebody else changed meanwhile: what is stored by now, and what was typed."""

    name: str
    label: str
    stored: str
    typed: str


class Edits(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that the form changes, and those of them that cannot be changed without asking."""

    changed: dict[str, str]
    stale: list[Stale]


class EditedMeanwhile(Exception):
    """Fields were changed by somebody else since they were shown."""

    def __init__(self, stale: Sequence[Stale]) -> None:
        super().__init__()
        self.stale = stale


def texts_of(
    product: OwnedProduct,
    prices: Mapping[int, VariantPrices],
    terms: ProductTerms,
    translations: Mapping[str, Translation],
    *,
    currency: str,
) -> dict[str, str]:
    """Every field of the page with the text that is stored; `translations` by the languages that have fields."""
    texts = {"name": product.name, "description": product.description}
    texts |= terms_texts(terms, currency=currency) | order_terms_texts(product.order_terms)
    for language, translated in translations.items():
        texts[f"{_NAME_IN}.{language}"] = translated.get("name", "")
        texts[f"{_DESCRIPTION_IN}.{language}"] = translated.get("description", "")
    for variant_id, known in prices.items():
        for kind, column in PRICES:
            minor = getattr(known, column)
            text = "" if minor is None else format_minor(minor, currency)
            texts[f"{kind}.{variant_id}"] = text
    return texts


def marks_of(texts: Mapping[str, str]) -> dict[str, str]:
    """The hidden fields that say what the page shows: the text, of a description its digest."""
    return {f"{_SHOWN}{name}": _mark(name, text) for name, text in texts.items()}


def without_marks(form: Form) -> Form:
    """The form without its hidden fields of what was shown."""
    return {name: text for name, text in form.items() if not name.startswith(_SHOWN)}


def edits_of(form: Form, texts: Mapping[str, str], *, product: OwnedProduct) -> Edits:
    """What the form changes of these texts, which are stored now.

    A field that is as it was shown changes nothing, whatever is stored by now. One without a hidden field counts
    as shown as it is stored.
    """
    changed, stale = {}, []
    for name, stored in texts.items():
        if not _is_typed(name, form, stored=stored):
            continue
        changed[name] = form[name]
        if _shown(name, form, stored=stored) != _mark(name, stored):
            label = _label(name, product=product)
            stale.append(
                Stale(name=name, label=label, stored=stored[:_LONG], typed=form[name][:_LONG])
            )
    return Edits(changed=changed, stale=stale)


def undone(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """The form that brings the texts of before back, unless what is stored after changes meanwhile."""
    fields: dict[str, str] = {}
    for name, text in before.items():
        if after[name] != text:
            fields |= {name: text, f"{_SHOWN}{name}": _mark(name, after[name])}
    return fields


def shown_again(
    form: Form, texts: Mapping[str, str], *, is_told: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """The fields, and their hidden ones, of the page after a refusal: what was typed stays.

    With `is_told` the page says what is stored by now, so that the next form may write over it.
    """
    typed = {name: form[name] for name in texts if _is_typed(name, form, stored=texts[name])}
    marks = marks_of(texts)
    if not is_told:
        marks |= {f"{_SHOWN}{name}": _shown(name, form, stored=texts[name]) for name in typed}
    return {**texts, **typed}, marks


def changed_prices(
    changed: Mapping[str, str], known: VariantPrices, *, variant_id: int, currency: str
) -> VariantPrices:
    """The prices of a variant with those that are changed. Raises Invalid `invalid_input`."""
    amounts: dict[str, int | None] = {}
    for kind, column in PRICES:
        if (text := changed.get(f"{kind}.{variant_id}")) is not None:
            text = text.strip()
            amounts[column] = parse_typed_amount(text, currency=currency) if text else None
    return msgspec.structs.replace(known, **amounts)


def changed_translations(
    changed: Mapping[str, str], stored: Mapping[str, Translation]
) -> dict[str, Translation]:
    """The texts of the languages of which any is changed, with what is changed of them."""
    found: dict[str, Translation] = {}
    for language, texts in stored.items():
        name = changed.get(f"{_NAME_IN}.{language}")
        description = changed.get(f"{_DESCRIPTION_IN}.{language}")
        if name is None and description is None:
            continue
        found[language] = {
            "name": texts.get("name", "") if name is None else name,
            "description": texts.get("description", "") if description is None else description,
        }
    return found


def _is_typed(name: str, form: Form, *, stored: str) -> bool:
    """Whether the form has another text than was shown, and than is stored."""
    if name not in form:
        return False
    mark = _mark(name, form[name])
    return mark not in {_shown(name, form, stored=stored), _mark(name, stored)}


def _shown(name: str, form: Form, *, stored: str) -> str:
    shown = form.get(f"{_SHOWN}{name}")
    return _mark(name, stored) if shown is None else _with_plain_ends(shown)


def _mark(name: str, text: str) -> str:
    plain = _with_plain_ends(text).strip()
    if name.partition(".")[0] not in {"description", _DESCRIPTION_IN}:
        return plain
    return hashlib.blake2b(plain.encode(), digest_size=16).hexdigest()


def _with_plain_ends(text: str) -> str:
    """A text as it is compared: a browser sends other ends of lines than it was given, in hidden fields too."""
    return text.replace("\r\n", "\n")


def _label(name: str, *, product: OwnedProduct) -> str:
    if label := order_terms_label(name):
        return label
    kind, _, number = name.partition(".")
    words = {
        "name": gettext("Name"),
        "description": gettext("Description"),
        "price": gettext("Price"),
        "sale": gettext("Sale"),
        "cost": gettext("Cost"),
        "shipping": gettext("Shipping per unit"),
        "free": gettext("Shipping"),
        "days": gettext("Delivery time in days"),
        "terms": gettext("Shipping to some countries"),
        "countries": gettext("Countries"),
        "users": gettext("For whom"),
        "features": gettext("Features"),
        _NAME_IN: gettext("Name"),
        _DESCRIPTION_IN: gettext("Description"),
    }[kind]
    if kind in {_NAME_IN, _DESCRIPTION_IN}:
        return f"{words}: {number}"
    sku = next((each.sku for each in product.variants if str(each.id) == number), "")
    return f"{words}: {sku}" if sku else words
