"""Validation of EU VAT numbers that staff enter.

VAT numbers from channels are stored unchanged, because their protocols accept any text.
"""

from stdnum.eu import vat
from stdnum.exceptions import ValidationError
from stdnum.util import clean

from crossdock.errors import Invalid

_SEPARATORS = " -./"
_PREFIXES = frozenset(code.upper() for code in vat.MEMBER_STATES) | {"EL"}


def check_vat(number: str, *, country: str) -> None:
    """Raise Invalid `invalid_input` for a number that is invalid by the rules of its member state.

    The state is the number's first two letters, or else the address's. Numbers of other countries
    and empty ones pass.
    """
    text = clean(number, _SEPARATORS).upper()
    if text[:2] not in _PREFIXES:
        if not text or country.upper() not in _PREFIXES:
            return
        text = country.upper() + text
    try:
        vat.validate(text)
    except ValidationError as error:
        raise Invalid(
            "invalid_input",
            f"{number!r} is no VAT number of {text[:2]}: {str(error) or 'it cannot be one.'}"
            " Write it as on an invoice, such as BE0403019261, or leave it out.",
            {"field": "vat"},
        ) from error
