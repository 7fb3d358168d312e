"""Write mails from templates: a text and an HTML file each, in the folder `templates`.

The first line of the text is 'Subject: ...'. Everything in the HTML is escaped. A value that a template
names and nobody gave is an error.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final, Literal

import jinja2
import msgspec

from crossdock.errors import Invalid

TemplateName = Literal[
    "reseller_invitation", "person_invitation", "password_reset", "item_delivery", "order_delivery"
]
Value = str | int | Sequence[str]

SUBJECT_CHARS: Final = 120
BODY_CHARS: Final = 100_000

_FOLDER: Final = Path(__file__).with_name("templates")
_SUBJECT: Final = "Subject: "
# Controls, and the characters that end a line or turn its direction.
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A mail's subject, a single line, and its content as text and as HTML."""

    subject: str
    text: str
    html: str


def write_mail(template: TemplateName, values: Mapping[str, Value]) -> Written:
    """Fill the template. Raises Invalid `invalid_input` for a content of more than BODY_CHARS."""
    templates = _templates()
    given = {name: _single_lines(value) for name, value in values.items()}
    filled = templates.get_template(f"{template}.txt").render(given)
    first, _, text = filled.partition("\n")
    subject = " ".join(first.removeprefix(_SUBJECT).split())[:SUBJECT_CHARS]
    page = templates.get_template(f"{template}.html").render({**given, "subject": subject})
    if max(len(text), len(page)) > BODY_CHARS:
        raise Invalid("invalid_input", f"a mail has at most {BODY_CHARS} characters")
    return Written(subject=subject, text=text, html=page)


def _single_lines(value: Value) -> Value:
    """The value without line breaks, so that none of it is taken for another header or line."""
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return _UNFIT.sub(" ", value)
    return [_UNFIT.sub(" ", each) for each in value]


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
