"""Values as clients write them, read exactly and with a bound."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.channels.plumbing import (
    JsonNumber,
    Unreadable,
    as_list,
    read_document,
    read_json,
    whole,
)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("5", 5), ("-5", -5), ("0", 0), ("5.0", 5), ("1970.0", 1970), ("5e0", 5), ("2.0000E1", 20), ("-0.0", 0),
        ('"5"', 5), ('"-5"', -5), ('"2.0000"', 2), ('"007"', 7), ("9007199254740993.0", 9_007_199_254_740_993),
        ("5.5", None), ("2.50", None), ("1e-1", None), ('"2.5"', None), ('"5e0"', None), ('"5."', None), ('".0"', None),
        ('" 5"', None), ('"+5"', None), ('"5,0"', None), ('"٥"', None), ('"0x5"', None), ('""', None), ("true", None),
        ("null", None), ("[5]", None), ("{}", None),
        ("1e999999999", None), ("1e-999999999", None),
        ("0e999999999", None),
        ("1" + "0" * 2_000 + ".0", None), ("1e99999999999999999999999", None),
        ('"' + "9" * 20 + '"', None),
    ],
)  # fmt: skip
def test_whole_numbers(sent, read):
    started = time.process_time()
    found = whole(read_json(sent.encode()))
    assert (found, type(found)) == (read, type(read))
    assert time.process_time() - started < 0.2


@given(st.integers(-(10**18), 10**18), st.integers(0, 20))
def test_any_whole_number_with_any_zeros(number, zeros):
    text = f"{number}.{'0' * zeros}" if zeros else str(number)
    assert whole(text) == number
    assert whole(read_json(text.encode())) == number


def test_a_fraction_stays_the_text_that_was_sent():
    found = read_json(b'{"price": 0.10}')["price"]
    assert isinstance(found, JsonNumber)
    assert found == "0.10"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"1": "a", "3": "b"}, ["a", "b"]),
        ({"10": "b", "9": "a"}, ["a", "b"]),
        ({"0": "a"}, ["a"]),
        ({"-1": "a", "0": "b"}, ["a", "b"]),
        (["a"], ["a"]),
        ([], []),
        ({}, {}),
        ({"1": "a", "b": "c"}, {"1": "a", "b": "c"}),
        ({"01": "a"}, {"01": "a"}),
        ({"٣": "a"}, {"٣": "a"}),
        ("a", "a"),
        (None, None),
    ],
)
def test_lists_that_php_made_objects(sent, read):
    assert as_list(sent) == read


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/x-www-form-urlencoded", ""]
)
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\r\n \t"])
def test_json_is_read_under_the_names_that_clients_give_it(content_type, before):
    assert read_document(before + b'{"a": [1]}', content_type=content_type) == {"a": [1]}


@pytest.mark.parametrize(
    ("body", "content_type", "told"),
    [
        (b'{"a": 1, "a": 2}', "application/json", "repeats a key"),
        (b"a=1&a=2", "application/x-www-form-urlencoded", "twice"),
        (b'{"a": NaN}', "application/json", "not JSON"),
        (b'{"a": "\xff"}', "application/json", "not UTF-8"),
        (b"", "", "not JSON"),
        (b"{}", "text/plain", "neither"),
        (b"<a/>", "application/xml", "neither"),
        (b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1', "multipart/form-data; boundary=B", "cut off"),
    ],
)  # fmt: skip
def test_a_document_that_is_none(body, content_type, told):
    with pytest.raises(Unreadable, match=told):
        read_document(body, content_type=content_type, is_unique=True)


def test_an_ordinary_list_costs_nothing_more():
    """The reader looks at a list's type, not at its entries."""
    entries = json.loads(json.dumps([{"product_id": n, "quantity": 1} for n in range(200)]))
    assert as_list(entries) is entries
