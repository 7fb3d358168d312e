"""Shops: the tenants. Everything else in the database belongs to one."""

import re
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec
import pycountry

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, NotFound, Refused
from crossdock.kit.countries import read_country
from crossdock.kit.money import exponent
from crossdock.kit.texts import visible
from crossdock.kit.zones import NEUTRAL, zone_named, zone_of_country
from crossdock.shop.customers import Address

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_PRODUCT_URL = re.compile(r"https?://[^\s{}<>\"]+\{(?:handle|sku)\}[^\s<>\"]*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """One operator's catalogue, stock, orders and partners; `languages` has the main one first.

    `time_zone` is the IANA name of the zone for dates and times without one; `product_url` is the
    template of a product page's URL, or ''; `logo` the file of the image that pages of its buyers show, or '';
    `email` the address that its labels tell, if any. While it is suspended, since `suspended_at`, its partners are
    refused, and so is everybody at doors without keys.
    """

    id: int
    slug: str
    name: str
    currency: str
    country: str
    languages: tuple[str, ...]
    time_zone: str
    product_url: str = ""
    logo: str = ""
    email: str | None = None
    suspended_at: datetime | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The zone of `time_zone`."""
        return zone_named(self.time_zone)


async def add_shop(
    tx: Transaction,
    *,
    slug: str,
    name: str,
    currency: str,
    country: str = "US",
    languages: tuple[str, ...] = ("en",),
    time_zone: str | None = None,
) -> Shop:
    """Add a shop. The default time zone is the country's, or UTC if the country has several.

    Raises Invalid (invalid_input) for a malformed value, Conflict (exists) for a slug in use.
    """
    country = read_country(country)
    if time_zone is None:
        time_zone = zone_of_country(country) or NEUTRAL
    zone = zone_named(time_zone).key
    _check(slug=slug, name=name, currency=currency, languages=languages)
    shop_id = await tx.value(
        """insert into shops (slug, name, currency, country, languages, time_zone) values (%s, %s, %s, %s, %s, %s)
           on conflict (slug) do nothing returning id""",
        (slug, name.strip(), currency, country, list(languages), zone),
    )
    if shop_id is None:
        raise Conflict("exists", f"There is a shop {slug!r} already.", {"slug": slug})
    return await read_shop(tx, slug=slug)


async def read_shop(tx: Transaction, *, slug: str) -> Shop:
    """The shop with that slug. Raises NotFound (not_found)."""
    row = await tx.one(f"{_SELECT} where slug = %s", (slug,))
    if row is None:
        raise NotFound("not_found", f"There is no shop {slug!r}.", {"slug": slug})
    return _from_row(row)


async def read_shop_by_id(tx: Transaction, *, shop_id: int) -> Shop:
    """The shop with that id. Raises NotFound (not_found)."""
    row = await tx.one(f"{_SELECT} where id = %s", (shop_id,))
    if row is None:
        raise NotFound("not_found", "There is no such shop.")
    return _from_row(row)


async def require_running(tx: Transaction, *, shop_id: int) -> None:
    """Raise Refused `shop_suspended` while the shop is suspended: for every door that a key does not guard."""
    if (await read_shop_by_id(tx, shop_id=shop_id)).suspended_at is not None:
        raise Refused("shop_suspended")


async def read_id_key(tx: Transaction, *, shop_id: int) -> bytes:
    """The 16 bytes under which the shop's identifiers stand for numbers; the same for ever."""
    key: bytes = await tx.value("select id_key from shops where id = %s", (shop_id,))
    return key


async def set_sender(tx: Transaction, *, shop_id: int, sender: Address) -> bool:
    """Set the sender on labels; returns whether it changed. Raises Invalid (invalid_input)."""
    if sender.country:
        sender = msgspec.structs.replace(sender, country=read_country(sender.country))
    text = msgspec.json.encode(sender).decode()
    changed = await tx.run(
        "update shops set sender = %s::jsonb where id = %s and sender is distinct from %s::jsonb",
        (text, shop_id, text),
    )
    return bool(changed)


async def set_profile(
    tx: Transaction,
    *,
    shop_id: int,
    name: str | None = None,
    country: str | None = None,
    languages: tuple[str, ...] | None = None,
) -> bool:
    """Change the given fields; returns whether anything changed. Raises Invalid (invalid_input).

    The currency cannot be changed: prices, orders and balances are in it.
    """
    if name is not None:
        _check_name(name)
    if languages is not None:
        _check_languages(languages)
    changed = await tx.run(
        """update shops set name = coalesce(%(name)s, name), country = coalesce(%(country)s, country),
                  languages = coalesce(%(languages)s, languages)
           where id = %(shop)s and (name, country, languages) is distinct from
                 (coalesce(%(name)s, name), coalesce(%(country)s, country), coalesce(%(languages)s, languages))""",
        {
            "shop": shop_id,
            "name": None if name is None else name.strip(),
            "country": None if country is None else read_country(country),
            "languages": None if languages is None else list(languages),
        },
    )
    return bool(changed)


async def set_time_zone(tx: Transaction, *, shop_id: int, time_zone: str) -> bool:
    """Set the shop's time zone; returns whether it changed.

    Stored times do not change. Raises Invalid (invalid_input).
    """
    name = zone_named(time_zone).key
    changed = await tx.run(
        "update shops set time_zone = %s where id = %s and time_zone <> %s", (name, shop_id, name)
    )
    return bool(changed)


async def list_shops(tx: Transaction) -> list[Shop]:
    """All shops, oldest first."""
    return [_from_row(row) for row in await tx.all(f"{_SELECT} order by id")]


async def find_only_shop(tx: Transaction) -> Shop | None:
    """The shop of a server that has one; None for a server of several, or of none yet."""
    found = await tx.all(f"{_SELECT} limit 2")
    return _from_row(found[0]) if len(found) == 1 else None


async def has_one_shop(tx: Transaction) -> bool:
    """Whether the server has one shop, whose owner is then told of the server as a whole."""
    return bool(await tx.value("select count(*) = 1 from (select from shops limit 2) as found"))


async def set_product_url(tx: Transaction, *, shop_id: int, template: str) -> bool:
    """Set the URL template of product pages, such as https://shop.example/p/{handle}; whether it changed.

    `{handle}` and `{sku}` are replaced. Raises Invalid (invalid_input).
    """
    url = template.strip()
    if url and not _PRODUCT_URL.fullmatch(url):
        raise _invalid(
            "product_url", "A product URL begins with https:// and contains {handle} or {sku}."
        )
    changed = await tx.run(
        "update shops set product_url = %s where id = %s and product_url <> %s",
        (url, shop_id, url),
    )
    return bool(changed)


async def set_logo(tx: Transaction, *, shop_id: int, logo: str) -> bool:
    """Set the file of the shop's logo, one of its own images, or '' for none; returns whether it changed."""
    return bool(
        await tx.run(
            "update shops set logo = %s where id = %s and logo <> %s", (logo, shop_id, logo)
        )
    )


async def suspend_shop(tx: Transaction, *, shop_id: int, now: datetime) -> bool:
    """Suspend the shop; returns whether it was not. `touch_partners` makes it take effect with the next call."""
    return bool(
        await tx.run(
            "update shops set suspended_at = %s where id = %s and suspended_at is null",
            (now, shop_id),
        )
    )


async def resume_shop(tx: Transaction, *, shop_id: int) -> bool:
    """End a suspension; returns whether there was one. Needs `touch_partners` as well."""
    return bool(
        await tx.run(
            "update shops set suspended_at = null where id = %s and suspended_at is not null",
            (shop_id,),
        )
    )


def product_page(template: str, *, handle: str, sku: str) -> str:
    """The page of a product by a shop's template; '' without one."""
    return template.replace("{handle}", quote(handle, safe="")).replace(
        "{sku}", quote(sku, safe="")
    )


_SELECT = (
    "select id, slug, name, currency, country, languages, time_zone, product_url,"
    " logo, nullif(sender ->> 'email', ''), suspended_at from shops"
)


def _from_row(row: tuple[object, ...]) -> Shop:
    return msgspec.convert(dict(zip(Shop.__struct_fields__, row, strict=True)), Shop)


def _check(*, slug: str, name: str, currency: str, languages: tuple[str, ...]) -> None:
    if not _SLUG.fullmatch(slug):
        raise _invalid("slug", "A slug is lower-case letters, digits and hyphens, at most 63.")
    _check_name(name)
    exponent(currency)
    if pycountry.currencies.get(alpha_3=currency) is None:
        raise _invalid("currency", f"{currency} is not a currency of ISO 4217.")
    _check_languages(languages)


def _check_name(name: str) -> None:
    if not visible(name):
        raise _invalid("name", "A shop needs a name.")


def _check_languages(languages: tuple[str, ...]) -> None:
    if not languages or not all(_LANGUAGE.fullmatch(language) for language in languages):
        raise _invalid("languages", "Languages must be codes such as en, nl or pt-BR.")


def _invalid(field: str, message: str) -> Invalid:
    return Invalid("invalid_input", message, {"field": field})
