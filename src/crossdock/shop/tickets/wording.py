"""Check the texts of tickets."""

from crossdock.errors import Invalid
from crossdock.kit.texts import has_ink


def checked_text(text: str, *, field: str, most: int, may_be_empty: bool = False) -> str:
    """The text as it is, '' for an invisible one.

    Raises Invalid `invalid_input` with the field for more than `most` characters, for what the
    database cannot store, and for an invisible text unless it `may_be_empty`.
    """
    if "\x00" in text or not _is_encodable(text):
        raise invalid(field, "This has a character that is not allowed.")
    text = text if has_ink(text) else ""
    if len(text) > most:
        raise invalid(field, f"This has more than {most} characters.")
    if not text and not may_be_empty:
        raise invalid(field, "This must not be empty.")
    return text


def invalid(field: str, message: str) -> Invalid:
    """The refusal of a field."""
    return Invalid("invalid_input", message, {"field": field})


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
