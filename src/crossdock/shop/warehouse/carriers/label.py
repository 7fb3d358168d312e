"""What stands on a label, whatever it is printed with."""

import msgspec
import pycountry

from crossdock.shop.customers import Address
from crossdock.shop.warehouse.carriers.contract import LANGUAGES, Parcel

_CAPTIONS = {
    "nl": ("Afzender", "Aan", "Referentie", "Gewicht"),
    "fr": ("Expéditeur", "Destinataire", "Référence", "Poids"),
    "en": ("From", "To", "Reference", "Weight"),
    "de": ("Absender", "An", "Referenz", "Gewicht"),
}


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of a label. `who` is a receiver's name and company, `where` the lines below it."""

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
    """The label of a booked parcel, its captions in the parcel's language where we speak it."""
    language = parcel.language if parcel.language in LANGUAGES else "en"
    receiver = parcel.receiver
    return Label(
        carrier=carrier,
        service=service,
        number=number,
        captions=_CAPTIONS[language],
        sender=tuple(
            line
            for line in (
                *_who(parcel.sender),
                *_where(parcel.sender),
                _town(parcel.sender),
                _country(parcel.sender),
            )
            if line
        ),
        who=_who(receiver) or ("-",),
        where=_where(receiver),
        town=_town(receiver),
        country=_country(receiver).upper(),
        phone=_plain(receiver.phone),
        reference=_plain(parcel.reference),
        weight=f"{parcel.weight_g // 1000}.{parcel.weight_g % 1000:03d} kg"
        if parcel.weight_g
        else "",
    )


def _who(address: Address) -> tuple[str, ...]:
    name = _plain(f"{address.first_name} {address.last_name}")
    return tuple(text for text in (name, _plain(address.company)) if text)


def _where(address: Address) -> tuple[str, ...]:
    street = _plain(f"{address.street} {address.house_number} {address.box}")
    if address.box and street:
        street = _plain(f"{address.street} {address.house_number} / {address.box}")
    lines = (street or _plain(address.address_1), _plain(address.address_2))
    return tuple(line for line in lines if line)


def _town(address: Address) -> str:
    return _plain(f"{address.postcode} {address.city} {address.state}")


def _country(address: Address) -> str:
    found = pycountry.countries.get(alpha_2=address.country.upper()) if address.country else None
    return str(found.name) if found else _plain(address.country)


def _plain(text: str) -> str:
    """One line: every run of blanks and control characters is one blank."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
