"""The caller's address: believed from trusted proxies, and from nobody else."""

import pytest

from crossdock.kit.callers import caller_address, caller_network

TRUSTED = ("127.0.0.1", "10.0.0.0/8", "fd00::/8")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        ("198.51.100.9", "", "198.51.100.9"),
        ("198.51.100.9", "203.0.113.1", "198.51.100.9"),
        ("127.0.0.1", "203.0.113.1", "203.0.113.1"),
        ("127.0.0.1", "192.0.2.66, 203.0.113.1", "203.0.113.1"),
        ("127.0.0.1", "203.0.113.1, 10.1.2.3", "203.0.113.1"),
        ("::ffff:10.0.0.1", "203.0.113.1", "203.0.113.1"),
        ("fd00::1", "2001:db8::5", "2001:db8::5"),
        ("127.0.0.1", "203.0.113.1:5000", "203.0.113.1"),
        ("127.0.0.1", "203.0.113.1:5000, 10.1.2.3:443", "203.0.113.1"),
        ("127.0.0.1", "[2001:db8::5]:5000", "2001:db8::5"),
        ("127.0.0.1", "[2001:db8::5]", "2001:db8::5"),
        ("127.0.0.1", "203.0.113.1:, [::1", "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.1, unknown", "127.0.0.1"),
        ("127.0.0.1", " , ,", "127.0.0.1"),
        ("", "203.0.113.1", ""),
    ],
)
def test_the_nearest_address_that_is_no_trusted_proxy_calls(peer, forwarded_for, expected):
    assert caller_address(peer, forwarded_for=forwarded_for, trusted=TRUSTED) == expected


def test_without_trusted_proxies_the_header_means_nothing():
    assert caller_address("127.0.0.1", forwarded_for="203.0.113.1", trusted=()) == "127.0.0.1"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("no address", "no address"),
        ("", ""),
    ],
)
def test_one_customer_is_one_network(address, network):
    assert caller_network(address) == network
