"""Parse a partner's terms from 'key=value' words of an operator.

| key | value |
|---|---|
| customer | e-mail or number of the customer whom orders are for; none |
| permissions | the channel's permissions with commas; all; none |
| backorder | yes or no |
| min_amount, max_amount | an order's least and largest subtotal, such as 100.00; none |
| min_amount_minor, max_amount_minor | the same in minor units |
| visible_merchants | slugs or numbers with commas; all |
| price_list | name or number of a price list; none |
| rate_limit_per_minute | requests per minute; 0 is without limit, none the server's setting |
| active | yes or no: whether the partner may call at all |
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import CrossdockError, Invalid, NotFound
from crossdock.kit.money import MINOR_MAX, parse_amount
from crossdock.kit.numbers import read_number
from crossdock.kit.origins import URL_MAX, origin_of
from crossdock.kit.outbound import Outbound, Refused
from crossdock.kit.webhooks import secret_bytes
from crossdock.shop.customers import read_customer
from crossdock.shop.partners.managing import Terms
from crossdock.shop.pricing import read_price_list
from crossdock.shop.shops import Shop

JSON_OBJECT = "{...}"
"""The word that stands for any JSON object among what a setting may be set to."""

ANY_TEXT = "TEXT"
"""The word that stands for any short text."""

HTTPS_ORIGINS = "https://HOST ..."
"""The words that stand for one or more web addresses without a path."""

HTTPS_URL = "https://HOST/PATH"
"""The word that stands for an address that the shop calls."""

SECRET_TEXT = "SECRET"  # nosec B105
"""The word that stands for a secret, which is stored encrypted and never shown."""

WEBHOOK_SECRET = "whsec_SECRET"  # nosec B105
"""The same for a secret that signs, as `new_secret` makes them."""

_SECRETS = ((SECRET_TEXT,), (WEBHOOK_SECRET,))

_TEXT_MAX = 200
_SECRET_MAX = 1_000
_YES, _NO = {"yes", "true", "on", "1"}, {"no", "false", "off", "0"}
_NOTHING = {"none", "null", ""}
_RATE_MAX = 1_000_000

# Aliases of keys.
_ALIASES = {
    "customer_id": "customer",
    "price_list_id": "price_list",
    "enabled": "active",
    "merchants": "visible_merchants",
    "rate_limit": "rate_limit_per_minute",
}


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """The context of parsing: the shop, and all `permissions` of the channel.

    `settings` are the channel's settings with their allowed values; `outbound` is what calls the
    addresses among them.
    """

    shop: Shop
    permissions: tuple[str, ...]
    settings: Mapping[str, tuple[str, ...]] = {}
    outbound: Outbound | None = None


def is_secret(known: tuple[str, ...]) -> bool:
    """Whether a setting with these allowed values is a secret."""
    return known in _SECRETS


def split_words(words: Sequence[str]) -> dict[str, str]:
    """Split 'key=value' words. Raises Invalid `invalid_input` for any other form."""
    found = {}
    for word in words:
        key, separator, text = word.partition("=")
        if not separator or not key.strip():
            raise _invalid(word, f"{word!r} is not of the form key=value.")
        found[key.strip()] = text.strip()
    return found


async def read_terms(tx: Transaction, *, wording: Wording, words: dict[str, str]) -> Terms:
    """Parse the terms. Raises Invalid `invalid_input` naming the key, NotFound `not_found`."""
    values: dict[str, Any] = {}
    for written, text in words.items():
        key = _ALIASES.get(written, written)
        reader = _chosen(key) if key in wording.settings else _READERS.get(key)
        if reader is None:
            raise _invalid(written, _unknown(written, settings=wording.settings))
        try:
            field, value = await reader(tx, wording=wording, text=text)
        except CrossdockError as error:
            raise type(error)(error.code, f"{written}: {error.message}", error.data) from error
        is_merged = field in {"settings", "secrets"}
        values[field] = values.get(field, {}) | value if is_merged else value
    _check_range(values)
    return Terms(**values)


async def _customer(tx: Transaction, *, wording: Wording, text: str) -> tuple[str, Any]:
    if text.lower() in _NOTHING:
        return "customer_id", None
    try:
        return "customer_id", (await read_customer(tx, shop_id=wording.shop.id, who=text)).id
    except NotFound as error:
        hint = f"{error.message} See: crossdock customer list --shop {wording.shop.slug}"
        raise NotFound("not_found", hint) from error


async def _permissions(tx: Transaction, *, wording: Wording, text: str) -> tuple[str, Any]:
    if text.lower() in _NOTHING | {"all", "*"}:
        return "permissions", () if text.lower() in _NOTHING else wording.permissions
    chosen = tuple(dict.fromkeys(_listed(text)))
    for name in chosen:
        if name not in wording.permissions:
            known = ", ".join(wording.permissions)
            raise _invalid("permissions", f"{name!r} is not a permission; choose from {known}.")
    return "permissions", chosen


async def _visible_merchants(tx: Transaction, *, wording: Wording, text: str) -> tuple[str, Any]:
    if text.lower() in {"all", "*", "none", "null"}:
        return "visible_merchants", None
    rows = await tx.all("select slug, id from merchants where shop_id = %s", (wording.shop.id,))
    by_word = dict(rows) | {str(merchant_id): merchant_id for _, merchant_id in rows}
    for word in _listed(text):
        if word not in by_word:
            known = ", ".join(sorted(slug for slug, _ in rows)) or "none"
            raise NotFound("not_found", f"There is no merchant {word!r}; choose from {known}.")
    return "visible_merchants", tuple(by_word[word] for word in _listed(text))


async def _price_list(tx: Transaction, *, wording: Wording, text: str) -> tuple[str, Any]:
    if text.lower() in _NOTHING:
        return "price_list_id", None
    found = await read_price_list(tx, shop_id=wording.shop.id, name=text)
    return "price_list_id", found.id


async def _rate_limit(tx: Transaction, *, wording: Wording, text: str) -> tuple[str, Any]:
    limit = None if text.lower() in _NOTHING else _whole(text, most=_RATE_MAX)
    return "settings", {"rate_limit_per_minute": limit}


class Reader(Protocol):
    """Parses the value of a key; returns (field of Terms, value)."""

    async def __call__(
        self, tx: Transaction, *, wording: Wording, text: str
    ) -> tuple[str, Any]: ...


def _chosen(name: str) -> Reader:
    """Parse a channel setting: one of its values, yes or no as booleans, none removes it."""

    async def read(tx: Transaction, *, wording: Wording, text: str) -> tuple[str, Any]:
        word, known = text.lower(), wording.settings[name]
        field = "secrets" if known in _SECRETS else "settings"
        if word in _NOTHING:
            return field, {name: None}
        if known == (WEBHOOK_SECRET,):
            secret_bytes(text)
        if known in _SECRETS:
            return field, {name: _secret(name, text)}
        if known == (HTTPS_URL,):
            return field, {name: _url(name, text, outbound=wording.outbound)}
        if known == (JSON_OBJECT,):
            return "settings", {name: _json_object(name, text)}
        if known == (ANY_TEXT,):
            return "settings", {name: _short_text(name, text)}
        if known == (HTTPS_ORIGINS,):
            return "settings", {name: _origins(name, text)}
        if known == ("yes", "no") and word in _YES | _NO:
            return "settings", {name: word in _YES}
        if word not in known:
            raise _invalid(name, f"{text!r} is not allowed; choose from {', '.join(known)}.")
        return "settings", {name: word}

    return read


def _json_object(name: str, text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise _invalid(name, f"{text[:40]!r} is not a JSON object.") from error


def _short_text(name: str, text: str) -> str:
    if len(text) > _TEXT_MAX or not text.isprintable():
        raise _invalid(name, f"{text[:40]!r} is not a text of at most {_TEXT_MAX} characters.")
    return text.strip()


def _secret(name: str, text: str) -> str:
    """A secret goes out in a header, so it is of what a header can carry."""
    if len(text) > _SECRET_MAX or not re.fullmatch("[!-~]+", text):
        raise _invalid(
            name, f"A secret has 1 to {_SECRET_MAX} printable ASCII characters and no blank."
        )
    return text


def _url(name: str, text: str, *, outbound: Outbound | None) -> str:
    if len(text) > URL_MAX or not re.fullmatch("[!-~]+", text) or "#" in text:
        raise _invalid(name, f"{text[:80]!r} is not an address of at most {URL_MAX} characters.")
    assert outbound is not None
    try:
        outbound.check(text, needs_tls=True)
    except Refused as error:
        raise _invalid(name, f"{text[:80]!r}: {error}.") from error
    return text


def _origins(name: str, text: str) -> str:
    """The addresses as a browser writes them, a blank between them."""
    found = [origin_of(word, is_bare=True) for word in _listed(text.replace(" ", ","))]
    if not found or None in found:
        raise _invalid(name, f"{text[:80]!r}: each is https:// and a host, without a path.")
    return " ".join(dict.fromkeys(word for word in found if word))


def _flag(field: str) -> Reader:
    async def read(tx: Transaction, *, wording: Wording, text: str) -> tuple[str, Any]:
        if text.lower() not in _YES | _NO:
            raise _invalid(field, f"{text!r} is not yes or no.")
        return field, text.lower() in _YES

    return read


def _amount(field: str, *, is_minor: bool) -> Reader:
    async def read(tx: Transaction, *, wording: Wording, text: str) -> tuple[str, Any]:
        if text.lower() in _NOTHING:
            return field, None
        if is_minor:
            return field, _whole(text, most=MINOR_MAX)
        minor = parse_amount(text, currency=wording.shop.currency)
        if minor < 0:
            raise _invalid(field, f"{text!r} is below zero.")
        return field, minor

    return read


_READERS: dict[str, Reader] = {
    "customer": _customer,
    "permissions": _permissions,
    "backorder": _flag("backorder"),
    "min_amount": _amount("min_amount_minor", is_minor=False),
    "max_amount": _amount("max_amount_minor", is_minor=False),
    "min_amount_minor": _amount("min_amount_minor", is_minor=True),
    "max_amount_minor": _amount("max_amount_minor", is_minor=True),
    "visible_merchants": _visible_merchants,
    "price_list": _price_list,
    "rate_limit_per_minute": _rate_limit,
    "active": _flag("active"),
}
TERM_KEYS = tuple(_READERS)


def _unknown(key: str, *, settings: Mapping[str, tuple[str, ...]]) -> str:
    known = [*TERM_KEYS, *settings]
    near = difflib.get_close_matches(key, [*known, "test"], n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"{key!r} is no term.{hint} Known are {', '.join(known)} and, when adding, test."


def _check_range(values: dict[str, Any]) -> None:
    least, most = values.get("min_amount_minor"), values.get("max_amount_minor")
    if least is not None and most is not None and least > most:
        raise _invalid("max_amount", "max_amount is less than min_amount.")


def _whole(text: str, *, most: int) -> int:
    number = read_number(text, digits_max=16)
    if number is None or number > most:
        raise _invalid("", f"{text!r} is not a whole number from 0 to {most}.")
    return number


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _invalid(field: str, message: str) -> Invalid:
    return Invalid("invalid_input", message, {"field": field})
