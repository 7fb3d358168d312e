"""Where the server says it is."""

import os

import msgspec

from crossdock.serving.address import base_url, follow_port, noting_address
from crossdock.settings import Settings

DEFAULT = "http://127.0.0.1:8000"


def at(tmp_path, **settings):
    return Settings().having(data_dir=str(tmp_path), **settings)


def notes(tmp_path):
    return sorted(tmp_path.glob("server-*"))


def test_is_the_default_without_a_server(tmp_path):
    assert base_url(at(tmp_path)) == DEFAULT


def test_is_the_default_without_a_folder(tmp_path):
    assert base_url(at(tmp_path / "nowhere")) == DEFAULT


def test_follows_the_port_that_is_set(tmp_path):
    assert base_url(at(tmp_path, port=9000)) == "http://127.0.0.1:9000"


def test_is_what_the_running_server_noted(tmp_path):
    with noting_address(follow_port(at(tmp_path, port=9123))) as note_address:
        assert base_url(at(tmp_path)) == DEFAULT
        note_address()
        assert base_url(at(tmp_path)) == "http://127.0.0.1:9123"
    assert base_url(at(tmp_path)) == DEFAULT
    assert notes(tmp_path) == []


def test_is_the_public_url_where_one_is_set(tmp_path):
    with noting_address(follow_port(at(tmp_path, port=9123))) as note_address:
        note_address()
        assert base_url(at(tmp_path, public_url="https://a.example/")) == "https://a.example"


def test_is_the_newest_server_s_until_that_ends_whichever_it_is(tmp_path):
    with noting_address(follow_port(at(tmp_path, port=9001))) as note_first:
        note_first()
        os.utime(notes(tmp_path)[0], (1_000_000_000, 1_000_000_000))
        with noting_address(follow_port(at(tmp_path, port=9002))) as note_second:
            note_second()
            assert base_url(at(tmp_path)) == "http://127.0.0.1:9002"
        assert base_url(at(tmp_path)) == "http://127.0.0.1:9001"


def test_is_not_taken_away_by_a_server_that_ends_earlier(tmp_path):
    with noting_address(follow_port(at(tmp_path, port=9002))) as note_second:
        with noting_address(follow_port(at(tmp_path, port=9001))) as note_first:
            note_first()
            note_second()
        assert base_url(at(tmp_path)) == "http://127.0.0.1:9002"


def test_is_not_what_nobody_stands_by_any_more(tmp_path):
    left = tmp_path / "server-left.json"
    left.write_bytes(msgspec.json.encode({"pid": os.getpid(), "base_url": "http://127.0.0.1:9123"}))
    assert base_url(at(tmp_path)) == DEFAULT
    with noting_address(at(tmp_path)) as note_address:
        note_address()
        assert not left.exists()


def test_is_not_what_cannot_be_read(tmp_path):
    with noting_address(follow_port(at(tmp_path, port=9123))) as note_address:
        note_address()
        notes(tmp_path)[0].write_text("{")
        assert base_url(at(tmp_path)) == DEFAULT
