"""The language of who is answered, and texts in it; English is in the code, the others in catalogues."""

from crossdock.kit.languages.catalogues import FOLDER, english, gettext, lazy, ngettext
from crossdock.kit.languages.choosing import language_for
from crossdock.kit.languages.filters import SPOKEN_FILTERS
from crossdock.kit.languages.refusals import REFUSAL, refusal
from crossdock.kit.languages.spoken import LANGUAGES, chosen, speak, speaking, spoken

__all__ = [
    "FOLDER",
    "LANGUAGES",
    "REFUSAL",
    "SPOKEN_FILTERS",
    "chosen",
    "english",
    "gettext",
    "language_for",
    "lazy",
    "ngettext",
    "refusal",
    "speak",
    "speaking",
    "spoken",
]
