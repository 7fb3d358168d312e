"""createOrder: parse the order and report every invalid field (spec section 6)."""

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from crossdock.channels.plumbing import JsonNumber, exact
from crossdock.channels.shopwedo.errors import OrderRefused
from crossdock.channels.shopwedo.fields import whole
from crossdock.channels.shopwedo.keeping import KeptLine, KeptOrder
from crossdock.channels.shopwedo.requests import OrderAddress
from crossdock.kit.countries import find_country, no_country
from crossdock.kit.email import is_email
from crossdock.kit.money import MINOR_MAX, exponent, round_half_up
from crossdock.kit.texts import visible
from crossdock.shop.catalogue import VariantName
from crossdock.shop.customers import Address
from crossdock.shop.orders import (
    DraftLine,
    Identity,
    OrderDraft,
    ReleasePolicy,
    Take,
    number_namespace,
)
from crossdock.shop.partners import Partner

SOURCE = "shopwedo"
RELEASE_LOOKING, RELEASE_IMMEDIATE = "looking", "immediate"
ITEMS_MAX = 200
AMOUNT_MAX = 1_000_000
TEXT_MAX = 255
COMMENT_MAX = 2_000
NUMBER_MAX = 191
LANGUAGE_MAX = 16
_ID_MAX = 10**18
_FALSE_WORDS = {"0", "false", "no", "n", "off"}
_MOMENT = "%Y-%m-%d %H:%M:%S"
_WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", re.ASCII)
_PRICE = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LINE_END = re.compile(r"[\t\n\r\x85\u2028\u2029]+")
_KINDS = {"": "id", "id": "id", "sku": "id", "reference": "reference", "barcode": "barcode"}

REQUIRED_ADDRESS = tuple(
    field for field in OrderAddress.__annotations__ if field in OrderAddress.__required_keys__
)
OPTIONAL_ADDRESS = tuple(
    field for field in OrderAddress.__annotations__ if field in OrderAddress.__optional_keys__
)


class OrderReader:
    """Parses one createOrder body and collects errors under dotted paths."""

    def __init__(self, data: dict[str, Any], *, partner: Partner) -> None:
        self._data = data
        self._partner = partner
        self._strict = partner.settings.get("require_v11_fields", True) is not False
        self.errors: dict[str, list[str]] = {}
        self.names: list[VariantName | None] = []

    def read(self, *, order_key: str, is_test: bool) -> OrderDraft | None:
        """The order to place (spec 6, 14.2), None if a field is invalid.

        Raises OrderRefused `order_items_empty`.
        """
        items = self._read_items()
        self.names = [self._variant_name(place, item) for place, item in enumerate(items)]
        number = self._number()
        shipping = self._address("shipping_address")
        has_billing = self._data.get("billing_address") not in (None, "", [], {})
        billing = self._address("billing_address") if has_billing else shipping
        comment = self._text(self._data, "comment", limit=COMMENT_MAX, is_line=False)
        kept = self._kept(has_billing=has_billing)
        language = self._text(self._data, "language", limit=LANGUAGE_MAX)
        policy, take = self._release()
        lines = [self._line(place, item, take=take) for place, item in enumerate(items)]
        if self.errors:
            return None
        partner = self._partner
        return OrderDraft(
            shop_id=partner.shop_id,
            channel=partner.channel,
            order_key=order_key,
            identity=Identity(namespace=number_namespace(partner.id), key=number),
            partner_id=partner.id,
            partner_order_id=number,
            currency=partner.currency,
            billing=billing,
            shipping=shipping,
            lines=tuple(line for line in lines if line is not None),
            state="waiting_for_release" if policy == "by_hand" else "processing",
            state_when_short="reserved" if policy == "when_available" else None,
            release_policy=policy,
            merchant_ids=partner.visible_merchants,
            language=language,
            comments=comment,
            source=SOURCE,
            is_test=is_test,
            channel_data=kept,
        )

    def refusal(self, *, known: Collection[VariantName]) -> OrderRefused:
        """`order_invalid_data` with every invalid field, including items of unknown variants."""
        unknown = (place for place, name in enumerate(self.names) if name and name not in known)
        return self.refusal_of(unknown)

    def refusal_of(self, unknown_places: Iterable[int]) -> OrderRefused:
        """The same, given the items (from 0) that name no variant."""
        for place in unknown_places:
            self._wrong(f"items.{place}.sku", "unknown")
        return OrderRefused("order_invalid_data", errors=self.errors)

    def _read_items(self) -> list[dict[str, Any]]:
        items = self._data.get("items")
        if not isinstance(items, list) or not items:
            raise OrderRefused("order_items_empty", "an order needs at least one item")
        if len(items) > ITEMS_MAX:
            self._wrong("items", f"at most {ITEMS_MAX}")
        return [item if isinstance(item, dict) else {} for item in items[:ITEMS_MAX]]

    def _release(self) -> tuple[ReleasePolicy, Take | None]:
        """The release policy, and how stock is taken when the order is placed (spec 14.2)."""
        if not is_true(self._data.get("release")):
            return "by_hand", None
        if self._partner.settings.get("release_mode") == RELEASE_IMMEDIATE:
            return "immediate", "own"
        return "when_available", "own_capped"

    def _kept(self, *, has_billing: bool) -> KeptOrder:
        data = self._data
        return KeptOrder(
            external_reference=self._text(data, "external_order_reference"),
            comment_packing=self._text(data, "comment_packing", limit=COMMENT_MAX, is_line=False),
            created_at=self._moment("created_at", required=self._strict),
            updated_at=self._moment("updated_at", required=False),
            shipping_method=self._text(data, "shipping_method"),
            shipping_company=self._text(data, "shipping_company"),
            has_billing=has_billing,
        )

    def _address(self, field: str) -> Address:
        raw = self._data.get(field)
        if not isinstance(raw, dict) or not raw:
            self._wrong(field, "required" if raw in (None, "", [], {}) else "must be an object")
            return Address()
        values = {
            name: self._text(raw, name, path=f"{field}.{name}")
            for name in (*REQUIRED_ADDRESS, *OPTIONAL_ADDRESS)
        }
        for name in REQUIRED_ADDRESS:
            may_lack = name == "number" and not self._strict
            if not values[name] and not may_lack and f"{field}.{name}" not in self.errors:
                self._wrong(f"{field}.{name}", "required")
        if values["email"] and not is_email(values["email"]):
            self._wrong(f"{field}.email", "invalid")
        country = self._country(f"{field}.country_iso2", values["country_iso2"])
        return Address(
            first_name=values["firstname"],
            last_name=values["lastname"],
            company=values["company"],
            vat=values["vat"],
            email=values["email"],
            phone=values["phone"],
            street=values["street"],
            house_number=values["number"],
            box=values["box"],
            address_1=f"{values['street']} {values['number']}".strip(),
            address_2=values["box"],
            postcode=values["zip"],
            city=values["city"],
            country=country,
        )

    def _country(self, path: str, text: str) -> str:
        """The code in capitals; what is none is refused with the word and the code that is meant."""
        code = find_country(text)
        if text and code is None:
            self._wrong(path, "invalid")
            self._wrong(path, no_country(text))
        return code or ""

    def _variant_name(self, place: int, item: dict[str, Any]) -> VariantName | None:
        path = f"items.{place}.sku"
        kind = _KINDS.get(str(item.get("skuType") or "").strip().lower())
        text = _plain(item.get("sku")).strip()
        if kind is None:
            self._wrong(f"items.{place}.skuType", "unknown")
            return None
        if len(text) > TEXT_MAX or _UNPRINTABLE.search(text):
            self._wrong(path, "invalid")
            return None
        if not visible(text):
            self._wrong(path, "required")
            return None
        if kind == "id":
            number = whole(item.get("sku"))
            if number is None or abs(number) >= _ID_MAX:
                self._wrong(path, "must be an integer")
                return None
            return VariantName("id", str(number))
        return VariantName("reference" if kind == "reference" else "barcode", text)

    def _line(self, place: int, item: dict[str, Any], *, take: Take | None) -> DraftLine | None:
        amount = whole(item.get("amount"))
        if item.get("amount") in (None, ""):
            self._wrong(f"items.{place}.amount", "required")
        elif amount is None or not 1 <= amount <= AMOUNT_MAX:
            self._wrong(f"items.{place}.amount", "must be an integer of at least 1")
        name = self._text(item, "name", path=f"items.{place}.name")
        kept = KeptLine(
            comment=self._text(
                item, "comment", path=f"items.{place}.comment", limit=COMMENT_MAX, is_line=False
            ),
            external_line_id=self._line_id(place, item.get("external_orderline_id")),
            price_text=_plain(item.get("price")).strip()[:40],
        )
        price_minor = self._price(place, item.get("price"))
        name_of_variant = self.names[place]
        if name_of_variant is None or amount is None or amount < 1:
            return None
        return DraftLine(
            variant=name_of_variant,
            name=name,
            quantity=amount,
            unit_price_minor=price_minor,
            take=take,
            channel_data=kept,
        )

    def _line_id(self, place: int, value: Any) -> str | int:
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
            return value
        text = _plain(value)
        is_text = value is None or (isinstance(value, str | int) and not isinstance(value, bool))
        if not is_text or len(text) > TEXT_MAX or _UNPRINTABLE.search(text):
            self._wrong(f"items.{place}.external_orderline_id", "invalid")
            return ""
        return text

    def _price(self, place: int, value: Any) -> int:
        text = _plain(value).strip().replace(",", ".")
        if value is None or (isinstance(value, str) and not text):
            return 0
        minor = -1
        if _PRICE.fullmatch(text):
            minor = round_half_up(Decimal(text).scaleb(exponent(self._partner.currency)))
        if not 0 <= minor <= MINOR_MAX:
            self._wrong(f"items.{place}.price", "invalid")
            return 0
        return minor

    def _moment(self, field: str, *, required: bool) -> str:
        """A time in PHP's format, kept as text because it has no zone; Unix seconds are accepted too."""
        text = self._text(self._data, field)
        if not text:
            if required and field not in self.errors:
                self._wrong(field, "required")
            return ""
        seconds = whole(self._data.get(field))
        if seconds is not None and 0 <= seconds < 2**33:
            return datetime.fromtimestamp(seconds, tz=self._partner.zone).strftime(_MOMENT)
        try:
            if not _WRITTEN.fullmatch(text):
                raise ValueError(text)
            datetime.fromisoformat(text)
        except ValueError:
            self._wrong(field, "must be YYYY-MM-DD HH:MM:SS")
            return ""
        return text

    def _number(self) -> str:
        field = "external_order_id"
        text = self._text(self._data, field, limit=NUMBER_MAX)
        if not text and field not in self.errors:
            self._wrong(field, "required")
        if _LINE_END.search(_plain(self._data.get(field)).strip()):
            self._wrong(field, "has control characters")
        return text

    def _text(
        self,
        data: dict[str, Any],
        field: str,
        *,
        path: str = "",
        limit: int = TEXT_MAX,
        is_line: bool = True,
    ) -> str:
        value = data.get(field)
        if isinstance(value, dict | list | bool):
            self._wrong(path or field, "must be text")
            return ""
        text = _plain(value).strip()
        if is_line:  # an address on a letter, an e-mail's header
            text = _LINE_END.sub(" ", text)
        if len(text) > limit:
            self._wrong(path or field, f"at most {limit} characters")
        elif _UNPRINTABLE.search(text):
            self._wrong(path or field, "has control characters")
        else:
            return visible(text)
        return ""

    def _wrong(self, path: str, reason: str) -> None:
        self.errors.setdefault(path, []).append(reason)


def is_true(value: Any) -> bool:
    """Whether `release` is set: PHP's falsy values and the usual spellings of no are not (spec 6.3)."""
    if isinstance(value, JsonNumber):
        return exact(value) != 0
    if isinstance(value, str):
        return value != "" and value.strip().lower() not in _FALSE_WORDS
    return bool(value)


def _plain(value: Any) -> str:
    if value is None or isinstance(value, bool | dict | list):
        return ""
    return str(value)
