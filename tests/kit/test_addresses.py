"""The public internet and nothing else."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.kit.addresses import AllowedHosts, Blocked, check_resolved, is_public, parse_address

PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.0.1", "172.32.0.1", "2606:4700::1111"]


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_let_through(text):
    assert is_public(ipaddress.ip_address(text))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_hidden_in_ipv6_is_never_public(address):
    value = int(address)
    for prefix in (0, 0xFFFF << 32, 0x64FF9B << 96, 0x64FF9B0001 << 80):
        assert not is_public(ipaddress.IPv6Address(prefix | value))
    assert not is_public(ipaddress.IPv6Address((0x2002 << 112) | (value << 80)))


@given(st.ip_addresses(v=4))
def test_what_python_calls_not_global_is_not_public(address):
    if is_public(address):
        assert address.is_global
        assert not address.is_multicast


@pytest.mark.parametrize(
    "text", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "1.2.3.0x4", "1.2.3.4.", ""]
)
def test_numbers_in_disguise_are_no_names(text):
    with pytest.raises(Blocked):
        parse_address(text)


@pytest.mark.parametrize(
    "text", ["example.com", "a1.example", "xn--fiqs8s.example", "my_host", "1a.example."]
)
def test_names_are_names(text):
    assert parse_address(text) is None


def test_one_private_address_among_public_ones_refuses_the_name():
    check_resolved("example.com", ["93.184.216.34", "2606:4700::1111"])
    with pytest.raises(Blocked, match=r"10\.0\.0\.1"):
        check_resolved("example.com", ["93.184.216.34", "10.0.0.1"])


@pytest.mark.parametrize(
    ("entry", "host", "port", "allowed"),
    [
        ("127.0.0.1:9999", "127.0.0.1", 9999, True),
        ("127.0.0.1:9999", "127.0.0.1", 9998, False),
        ("directory.internal", "Directory.Internal", 1234, True),
        ("directory.internal", "x.directory.internal", 80, False),
        ("[::1]:8080", "::1", 8080, True),
        ("::1", "::1", 80, True),
        ("127.0.0.1", "127.0.0.2", 80, False),
    ],
)
def test_an_exception_is_for_one_host(entry, host, port, allowed):
    assert AllowedHosts([entry]).allows(host, port) is allowed
