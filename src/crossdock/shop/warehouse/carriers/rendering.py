"""A parcel's label in every format, or why it cannot be printed."""

from crossdock.errors import Invalid
from crossdock.shop.customers import Address
from crossdock.shop.warehouse.carriers.contract import Parcel
from crossdock.shop.warehouse.carriers.fonts import LabelFonts
from crossdock.shop.warehouse.carriers.label import RECEIVER, SENDER, make_label, one_line
from crossdock.shop.warehouse.carriers.label_layout import DoesNotFit
from crossdock.shop.warehouse.carriers.label_pdf import label_pdf
from crossdock.shop.warehouse.carriers.label_zpl import label_zpl


def render_label(
    parcel: Parcel, *, carrier: str, service: str, number: str, fonts: LabelFonts
) -> tuple[bytes, str]:
    """The label as PDF and as ZPL. Nothing is cut or replaced.

    Raises Invalid `invalid_input` for characters that no font has and for texts too long: `field` is
    such as 'receiver.street', `characters` those that cannot be printed.
    """
    label = make_label(parcel, carrier=carrier, service=service, number=number, fonts=fonts)
    try:
        return label_pdf(label, fonts=fonts), label_zpl(label, fonts=fonts)
    except DoesNotFit as error:
        raise _too_long(parcel, block=error.block) from None


def _too_long(parcel: Parcel, *, block: str) -> Invalid:
    """Names the longest field of the block."""
    names, address = {"sender": SENDER, "receiver": RECEIVER}.get(block, ()), parcel.sender
    if block == "receiver":
        address = parcel.receiver
    hidden = {"address_1"} if address.street else set()  # joins the others
    lengths = {name: _length(address, name) for name in names if name not in hidden}
    field, length = block, len(one_line(parcel.reference))
    if lengths:
        longest = max(lengths, key=lambda name: lengths[name])
        field, length = f"{block}.{longest}", lengths[longest]
    message = f"The {block} does not fit on the label in the smallest readable letters:"
    message += f" {field} has {length} characters. Shorten it."
    return Invalid("invalid_input", message, {"field": field})


def _length(address: Address, name: str) -> int:
    return len(one_line(getattr(address, name)))
