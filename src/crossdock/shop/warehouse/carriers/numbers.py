"""Tracking numbers that cannot be guessed; a check character detects typing errors."""

from stdnum.iso7064 import mod_37_36

from crossdock.kit.ids import Ids

PREFIX = "XD"
_RANDOM = 13


def new_tracking_number(ids: Ids) -> str:
    """'XD', 13 letters and digits, and their check character (ISO 7064 mod 37,36)."""
    body = PREFIX + ids.random_token(_RANDOM).upper()
    return body + str(mod_37_36.calc_check_digit(body))


def is_tracking_number(text: str) -> bool:
    """Whether it is one of ours: shape and check character."""
    return (
        len(text) == len(PREFIX) + _RANDOM + 1
        and text.startswith(PREFIX)
        and text.isascii()
        and text.isalnum()
        and text == text.upper()
        and bool(mod_37_36.is_valid(text))
    )
