"""An opaque id..."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.kit.opaque import LENGTH, OpaqueIds, OpaqueUuids

IDS = OpaqueIds(bytes(range(16)))
OTHERS = OpaqueIds(bytes(range(1, 17)))
numbers = st.tuples(st.integers(0, 255), st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1))


@given(numbers)
def test_is_read_back_under_its_key_alone(number):
    written = IDS.encode(*number)
    assert (len(written), written.isalnum(), written.isascii()) == (LENGTH, True, True)
    assert IDS.decode(written) == number
    assert OTHERS.decode(written) is None


def test_is_the_same_for_ever():
    assert IDS.encode(1, 1001) == "7M6Gwum62CJhMlXiXZcDCv"


def test_of_neighbours_differs_nearly_everywhere():
    first, second = IDS.encode(1, 1), IDS.encode(1, 2)
    assert sum(a == b for a, b in zip(first, second, strict=True)) < 6


@pytest.mark.parametrize("number", range(3))
def test_with_another_character_is_none(number):
    written = IDS.encode(1, 7)
    for character in "0aZ":
        changed = written[:number] + character + written[number + 1 :]
        assert changed == written or IDS.decode(changed) is None


@given(st.text(max_size=30))
def test_is_never_a_text_that_was_not_encoded(text):
    assert IDS.decode(text) is None


@pytest.mark.parametrize("text", ["", "z" * 22, "0" * 22, "é" * 22, "-" * 22, "0" * 21, "0" * 23])
def test_is_none_of_these(text):
    assert IDS.decode(text) is None


UUIDS = OpaqueUuids(bytes(range(16)))


@given(st.integers(0, 255), st.integers(0, 2**63 - 1))
def test_that_is_a_uuid_is_read_back_under_its_key_alone(kind, number):
    written = UUIDS.encode(kind, number)
    assert (str(UUID(written)), UUID(written).version) == (written, 4)
    assert UUIDS.decode(written) == UUIDS.decode(written.upper()) == (kind, number)
    assert OpaqueUuids(bytes(range(1, 17))).decode(written) is None


def test_that_is_a_uuid_is_the_same_for_ever():
    assert UUIDS.encode(2, 1001) == "517c1bff-6d06-477b-934f-5eb68d996145"


@given(st.one_of(st.text(max_size=40), st.uuids(version=4).map(str)))
def test_that_is_a_uuid_is_never_a_text_that_was_not_encoded(text):
    assert UUIDS.decode(text) is None
