"""A door that needs no key, seen from its callers' addresses..."""

import pytest

from crossdock.errors import Unavailable


def call(path="/open/x", *, peer="198.51.100.1", forwarded=""):
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return {"type": "http", "path": path, "client": (peer, 5000), "headers": headers}


def test_is_counted_for_an_address_and_everything_below_it(guests):
    assert [guests.take(call(path)).left for path in ("/open", "/open/", "/open/a/b")] == [2, 1, 0]
    with pytest.raises(Unavailable) as refused:
        guests.take(call("/open/c"))
    assert (refused.value.code, refused.value.data["retry_after_s"]) == ("rate_limited", 20)
    assert guests.take(call(peer="198.51.100.2")).left == 2


def test_is_counted_for_the_network_of_an_ipv6_address(guests):
    for last in "123":
        guests.take(call(peer=f"2001:db8::{last}"))
    with pytest.raises(Unavailable):
        guests.take(call(peer="2001:db8::4"))


def test_is_counted_for_whom_a_trusted_proxy_names(guests):
    through = [call(peer="192.0.2.1", forwarded=f"198.51.100.{n}") for n in range(5)]
    assert {guests.take(each).left for each in through} == {2}
    lies = [call(peer="203.0.113.1", forwarded=f"198.51.100.{n}") for n in range(3)]
    assert [guests.take(each).left for each in lies] == [2, 1, 0]


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "192.0.2.1"])
def test_is_not_counted_for_who_speaks_for_many(guests, peer):
    assert [guests.take(call(peer=peer)) for _ in range(9)] == [None] * 9


@pytest.mark.parametrize("path", ["/", "/opened", "/other/open", "/v3/open"])
def test_is_no_other_path(guests, path):
    assert [guests.take(call(path)) for _ in range(9)] == [None] * 9
