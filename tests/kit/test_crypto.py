"""Sealing, hashing, comparing, and the master key's file."""

import base64
import multiprocessing
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.errors import Invalid
from crossdock.kit.crypto import (
    SealBroken,
    SecretBox,
    constant_time_equal,
    hash_key,
    load_master_key,
)

OLD, NEW = b"o" * 32, b"n" * 32


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_was_sealed_opens_at_its_place(secret, place):
    box = SecretBox(NEW)
    assert box.open(box.seal(secret, place=place), place=place) == secret


def test_the_same_secret_is_never_sealed_to_the_same_bytes():
    box = SecretBox(NEW)
    assert len({box.seal(b"x", place="a") for _ in range(50)}) == 50


def test_sealed_bytes_do_not_open_at_another_place():
    box = SecretBox(NEW)
    with pytest.raises(SealBroken):
        box.open(box.seal(b"sk_1", place="credential:1"), place="credential:2")


def test_one_changed_bit_anywhere_is_noticed():
    box = SecretBox(NEW)
    sealed = box.seal(b"sk_secret", place="p")
    for bit in range(len(sealed) * 8):
        forged = bytearray(sealed)
        forged[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(SealBroken):
            box.open(bytes(forged), place="p")


@pytest.mark.parametrize("length", range(31))
def test_cut_bytes_are_refused(length):
    box = SecretBox(NEW)
    sealed = box.seal(b"x", place="p")
    with pytest.raises(SealBroken):
        box.open(sealed[:length], place="p")


def test_after_a_rotation_old_secrets_open_and_are_told_apart():
    old = SecretBox(OLD).seal(b"sk_1", place="p")
    rotated = SecretBox(NEW, older=[OLD])
    assert rotated.open(old, place="p") == b"sk_1"
    assert not rotated.is_current(old)
    assert rotated.is_current(rotated.seal(b"sk_1", place="p"))
    with pytest.raises(SealBroken):
        SecretBox(NEW).open(old, place="p")


def test_a_short_master_key_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        SecretBox(b"short")


def test_keys_are_hashed_with_sha256():
    assert hash_key("abc").hex().startswith("ba7816bf8f01cfea")


def test_comparison_takes_text_and_bytes_of_any_length():
    assert constant_time_equal("é", "é".encode())
    assert not constant_time_equal("a", "ab")
    assert not constant_time_equal("\ud800", "x")


def test_the_setting_wins_over_the_file(tmp_path):
    assert load_master_key(base64.b64encode(NEW).decode(), tmp_path) == NEW
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["x", "AAAA", "!" * 44, base64.b64encode(b"a" * 33).decode()])
def test_a_setting_that_is_no_key_is_refused(text, tmp_path):
    with pytest.raises(Invalid):
        load_master_key(text, tmp_path)


def test_the_file_is_made_once_and_readable_by_its_owner_only(tmp_path):
    first = load_master_key("", tmp_path / "data")
    assert load_master_key("", tmp_path / "data") == first
    mode = stat.S_IMODE((tmp_path / "data" / "master.key").stat().st_mode)
    assert (mode, [path.name for path in (tmp_path / "data").iterdir()]) == (0o600, ["master.key"])


def test_a_spoilt_file_is_named(tmp_path):
    (tmp_path / "master.key").write_text("nonsense")
    with pytest.raises(Invalid, match=r"master\.key"):
        load_master_key("", tmp_path)


def _read_key(folder: str) -> bytes:
    return load_master_key("", Path(folder))


def test_processes_that_start_together_agree_on_one_key(tmp_path):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        keys = pool.map(_read_key, [str(tmp_path)] * 16, chunksize=1)
    assert len(set(keys)) == 1


def test_a_keyed_hash_differs_by_key_text_and_purpose():
    box, other = SecretBox(bytes(32)), SecretBox(bytes(31) + b"\1")

    made = box.keyed_hash("ada", purpose="a")

    assert len(made) == 32
    assert made == SecretBox(bytes(32), older=[bytes(31) + b"\1"]).keyed_hash("ada", purpose="a")
    others = (
        other.keyed_hash("ada", purpose="a"),
        box.keyed_hash("bob", purpose="a"),
        box.keyed_hash("ada", purpose="b"),
    )
    assert made not in others
