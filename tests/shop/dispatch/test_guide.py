"""What docs/guides/fulfilment.md promises is what the program does."""

import re
from pathlib import Path

from crossdock.kit.ids import SeededIds
from crossdock.kit.webhooks import new_secret, secret_bytes, sign
from crossdock.settings import Settings
from crossdock.shop.deliveries import RETRY_WAITS_S

GUIDE = (Path(__file__).parents[3] / "docs/guides/fulfilment.md").read_text()


def test_the_guide_s_check_of_a_signature_accepts_ours_and_nothing_else():
    [sample] = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    names: dict = {}
    exec(sample, names)
    secret, body = new_secret(SeededIds(1)), b'{"type":"dispatch.order"}'
    signature = sign(secret_bytes(secret), message_id="dispatch_1_2", timestamp=1000, body=body)
    headers = {
        "webhook-id": "dispatch_1_2",
        "webhook-timestamp": "1000",
        "webhook-signature": f"v1,AAAA {signature}",
    }
    assert names["is_genuine"](secret, headers, body, 1300)
    assert not names["is_genuine"](secret, headers, body + b" ", 1300)
    assert not names["is_genuine"](secret, headers, body, 1301)


def test_the_waits_in_the_guide_are_the_settings():
    assert Settings().dispatch.retry_s == RETRY_WAITS_S
    row = next(line for line in GUIDE.splitlines() if line.startswith("| wait |"))
    units = {"min": 60, "h": 3600}
    waits = [int(n) * units[unit] for n, unit in re.findall(r"(\d+) (min|h)", row)]
    assert tuple(waits) == RETRY_WAITS_S
