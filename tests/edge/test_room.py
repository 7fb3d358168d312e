"""Room for requests: in all, and for one address; a proxy is bounded by the former alone."""

import pytest

from crossdock.edge.room import Room
from crossdock.errors import Unavailable


def refused(room, client):
    with pytest.raises(Unavailable) as error:
        room.enter(client)
    assert (error.value.code, error.value.data) == ("busy", {"retry_after_s": 1})


def test_one_address_has_its_share_and_gets_it_back():
    room = Room(requests_max=10, per_address_max=2)
    first, second, third = [("192.0.2.7", port) for port in (1, 2, 3)]
    room.enter(first)
    room.enter(second)

    refused(room, third)
    room.leave(third)  # was never in
    refused(room, third)
    room.enter(("192.0.2.8", 1))
    room.leave(first)
    room.enter(third)

    assert room.busy == {second, third, ("192.0.2.8", 1)}


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.1.2.3", "::ffff:10.1.2.3", "::ffff:127.0.0.1"]
)
def test_a_proxy_speaks_for_many(address):
    room = Room(requests_max=4, per_address_max=1, proxies=("10.0.0.0/8",))
    for port in range(4):
        room.enter((address, port))

    refused(room, (address, 5))
    refused(room, ("192.0.2.7", 1))


def test_nothing_is_left_of_who_is_gone():
    room = Room(requests_max=4, per_address_max=1)
    for port in range(100):
        room.enter(("192.0.2.7", port))
        room.leave(("192.0.2.7", port))

    assert room.busy == set()
    assert room._by_address == {}
