"""Files as they come: packed, damaged, too good to be true, in several encodings."""

import gzip
import io
import zipfile

import pytest
import zstandard

from crossdock.imports.encodings import detect_encoding
from crossdock.imports.items import Unreadable
from crossdock.imports.opening import open_source

TEXT = b'{"sku": "a", "name": "A"}\n' * 100


def zipped(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return buffer.getvalue()


def read(path):
    with open_source(path) as source:
        return source.stream.read()


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        gzip.compress(TEXT, mtime=0),
        zstandard.compress(TEXT),
        zipped("a.csv"),
        zipped("a.csv", "__MACOSX/a.csv"),
    ],
    ids=["plain", "gzip", "zstd", "zip", "zip of a Mac"],
)
def test_content_is_unpacked_by_what_it_is(tmp_path, content):
    path = tmp_path / "file.dat"
    path.write_bytes(content)
    assert read(path) == TEXT


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zipped("a.csv", "b.csv"), "2 files"),
        (gzip.compress(TEXT, mtime=0)[:-9], "damaged"),
        (zstandard.compress(TEXT)[:-3] + b"xyz", "damaged"),
        (b"PK\x03\x04garbage", "zip"),
    ],
)
def test_a_damaged_file_is_unreadable(tmp_path, content, reason):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=reason):
        read(path)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_a_bomb_stops_at_the_bound(tmp_path, pack):
    path = tmp_path / "bomb"
    path.write_bytes(pack(b"\0" * (100 * 2**20)))
    with pytest.raises(Unreadable, match="250 times"):
        read(path)


def test_what_is_not_there_is_unreadable(tmp_path):
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(Unreadable):
            read(path)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"plain", "utf-8"),
        ("é".encode() * 200_000, "utf-8"),
        (b"\xef\xbb\xbfx", "utf-8-sig"),
        ("abc".encode("utf-16"), "utf-16"),
        ("abcdef".encode("utf-16-be"), "utf-16-be"),
        ("Größe".encode("cp1252"), "cp1252"),
        (b"", "utf-8"),
    ],
)
def test_the_encoding_is_found_by_the_first_bytes(content, encoding):
    assert detect_encoding(io.BufferedReader(io.BytesIO(content), 2**18)) == encoding


@pytest.mark.parametrize("content", ["a".encode("utf-32"), bytes(100)])
def test_what_is_no_text_is_unreadable(content):
    with pytest.raises(Unreadable):
        detect_encoding(io.BufferedReader(io.BytesIO(content), 2**18))
