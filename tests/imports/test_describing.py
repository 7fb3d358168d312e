"""The reference of JSON Lines is what the code says."""

import json
from pathlib import Path

import msgspec

from crossdock.imports import describing
from crossdock.imports.jsonl import Line

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
REMEDY = "run: python -m crossdock.imports.describing docs/reference"


def test_the_kept_pages_are_up_to_date():
    assert (FOLDER / "jsonl.md").read_text() == describing.reference(), REMEDY
    assert (FOLDER / "jsonl.schema.json").read_text() == describing.schema(), REMEDY


def test_the_examples_are_read():
    blocks = describing.reference().split("```json\n")[1:]
    long_form = json.loads(blocks[0].split("```")[0])
    assert msgspec.convert(long_form, Line).handle == "mug"


def test_every_meaning_belongs_to_a_field():
    for _, kind in describing._SHOWN:
        assert list(describing.MEANINGS[kind.__name__]) == [
            f.name for f in msgspec.structs.fields(kind)
        ]
