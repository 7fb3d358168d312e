"""The fields and rules of the label form (spec section 13)."""

import re
from collections.abc import Mapping

import msgspec
from stdnum.eu.vat import MEMBER_STATES

from crossdock.errors import Invalid
from crossdock.kit.countries import country_codes, find_country, no_country
from crossdock.kit.display import country_name
from crossdock.kit.email import is_email
from crossdock.kit.texts import has_ink
from crossdock.shop.customers import Address, missing_fields
from crossdock.shop.orders import OrderView
from crossdock.shop.warehouse import WEIGHT_G_MAX

LANGUAGES = ("nl", "fr", "en", "de")
DEFAULT_COUNTRY = "BE"
DEFAULT_LANGUAGE = "nl"
TEXT_MAX = 100
_BLANKS = " \t\u00a0"  # copied along with a text; line breaks are not removed
REFERENCE_MAX = 64
_REFERENCE = re.compile(rf"[A-Za-z0-9_-]{{0,{REFERENCE_MAX}}}", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
# Members of the European Union: a parcel to them needs no phone number for customs.
_UNION = frozenset(code.upper() for code in MEMBER_STATES) - {"XI"}  # Northern Ireland: VAT alone
_REQUIRED = {
    "addressEmail": "The e-mail address is missing.",
    "addressStreet": "The street is missing.",
    "addressNumber": "The house number is missing.",
    "addressZip": "The zip code is missing.",
    "addressCity": "The city is missing.",
}


# Where addresses are often one line that begins with the house number.
_NUMBER_IN_STREET = {"AU", "CA", "GB", "IE", "NZ", "US"}
_WEIGHT = re.compile(r"[0-9]{0,7}", re.ASCII)
_LANGUAGES_OF = {"AT": "de", "BE": "nl", "CH": "de", "DE": "de", "FR": "fr", "LI": "de", "LU": "fr"}
_LANGUAGES_OF |= {"MC": "fr", "NL": "nl", "SR": "nl"}
_FIELDS = {
    "receiver.first_name": "addressFirstname",
    "receiver.last_name": "addressLastname",
    "receiver.company": "addressCompany",
    "receiver.phone": "addressPhone",
    "receiver.street": "addressStreet",
    "receiver.house_number": "addressNumber",
    "receiver.box": "addressBox",
    "receiver.postcode": "addressZip",
    "receiver.city": "addressCity",
    "receiver.state": "addressState",
    "receiver.country": "addressCountry",
    "service": "parcelService",
    "reference": "trackingReference",
}


class LabelForm(msgspec.Struct, frozen=True, kw_only=True):
    """The form's fields under their wire names; all of them stripped text."""

    trackingReference: str = ""  # noqa: N815 - the wire's own names
    addressFirstname: str = ""  # noqa: N815
    addressLastname: str = ""  # noqa: N815
    addressCompany: str = ""  # noqa: N815
    addressEmail: str = ""  # noqa: N815
    addressPhone: str = ""  # noqa: N815
    addressStreet: str = ""  # noqa: N815
    addressNumber: str = ""  # noqa: N815
    addressBox: str = ""  # noqa: N815
    addressZip: str = ""  # noqa: N815
    addressCity: str = ""  # noqa: N815
    addressCountry: str = DEFAULT_COUNTRY  # noqa: N815
    addressState: str = ""  # noqa: N815
    addressLanguage: str = DEFAULT_LANGUAGE  # noqa: N815
    parcelWeight: str = ""  # noqa: N815
    parcelService: str = ""  # noqa: N815

    @property
    def weight_g(self) -> int:
        """The weight in grams; 0 if none is given."""
        return int(self.parcelWeight or 0)

    def receiver(self) -> Address:
        """The address that goes on the label."""
        return Address(
            first_name=self.addressFirstname,
            last_name=self.addressLastname,
            company=self.addressCompany,
            email=self.addressEmail,
            phone=self.addressPhone,
            street=self.addressStreet,
            house_number=self.addressNumber,
            box=self.addressBox,
            address_1=f"{self.addressStreet} {self.addressNumber}".strip(),
            address_2=self.addressBox,
            postcode=self.addressZip,
            city=self.addressCity,
            state=self.addressState,
            country=self.addressCountry,
        )


def prefilled(query: Mapping[str, str]) -> LabelForm:
    """What a link fills in: valid values as they are, invalid ones blank or the default. Never fails.

    A country that is none is blank: the default is for a link that names none.
    """
    values = {name: _clean(query.get(name, "")) for name in LabelForm.__struct_fields__}
    if not _REFERENCE.fullmatch(values["trackingReference"]):
        values["trackingReference"] = ""
    named = has_ink(query.get("addressCountry", ""))
    values["addressCountry"] = (
        (find_country(values["addressCountry"]) or "") if named else DEFAULT_COUNTRY
    )
    if not has_ink(query.get("addressLanguage", "")):
        values["addressLanguage"] = _language_of(values["addressCountry"])
    values["addressLanguage"] = values["addressLanguage"].lower()
    if values["addressLanguage"] not in LANGUAGES:
        values["addressLanguage"] = DEFAULT_LANGUAGE
    return LabelForm(**values)


def submitted(form: Mapping[str, str]) -> LabelForm:
    """The form as submitted."""
    values = {
        name: _trimmed(form.get(name, ""))[: TEXT_MAX + 1] for name in LabelForm.__struct_fields__
    }
    values["addressCountry"] = find_country(values["addressCountry"]) or values["addressCountry"]
    return LabelForm(**values)


def of_order(order: OrderView) -> LabelForm:
    """The form filled with an order's receiver."""
    address = order.shipping
    language = order.language.lower()
    form = prefilled(
        {
            "trackingReference": re.sub(r"[^A-Za-z0-9_-]", "-", order.partner_order_id)[
                :REFERENCE_MAX
            ],
            "addressFirstname": address.first_name,
            "addressLastname": address.last_name,
            "addressCompany": address.company,
            "addressEmail": address.email,
            "addressPhone": address.phone,
            "addressStreet": address.street or address.address_1,
            "addressNumber": address.house_number,
            "addressBox": address.box or address.address_2,
            "addressZip": address.postcode,
            "addressCity": address.city,
            "addressState": address.state,
            "addressCountry": address.country,
            "addressLanguage": language,
        }
    )
    return form if address.country else msgspec.structs.replace(form, addressCountry="")


def mistakes(form: LabelForm) -> dict[str, str]:
    """Validation errors by field; {} if a label can be made."""
    found = _missing(form) | _malformed(form)
    for name in LabelForm.__struct_fields__:
        value = getattr(form, name)
        if len(value) > TEXT_MAX:
            found[name] = f"At most {TEXT_MAX} characters."
        elif _UNPRINTABLE.search(value):
            found[name] = "This contains characters that cannot be printed."
    return found


def _missing(form: LabelForm) -> dict[str, str]:
    found = {name: text for name, text in _REQUIRED.items() if not getattr(form, name)}
    if form.addressCountry in _NUMBER_IN_STREET and re.search(r"\d", form.addressStreet):
        found.pop("addressNumber", None)
    if "state" in missing_fields(form.receiver(), contact=False):
        found["addressState"] = "The state or province is missing."
    if not (form.addressFirstname or form.addressLastname or form.addressCompany):
        found["addressFirstname"] = "Give a first name, a last name or a company."
    if not form.addressCountry:
        found["addressCountry"] = "Choose a country."
    return found


def _malformed(form: LabelForm) -> dict[str, str]:
    found = {}
    if form.addressEmail and not is_email(form.addressEmail):
        found["addressEmail"] = "This is not an e-mail address."
    if not _REFERENCE.fullmatch(form.trackingReference):
        found["trackingReference"] = (
            f"At most {REFERENCE_MAX} letters without accents, digits, - and _."
        )
    if form.addressCountry and find_country(form.addressCountry) is None:
        found["addressCountry"] = f"Choose a country: {no_country(form.addressCountry)}"
    elif form.addressCountry and form.addressCountry not in _UNION and not form.addressPhone:
        found["addressPhone"] = "A phone number is needed outside the European Union."
    if form.addressLanguage not in LANGUAGES:
        found["addressLanguage"] = "Choose a language."
    if not _WEIGHT.fullmatch(form.parcelWeight) or form.weight_g > WEIGHT_G_MAX:
        found["parcelWeight"] = f"Whole grams, at most {WEIGHT_G_MAX:,}."
    return found


def mistake_of(error: Invalid) -> dict[str, str]:
    """What a carrier refuses, by the field of the form; {} if it is about none of them."""
    field = _FIELDS.get(str(error.data.get("field", "")))
    return {field: error.message} if field else {}


def unknown_country(query: Mapping[str, str]) -> str:
    """A sentence about a country of a link that is none, else ''."""
    named = query.get("addressCountry", "")
    return no_country(named) if has_ink(named) and find_country(named) is None else ""


def countries(chosen: str) -> list[tuple[str, str]]:
    """(code, name) of every country, by name; a blank first where none of them is chosen.

    A browser shows the first of a list of which none is chosen, so that must not be a country.
    """
    known = sorted(((code, country_name(code)) for code in country_codes()), key=lambda c: c[1])
    return known if find_country(chosen) == chosen else [("", "Choose a country"), *known]


def _language_of(country: str) -> str:
    """The language of labels to the country; the default where no country is known."""
    return _LANGUAGES_OF.get(country, "en") if country else DEFAULT_LANGUAGE


def _clean(text: str) -> str:
    text = _trimmed(text)
    return "" if len(text) > TEXT_MAX or _UNPRINTABLE.search(text) else text


def _trimmed(text: str) -> str:
    """The text without surrounding blanks; '' if nothing of it is visible."""
    return text.strip(_BLANKS) if has_ink(text) else ""
