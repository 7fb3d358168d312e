"""`crossdock event list` on a terminal..."""

from crossdock.commands.server.events import PAYLOAD_CHARS, shorten


def test_shows_a_short_payload_whole_and_says_how_long_another_is():
    assert shorten('{"x":1}') == '{"x":1}'
    assert shorten("a" * PAYLOAD_CHARS) == "a" * PAYLOAD_CHARS
    shown = shorten("a" * 40_000)
    assert shown == "a" * PAYLOAD_CHARS + " ... (40,000 characters, see --json)"
