"""The official Stripe library, silenced, over the installation's own client for outgoing calls."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx2
import stripe
from stripe import _util

from crossdock.kit.outbound import Outbound, OutboundError


def create_client(
    outbound: Outbound, *, secret_key: str, api_url: str, timeout: timedelta
) -> stripe.StripeClient:
    """A client that never repeats a request by itself, and tells Stripe nothing about this machine's calls."""
    # At its debug level the library writes whole requests, card numbers among them, to the log, and
    # to stderr where the environment has STRIPE_LOG.
    logging.getLogger("stripe").disabled = True
    _util.STRIPE_LOG = None
    stripe.enable_telemetry = False
    return stripe.StripeClient(
        secret_key,
        base_addresses={"api": api_url.rstrip("/")},
        max_network_retries=0,
        http_client=_Calls(outbound, timeout=timeout),
    )


class _Calls(stripe.HTTPClient):
    """What the library sends through; only its asynchronous calls are there."""

    name = "crossdock"

    def __init__(self, outbound: Outbound, *, timeout: timedelta) -> None:
        super().__init__()
        self._outbound = outbound
        self._timeout = timeout

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One call. Raises APIConnectionError without a complete answer."""
        content = post_data.encode() if isinstance(post_data, str) else post_data
        try:
            self._outbound.check(url, needs_tls=True)  # it carries the key, and a card's number
            answer = await self._outbound.request(
                method.upper(),
                url,
                headers=headers,
                content=content,
                deadline_s=self._timeout.total_seconds(),
            )
        except OutboundError as error:
            raise stripe.APIConnectionError(str(error)) from None  # type: ignore[no-untyped-call]
        return answer.body, answer.status, httpx2.Headers(answer.headers)
