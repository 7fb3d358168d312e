"""No socket is opened to anything but a public address."""

import sys
from collections.abc import Sequence
from typing import Any

import pytest

from crossdock.kit.outbound import Outbound, Refused, Unreachable
from tests.support.nasty_urls import NAMED, NASTY

_opened: list[tuple[Any, ...]] = []
_is_listening = False


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _is_listening and event in {"socket.connect", "socket.sendto"}:
        _opened.append(args)
        raise OSError("this test lets nothing out")


sys.addaudithook(_hook)


@pytest.fixture
def opened():
    """What the interpreter itself reports of connecting sockets during the test."""
    global _is_listening  # noqa: PLW0603 - an audit hook cannot be taken off again
    _opened.clear()
    _is_listening = True
    yield _opened
    _is_listening = False


async def _resolve(host: str, _port: int) -> Sequence[str]:
    return NAMED.get(host, [host.strip("[]")])


def test_the_table_is_long_enough():
    assert len(set(NASTY)) + len(NAMED) >= 90


@pytest.mark.parametrize("url", NASTY)
async def test_nasty_urls_open_no_socket(url, opened):
    client = Outbound(resolver=_resolve)
    with pytest.raises(Refused):
        await client.request("GET", url)
    assert opened == []
    await client.close()


@pytest.mark.parametrize("name", NAMED)
async def test_names_of_private_addresses_open_no_socket(name, opened):
    client = Outbound(resolver=_resolve)
    with pytest.raises(Refused):
        await client.request("POST", f"http://{name}/hook", content=b"{}")
    assert opened == []
    await client.close()


async def test_a_name_that_turns_private_after_the_first_look_is_refused_at_connect(opened):
    answers = iter([["127.0.0.1"]])

    async def rebinding(_host: str, _port: int) -> Sequence[str]:
        return next(answers)

    client = Outbound(resolver=rebinding)
    assert client.check("http://rebind.example/").host == "rebind.example"
    with pytest.raises(Refused, match=r"127\.0\.0\.1"):
        await client.request("GET", "http://rebind.example/")
    assert opened == []
    await client.close()


async def test_the_name_is_resolved_once_and_the_socket_goes_to_the_checked_address(opened):
    asked = []

    async def resolver(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["1.1.1.1"] if len(asked) == 1 else ["127.0.0.1"]

    client = Outbound(resolver=resolver)
    with pytest.raises(Unreachable):
        await client.request("GET", "http://rebind.example/")
    assert asked == ["rebind.example"]
    assert [args[1] for args in opened] == [("1.1.1.1", 80)]
    await client.close()
