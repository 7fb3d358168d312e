"""The signatures of webhooks (spec section 11.5)..."""

from datetime import UTC, datetime

from crossdock.channels.shoppex_reseller.signatures import HIDDEN, sign
from crossdock.shop.webhooks import Attempt

SECRET, DELIVERY, AT = "whsec_test_secret", "whd_abc123", 1_773_504_000
BODY = b'{"event":"order:paid","data":{"uniqid":"inv_1"}}'
DIGEST = "7ac5da87925f306f98bfc30250c801ca86eb8dd2d10aec9c2c30f0722c0d4662"
LEGACY = (
    "3e6aeb6d40fcd58a7098b5eac39b6993835951fc6921a54aa260331fc3a859b6"
    "d9b8f088d5e54cfe1c8fe90163a67eea8c1637e40f093da32438369296744c80"
)


def test_are_those_of_the_published_vector():
    headers = sign(
        Attempt(
            secret=SECRET,
            delivery_id=DELIVERY,
            name="order:paid",
            body=BODY,
            now=datetime.fromtimestamp(AT, UTC),
        )
    )
    assert headers == {
        "Content-Type": "application/json",
        "User-Agent": "Shoppex-Webhook/1.0",
        "X-Shoppex-Event": "order:paid",
        "X-Shoppex-Delivery": DELIVERY,
        "X-Shoppex-Timestamp": str(AT),
        "X-Shoppex-Signature-V2": f"v1,t={AT},h={DIGEST}",
        "X-Shoppex-Signature-V2-Algorithm": "HMAC-SHA256",
        "X-Shoppex-Signature": LEGACY,
        "X-Shoppex-Unescaped-Signature": LEGACY,
    }
    assert {name for name in headers if "signature" in name.lower()} - {
        "X-Shoppex-Signature-V2-Algorithm"
    } == {name for name in headers if name.lower() in HIDDEN}
