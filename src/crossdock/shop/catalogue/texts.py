"""Texts of the catalogue: HTML that is safe to show, and slugs."""

import hashlib
import re
import unicodedata

import nh3

_MARKUP = re.compile(r"[<>&\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NOT_WORD = re.compile(r"[^\w]+|_+")
_SLUG_LENGTH = 100
_ROUNDS = 4


def clean_html(text: str) -> str:
    """HTML without scripts, styles, handlers and foreign frames; clean text comes back as it is.

    Cleaning what was cleaned changes nothing, so that an export read back is equal.
    """
    if not _MARKUP.search(text):
        return text
    for _ in range(_ROUNDS):
        cleaned = nh3.clean(text)
        if cleaned == text:
            break
        text = cleaned
    return text


def slug_of(name: str) -> str:
    """A slug of a name: lower-case words joined by hyphens, accents dropped, other scripts kept.

    A name without a letter or digit gets a slug from its hash; a long one is cut, with a hash.
    """
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    slug = _NOT_WORD.sub("-", plain.casefold()).strip("-")
    if not slug or len(slug) > _SLUG_LENGTH:
        mark = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
        return f"{slug[:_SLUG_LENGTH]}-{mark}".lstrip("-")
    return slug
