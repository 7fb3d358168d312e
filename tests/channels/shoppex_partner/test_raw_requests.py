"""A pasted request ..."""

import pytest

from crossdock.channels.shoppex_partner.raw_requests import parse_request

PASTED = "POST /wp-json/orders HTTP/1.1\r\nContent-Length: {}\r\n\r\n{{}}\n"


def test_loses_what_an_editor_appended_to_its_body() -> None:
    assert parse_request(PASTED.format(2).encode()).body == b"{}"


@pytest.mark.parametrize("length", ["", "-2", "two", "²", "9" * 5000])
def test_keeps_its_whole_body_where_the_length_is_no_number(length: str) -> None:
    assert parse_request(PASTED.format(length).encode("latin-1")).body == b"{}\n"
