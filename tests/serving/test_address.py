"""Where the server says it is."""

import os

import msgspec

from crossdock.serving.address import (
    address_noted_until_end,
    base_url,
    follow_port,
    note_address,
)
from crossdock.settings import Settings


def at(tmp_path, **settings):
    return Settings(data_dir=str(tmp_path), **settings)


def test_is_the_default_without_a_server(tmp_path):
    assert base_url(at(tmp_path)) == "http://127.0.0.1:8000"


def test_follows_the_port_that_is_set(tmp_path):
    assert base_url(at(tmp_path, port=9000)) == "http://127.0.0.1:9000"


def test_is_what_the_running_server_noted(tmp_path):
    note_address(follow_port(at(tmp_path, port=9123)))
    assert base_url(at(tmp_path)) == "http://127.0.0.1:9123"


def test_is_the_public_url_where_one_is_set(tmp_path):
    note_address(follow_port(at(tmp_path, port=9123)))
    assert base_url(at(tmp_path, public_url="https://a.example/")) == "https://a.example"


def test_a_note_of_a_dead_server_does_not_count(tmp_path):
    note = {"pid": 2**22 + 1, "base_url": "http://127.0.0.1:9123"}
    (tmp_path / "server.json").write_bytes(msgspec.json.encode(note))
    assert base_url(at(tmp_path)) == "http://127.0.0.1:8000"


def test_a_broken_note_does_not_count(tmp_path):
    (tmp_path / "server.json").write_text("{")
    assert base_url(at(tmp_path)) == "http://127.0.0.1:8000"


def test_the_note_goes_with_its_server_and_no_other(tmp_path):
    settings = at(tmp_path)
    with address_noted_until_end(settings):
        note_address(settings)
    assert not (tmp_path / "server.json").exists()
    note = {"pid": os.getpid() + 1, "base_url": "http://127.0.0.1:1"}
    with address_noted_until_end(settings):
        (tmp_path / "server.json").write_bytes(msgspec.json.encode(note))
    assert (tmp_path / "server.json").exists()
