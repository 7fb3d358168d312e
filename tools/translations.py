"""The texts of pages in other languages: `--write` brings the catalogues up to date, `--check` compares.

Texts are found where templates and code of the folders in SOURCES ask for a translation, and where the core
refuses something. The catalogues keep
their order and their translations; a text that is no longer asked for is dropped.
"""

import argparse
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from crossdock.kit.languages import FOLDER, LANGUAGES, REFUSAL
from tools.refusals import is_template, refusals

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (
    *("src/crossdock/web", "src/crossdock/gate", "src/crossdock/channels"),
    "src/crossdock/shop/mailing",
)
_METHODS = [("**.html", "jinja2"), ("templates/**.txt", "jinja2"), ("**.py", "python")]
_OPTIONS = {"trimmed": "true", "silent": "false"}
_KEYWORDS = {
    "_": None, "gettext": None, "ngettext": (1, 2), "lazy": None, "lazy_many": (1, 2), "english": None,
}  # fmt: skip


def template() -> Catalog:
    """Every text that is asked for, with where it stands."""
    found = Catalog(project="Crossdock", charset="utf-8")
    for source in SOURCES:
        texts = extract_from_dir(
            ROOT / source,
            method_map=_METHODS,
            options_map={name: _OPTIONS for name, method in _METHODS if method == "jinja2"},
            keywords=_KEYWORDS,
        )
        for name, _line, message, _comments, _context in texts:
            found.add(message, locations=[(f"{source}/{name}", 0)])
    for text, path in refusals():
        found.add(text, locations=[(path, 0)], context=REFUSAL if is_template(text) else None)
    return found


def catalogue(language: str) -> Catalog:
    """A language's catalogue, empty if it has none."""
    path = FOLDER / f"{language}.po"
    if not path.exists():
        return Catalog(locale=language, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def written(language: str, texts: Catalog) -> bytes:
    """The catalogue of a language with exactly these texts, as it is to be stored."""
    known = catalogue(language)
    fresh = Catalog(locale=language, charset="utf-8", fuzzy=False)
    for message in sorted((m for m in texts if m.id), key=lambda m: _name(m.id)):
        before = known.get(message.id, message.context)
        fresh.add(
            message.id,
            string=before.string if before else None,
            flags=message.flags,
            user_comments=before.user_comments if before else (),
            context=message.context,
        )
    out = io.BytesIO()
    write_po(out, fresh, width=100, no_location=True, omit_header=True, sort_output=False)
    head = f'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Language: {language}\\n"\n'
    head += f'"Plural-Forms: {fresh.plural_forms}\\n"\n\n'
    return head.encode() + out.getvalue().rstrip(b"\n") + b"\n"


def _name(message_id: str | tuple[str, ...] | list[str]) -> str:
    return message_id if isinstance(message_id, str) else message_id[0]


def untranslated(language: str) -> Iterator[str]:
    """The texts that a catalogue lacks."""
    for message in catalogue(language):
        parts = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
        if message.id and not all(parts):
            yield _name(message.id)


def main() -> int:
    """Write or check; 1 if something is missing or not up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    is_write = parser.parse_args().write
    texts, wrong = template(), 0
    for language in LANGUAGES[1:]:
        path, body = FOLDER / f"{language}.po", written(language, texts)
        if is_write:
            path.write_bytes(body)
        elif not path.exists() or path.read_bytes() != body:
            sys.stderr.write(f"{language}.po: run python -m tools.translations --write\n")
            wrong = 1
        missing = list(untranslated(language))
        sys.stdout.write(f"{language}: {len(missing)} of {len(texts)} texts are not translated\n")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
