"""Sealing, hashing, comparing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.errors import SealBroken
from crossdock.kit.crypto import SecretBox, constant_time_equal, hash_key

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
    assert not rotated.is_current(old, place="p")
    assert rotated.is_current(rotated.seal(b"sk_1", place="p"), place="p")
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


def test_keys_that_share_an_id_are_told_apart():
    """An id is one byte, so that a new key has the id of the old one now and then."""
    old = SecretBox(OLD).seal(b"x", place="p")
    keys = (bytes([n, m]) * 16 for n in range(256) for m in range(256))
    twin = next(k for k in keys if SecretBox(k).seal(b"", place="")[1] == old[1] and k != OLD)
    box = SecretBox(twin, older=[OLD])

    assert box.open(old, place="p") == b"x"
    assert not box.is_current(old, place="p")


def test_a_change_of_the_keys_counts_from_the_next_call_on():
    news = iter([None, [NEW, OLD], None, None])
    box = SecretBox(OLD, renew=lambda: next(news))

    before, after = box.seal(b"x", place="p"), box.seal(b"x", place="p")

    assert SecretBox(OLD).open(before, place="p") == SecretBox(NEW).open(after, place="p") == b"x"
    assert box.open(before, place="p") == b"x"
    assert (box.older_count, box.is_current(before, place="p")) == (1, False)


def test_what_nothing_opens_has_the_keys_read_again():
    box = SecretBox(OLD, renew=lambda: [NEW, OLD])
    assert box.open(SecretBox(NEW).seal(b"x", place="p"), place="p") == b"x"
    with pytest.raises(SealBroken, match="opens p"):
        box.open(SecretBox(b"l" * 32).seal(b"x", place="p"), place="p")


def test_keyed_hashes_are_those_of_every_key_the_newest_first():
    made = SecretBox(NEW, older=[OLD]).keyed_hashes("ada", purpose="a")
    assert made == [SecretBox(key).keyed_hash("ada", purpose="a") for key in (NEW, OLD)]


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
