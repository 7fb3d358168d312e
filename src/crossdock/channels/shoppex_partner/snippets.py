"""Signed requests as shell commands, using openssl and curl only (spec 2.3).

README, the guide and `crossdock run` print these texts, and tests run them.
"""

import json

from crossdock.channels.shoppex_partner.explain import ROUTES

_SIGN_AND_SEND = """\
eval "$({command} demo credentials --shell)"
route={route} timestamp=$(date +%s) nonce=$(openssl rand -hex 16)
{body}
hash=$(printf %s "$body" | openssl dgst -sha256 -r | cut -c 1-64)
signature=$(printf '{method}\\n%s\\n%s\\n%s\\n%s' $route $timestamp $nonce $hash |
  openssl dgst -sha256 -hmac "$shoppex_partner_secret" -r | cut -c 1-64)
curl -sS "$base_url/wp-json$route" -H "Content-Type: application/json" \\
  -H "X-Shoppex-Key: $shoppex_partner_key" -H "X-Shoppex-Timestamp: $timestamp" \\
  -H "X-Shoppex-Nonce: $nonce" -H "X-Shoppex-Signature: $signature"{data}
"""


def list_products(*, command: str) -> str:
    """A shell command that lists the demo partner's products; `command` starts crossdock."""
    return _SIGN_AND_SEND.format(
        command=command, method="GET", route=ROUTES["GET"], body="body=", data=""
    )


def create_order(*, command: str, product_id: int) -> str:
    """A shell command that orders one unit; it creates a new order each time."""
    order = {"items": [{"product_id": product_id, "quantity": 1}], "id_order_partner": "PO-"}
    body = json.dumps(order).removesuffix('"}') + "'$nonce'\"}"
    return _SIGN_AND_SEND.format(
        command=command,
        method="POST",
        route=ROUTES["POST"],
        body=f"body='{body}'",
        data=' \\\n  --data-binary "$body"',
    )
