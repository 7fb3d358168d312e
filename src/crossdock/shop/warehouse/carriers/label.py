"""The texts of a label, for every printer language.

Countries are named in the label's language, as its captions are; the receiver's in capitals, as the
last line of the address (UPU S42).
"""

import msgspec

from crossdock.kit.display import country_name
from crossdock.shop.customers import Address
from crossdock.shop.warehouse.carriers.contract import LANGUAGES, Parcel

_CAPTIONS = {
    "nl": ("Afzender", "Aan", "Referentie", "Gewicht"),
    "fr": ("Expéditeur", "Destinataire", "Référence", "Poids"),
    "en": ("From", "To", "Reference", "Weight"),
    "de": ("Absender", "An", "Referenz", "Gewicht"),
}


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of a label. `who` is a receiver's name and company, `where` the lines below it.

    `captions` are those of sender, receiver, reference and weight; '' if the value is missing.
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


def make_label(parcel: Parcel, *, carrier: str, service: str, number: str) -> Label:
    """The label of a booked parcel, in the parcel's language if it is translated, else in English."""
    language = parcel.language if parcel.language in LANGUAGES else "en"
    receiver = parcel.receiver
    reference, weight = _plain(parcel.reference), _weight(parcel.weight_g)
    from_, to, of_reference, of_weight = _CAPTIONS[language]
    return Label(
        carrier=carrier,
        service=service,
        number=number,
        captions=(from_, to, reference and of_reference, weight and of_weight),
        sender=tuple(
            line
            for line in (
                *_who(parcel.sender),
                *_where(parcel.sender),
                _town(parcel.sender),
                _country(parcel.sender, language=language),
            )
            if line
        ),
        who=_who(receiver) or ("-",),
        where=_where(receiver),
        town=_town(receiver),
        country=_country(receiver, language=language).upper(),
        phone=_plain(receiver.phone),
        reference=reference,
        weight=weight,
    )


def _weight(weight_g: int) -> str:
    return f"{weight_g // 1000}.{weight_g % 1000:03d} kg" if weight_g else ""


def _who(address: Address) -> tuple[str, ...]:
    name = _plain(f"{address.first_name} {address.last_name}")
    return tuple(text for text in (name, _plain(address.company)) if text)


def _where(address: Address) -> tuple[str, ...]:
    """The lines between name and town; a box that a channel also stores in `address_2` is printed once."""
    street = _plain(f"{address.street} {address.house_number}") or _plain(address.address_1)
    box, second = _plain(address.box), _plain(address.address_2)
    if box and street:
        street = f"{street} / {box}"
    lines = (street or box, "" if second == box else second)
    return tuple(line for line in lines if line)


def _town(address: Address) -> str:
    return _plain(f"{address.postcode} {address.city} {address.state}")


def _country(address: Address, *, language: str) -> str:
    """The country's common name; an unknown code stays as it is."""
    return _plain(country_name(address.country, language=language))


def _plain(text: str) -> str:
    """The text as one line: each run of blanks and control characters becomes one space."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
