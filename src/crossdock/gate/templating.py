"""Templates of pages: everything escaped, in the spoken language, and the frame of pages for a shop's buyers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import jinja2

from crossdock.gate.assets import shared_assets
from crossdock.kit.languages import SPOKEN_FILTERS, gettext, ngettext, spoken

_SHARED: Final = Path(__file__).parent / "templates"
"""`fields.html`, macros for fields with their hints and mistakes, and `buyer.html`, a page with the shop's name."""


def create_templates(folders: Sequence[Path]) -> jinja2.Environment:
    """The templates in these folders, and those that pages share; a value that is missing is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, _SHARED]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(language=spoken, asset=_static)
    made.filters.update(SPOKEN_FILTERS)
    return made


def _static(name: str) -> str:
    """The address of a static file with the hash of its content, so that it is cached for ever."""
    return shared_assets().url(name)
