"""E-mail addresses: which texts are one, by the rules of the standards and without asking the DNS."""

from functools import lru_cache

_LENGTH_MAX = 254


def is_email(text: str) -> bool:
    """Whether it is an address that mail could go to.

    Addresses in any script, with a quoted part or at a host of one's own network (`ops@warehouse`)
    are; one with a name or blanks around it is not.
    """
    return len(text) <= _LENGTH_MAX and _is_valid(text)


@lru_cache(maxsize=4096)
def _is_valid(text: str) -> bool:
    import email_validator  # late: only what takes addresses pays for loading it

    # A company's own network may use names that the public one reserves, such as `.local`.
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
