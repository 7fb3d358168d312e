"""Every field and parameter of every channel's OpenAPI document says what it means."""

import json
from pathlib import Path
from typing import Any

import pytest

from crossdock.channels.plumbing.describing import ANYWHERE, Place, described, fields_of, read_words
from crossdock.channels.registry import CHANNELS
from tests.support.processes import ROOT

NAMES = [name.rpartition(".")[2] for name in CHANNELS]


@pytest.mark.parametrize("channel", NAMES)
def test_every_field_is_described(channel: str):
    document = json.loads((ROOT / f"docs/reference/openapi/{channel}.json").read_text())
    found = list(fields_of(document))

    assert found
    assert not {
        f"{place.operation}: {place.field}.{name}"
        for place, name, schema in found
        if not schema.get("description")
    }


@pytest.mark.parametrize("channel", NAMES)
def test_every_description_is_used(channel: str):
    document = json.loads((ROOT / f"docs/reference/openapi/{channel}.json").read_text())
    words = read_words(ROOT / "src/crossdock/channels" / channel)
    used = {place.text(words, name) for place, name, _ in fields_of(document)}

    assert not {
        f"{table}.{name}"
        for table, texts in words.items()
        for name, text in texts.items()
        if text not in used
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fields.toml").write_text(
        f'[{ANYWHERE}]\nid = "An id."\nname = "A name."\n[Toy]\nid = "The toy\'s id."\n[maker]\nname = "Who made it."\n'
    )
    return tmp_path


def test_the_field_around_it_and_the_operation_precede(folder: Path):
    words = read_words(folder)

    assert Place(operation="getToy").text(words, "id") == "The toy's id."
    assert Place(operation="getToy", field="maker").text(words, "name") == "Who made it."
    assert Place(operation="getShop").text(words, "id") == "An id."
    assert Place().text(words, "unknown") == ""


def test_a_description_of_the_document_itself_is_kept(folder: Path):
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"id": {"type": "string"}, "name": {"description": "Mine."}},
    }
    operation = {
        "operationId": "getToy",
        "parameters": [{"name": "id", "in": "path", "schema": {}}],
        "schema": schema,
    }

    made = described(lambda: {"get": operation}, beside=str(folder / "building.py"))()

    assert made["get"]["parameters"][0]["description"] == "The toy's id."
    assert made["get"]["schema"]["properties"]["id"]["description"] == "The toy's id."
    assert made["get"]["schema"]["properties"]["name"]["description"] == "Mine."
    assert "description" not in schema["properties"]["id"]
