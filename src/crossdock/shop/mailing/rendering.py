"""Write mails from templates: a text and an HTML file each, in the folder `templates`.

The first line of the text is 'Subject: ...'. Everything in the HTML is escaped, and every text is in the
language that is asked for. A value that a template names and nobody gave is an error.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final, Literal

import jinja2
import msgspec

from crossdock.errors import Invalid
from crossdock.kit.languages import (
    LANGUAGES,
    SPOKEN_FILTERS,
    gettext,
    ngettext,
    speaking,
    spoken,
)

TemplateName = Literal[
    "reseller_invitation", "person_invitation", "password_reset", "item_delivery", "order_delivery"
]
Value = str | int | datetime | Sequence[str]
SECRETS: Final[Mapping[TemplateName, tuple[str, ...]]] = {
    "reseller_invitation": ("accept_url",),
    "person_invitation": ("url",),
    "password_reset": ("url",),
    "item_delivery": ("serials",),
    "order_delivery": ("lines",),
}
"""The values of each template that are for its reader alone: links that open something, and goods."""
HIDDEN: Final = "[hidden]"

SUBJECT_CHARS: Final = 120
BODY_CHARS: Final = 100_000

_FOLDER: Final = Path(__file__).with_name("templates")
_SUBJECT: Final = "Subject: "
# Controls, and the characters that end a line or turn its direction.
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A mail's subject, a single line, and its content as text and as HTML; both also without its secrets."""

    subject: str
    text: str
    html: str
    hidden_text: str
    hidden_html: str


def write_mail(
    template: TemplateName, values: Mapping[str, Value], *, language: str = LANGUAGES[0]
) -> Written:
    """Fill the template in a language. Raises Invalid `invalid_input` for a content of more than BODY_CHARS."""
    with speaking(language):
        return _written(template, values)


def _written(template: TemplateName, values: Mapping[str, Value]) -> Written:
    given = {name: _single_lines(value) for name, value in values.items()}
    subject, text, page = _filled(template, given)
    if max(len(text), len(page)) > BODY_CHARS:
        raise Invalid("invalid_input", f"a mail has at most {BODY_CHARS} characters")
    masked = {name: _masked(given[name]) for name in SECRETS[template]}
    _, hidden_text, hidden_page = _filled(template, {**given, **masked})
    return Written(
        subject=subject, text=text, html=page, hidden_text=hidden_text, hidden_html=hidden_page
    )


def _filled(template: TemplateName, given: Mapping[str, Value]) -> tuple[str, str, str]:
    """(subject, text, HTML)."""
    templates = _templates()
    filled = templates.get_template(f"{template}.txt").render(given)
    first, _, text = filled.partition("\n")
    subject = " ".join(first.removeprefix(_SUBJECT).split())[:SUBJECT_CHARS]
    return (
        subject,
        text,
        templates.get_template(f"{template}.html").render({**given, "subject": subject}),
    )


def _masked(value: Value) -> Value:
    return HIDDEN if isinstance(value, str | int | datetime) else [HIDDEN for _ in value]


def _single_lines(value: Value) -> Value:
    """The value without line breaks, so that none of it is taken for another header or line."""
    if isinstance(value, int | datetime):
        return value
    if isinstance(value, str):
        return _UNFIT.sub(" ", value)
    return [_UNFIT.sub(" ", each) for each in value]


@cache
def _templates() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.globals["language"] = spoken
    made.filters.update(SPOKEN_FILTERS)
    return made
