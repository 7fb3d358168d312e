"""Texts of the catalogue: sanitised HTML, normalised plain texts, and slugs."""

import hashlib
import html
import re
import unicodedata

import nh3

_MARKUP = re.compile(r"[<>&\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NOT_WORD = re.compile(r"[^\w]+|_+")
_SLUG_LENGTH = 100
_ROUNDS = 4
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ESCAPED_ENTITY = re.compile(
    r"&amp;(#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|[A-Za-z][A-Za-z0-9]{1,31};)"
)
_BLANKS = re.compile("[\u00a0\u2007\u202f][ \u00a0\u2007\u202f]*| [ \u00a0\u2007\u202f]+")
_TAG = re.compile(r"<[a-zA-Z/!]")
_ESCAPED_TAG = re.compile(
    r"&lt;/(?:p|b|i|u|a|em|strong|span|div|ul|ol|li|h[1-6]|table|td|tr)&gt;", re.IGNORECASE
)


def clean_html(text: str) -> str:
    """Sanitise HTML: no scripts, styles, event handlers or frames of other sites.

    Idempotent, so that importing an export changes nothing.
    """
    if not _MARKUP.search(text):
        return text
    for _ in range(_ROUNDS):
        cleaned = nh3.clean(text)
        if cleaned == text:
            break
        text = cleaned
    return text


def plain_text(text: str) -> str:
    """Normalise plain text: decode entities such as `&amp;`, replace no-break and repeated blanks.

    Idempotent. Line ends and tabs are kept.
    """
    if "&" in text:
        for _ in range(_ROUNDS):
            if not _ENTITY.search(text):
                break
            text = _ENTITY.sub(_unescaped, text)
    if "  " in text or not text.isascii():
        text = _BLANKS.sub(" ", text)
    return text.strip()


def _unescaped(match: re.Match[str]) -> str:
    return html.unescape(match[0])


def html_once(text: str) -> str:
    """Undo double escaping of HTML: `&amp;amp;` becomes `&amp;`, `&lt;p&gt;` becomes `<p>`.

    The text as a whole counts as escaped if it has an escaped closing tag and no real tag.
    """
    if "&" not in text:
        return text
    for _ in range(_ROUNDS):
        if not _ESCAPED_ENTITY.search(text):
            break
        text = _ESCAPED_ENTITY.sub(r"&\1", text)
    if _ESCAPED_TAG.search(text) and not _TAG.search(text):
        return html.unescape(text)
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
