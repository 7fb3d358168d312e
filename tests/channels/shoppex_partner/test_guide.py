"""What the partner's guide states agrees with the code. Generated pages: `make check`."""

import re

from crossdock.channels.shoppex_partner.advice import ADVICE, error_rows
from crossdock.channels.shoppex_partner.errors import WIRE, WIRE_ONLY
from crossdock.channels.shoppex_partner.limits import LIMITS
from crossdock.channels.shoppex_partner.signing import sign_request
from tests.support.processes import ROOT

GUIDE = (ROOT / "docs/channels/shoppex_partner.md").read_text()
_VECTOR = re.compile(r"^(body_hash|message|signature) +(\S+)$", re.MULTILINE)


def test_every_error_on_the_wire_has_advice():
    assert {code for _, code, _ in WIRE.values()} | set(WIRE_ONLY) == set(ADVICE)


def test_the_guide_lists_every_error_with_its_status():
    # What a partner cannot meet: the channel has no operation that moves an order.
    unreachable = {"partner_order_state"}
    for status, code, _, _ in error_rows():
        if code in unreachable:
            continue
        assert f"`{code}`" in GUIDE, code
        row = re.search(rf"^\| (?:(\d+) \| )?`{code}`", GUIDE, re.MULTILINE)
        assert row, code
        title = re.findall(r"^### .*: (\d+)$", GUIDE[: row.start()], re.MULTILINE)
        assert (row[1] or title[-1]) == str(status), code


def test_the_guide_names_every_limit():
    numbers = {
        number for _, limit in LIMITS.fields for number in re.findall(r"[0-9][0-9,]+", limit)
    }

    assert {number for number in numbers if number not in GUIDE} == {"128"}  # keys are given out


def test_the_guides_worked_example_is_what_our_own_code_computes():
    body = re.search(r"^body       (.+)$", GUIDE, re.MULTILINE)
    assert body
    found = _VECTOR.findall(GUIDE)
    for method, nonce, content, place in (
        ("GET", "hello-0001", b"", 0),
        ("POST", "hello-0002", body[1].encode(), 3),
    ):
        call = sign_request(
            key="pk_example_4c1f9a27",
            secret=b"sk_example_9d2b7c4e1f6a8350",
            method=method,
            timestamp=1767225600,
            nonce=nonce,
            body=content,
        )
        named = dict(found[place : place + 3])
        assert named["signature"] == call.headers["X-Shoppex-Signature"]
        assert named["message"].endswith(named["body_hash"])
    assert len(body[1].encode()) == 105
