"""Labels for parcels that belong to no order: the manual label form's work."""

import re
from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.shop.customers import Address
from crossdock.shop.warehouse.booking import Booking
from crossdock.shop.warehouse.carriers import LANGUAGES, Parcel
from crossdock.shop.warehouse.parcels import read_sender
from crossdock.shop.warehouse.shipping import Consignment

_REFERENCE = re.compile(r"[A-Za-z0-9_-]{0,64}")
WEIGHT_G_MAX = 1_000_000


class ManualLabel(msgspec.Struct, frozen=True, kw_only=True):
    """A label that was made by hand."""

    id: int
    receiver: Address
    reference: str
    language: str
    weight_g: int
    created_at: datetime
    consignment: Consignment


async def make_manual_label(
    service: Booking,
    *,
    shop_id: int,
    address: Address,
    reference: str = "",
    language: str = "nl",
    weight_g: int = 0,
    carrier: str = "",
    carrier_service: str = "",
    person_id: int | None = None,
) -> ManualLabel:
    """Book a parcel to the address and store its label. The form checks that the address is complete.

    `reference` is letters, digits, - and _ (spec shopwedo 13). Raises Invalid `invalid_input`.
    """
    _check(reference=reference, language=language, weight_g=weight_g)
    booked_with = service.carriers.find(carrier)
    async with service.db.statement() as tx:
        sender = await read_sender(tx, shop_id=shop_id)
        number = await tx.value("select nextval(pg_get_serial_sequence('manual_labels', 'id'))")
    parcel = Parcel(
        key=f"{shop_id}-m{number}",
        sender=sender,
        receiver=address,
        reference=reference,
        service=carrier_service,
        weight_g=weight_g,
        language=language,
    )
    label = ManualLabel(
        id=number,
        receiver=address,
        reference=reference,
        language=language,
        weight_g=weight_g,
        created_at=service.clock.now(),
        consignment=await booked_with.book(parcel),
    )
    async with service.db.begin() as tx:
        await _store(tx, shop_id=shop_id, label=label, person_id=person_id)
    return label


async def read_manual_label(tx: Transaction, *, shop_id: int, label_id: int) -> ManualLabel:
    """A label that was made. Raises NotFound `not_found`."""
    row = await tx.one(_READ, (shop_id, label_id))
    if row is None:
        raise NotFound("not_found", "There is no such label.")
    return ManualLabel(
        id=row[0],
        receiver=msgspec.convert(row[1], Address),
        reference=row[2],
        language=row[3],
        weight_g=row[4],
        created_at=row[5],
        consignment=Consignment(**dict(zip(Consignment.__struct_fields__, row[6:], strict=True))),
    )


def _check(*, reference: str, language: str, weight_g: int) -> None:
    if not _REFERENCE.fullmatch(reference):
        message = "A reference is at most 64 letters, digits, - and _."
        raise Invalid("invalid_input", message, {"field": "reference"})
    if language not in LANGUAGES:
        message = f"The language is one of {', '.join(LANGUAGES)}."
        raise Invalid("invalid_input", message, {"field": "language"})
    if not 0 <= weight_g <= WEIGHT_G_MAX:
        raise Invalid("invalid_input", "The weight is not one.", {"field": "weight_g"})


async def _store(
    tx: Transaction, *, shop_id: int, label: ManualLabel, person_id: int | None
) -> None:
    await tx.run(
        _STORE,
        {
            **msgspec.structs.asdict(label.consignment),
            "shop": shop_id,
            "id": label.id,
            "receiver": msgspec.json.encode(label.receiver).decode(),
            "reference": label.reference,
            "language": label.language,
            "weight_g": label.weight_g,
            "person": person_id,
            "now": label.created_at,
        },
    )


_STORE = """
    insert into manual_labels (shop_id, id, receiver, reference, language, weight_g, carrier, service,
                               tracking_number, tracking_url, label_pdf, label_zpl, person_id, created_at)
    overriding system value
    values (%(shop)s, %(id)s, %(receiver)s::jsonb, %(reference)s, %(language)s, %(weight_g)s, %(carrier)s,
            %(service)s, %(tracking_number)s, %(tracking_url)s, %(label_pdf)s, %(label_zpl)s, %(person)s, %(now)s)
"""

# The last columns are Consignment's fields, in its order.
_READ = """
    select id, receiver, reference, language, weight_g, created_at,
           carrier, tracking_number, tracking_url, service, label_pdf, label_zpl
    from manual_labels where shop_id = %s and id = %s
"""
