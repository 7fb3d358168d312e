"""Check the syntax of e-mail addresses by the standards, without DNS."""

from functools import lru_cache

_LENGTH_MAX = 254


def is_email(text: str) -> bool:
    """Whether the text is a valid e-mail address.

    Valid are addresses in any script, with a quoted local part or at an internal host
    (`ops@warehouse`); an address with a display name or surrounding blanks is not.
    """
    return len(text) <= _LENGTH_MAX and _is_valid(text)


@lru_cache(maxsize=4096)
def _is_valid(text: str) -> bool:
    import email_validator  # late: slow to load, and few commands need it

    # Company networks use reserved names such as `.local`.
    email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()
    try:
        email_validator.validate_email(
            text,
            check_deliverability=False,
            globally_deliverable=False,
            allow_quoted_local=True,
            allow_domain_literal=True,
            strict=True,
        )
    except email_validator.EmailNotValidError:
        return False
    return True
