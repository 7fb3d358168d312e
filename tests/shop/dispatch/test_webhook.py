"""Signed orders to a URL."""

import socket

import pytest

from crossdock.errors import Invalid
from crossdock.kit.ids import SeededIds
from crossdock.kit.outbound import Outbound
from crossdock.kit.webhooks import new_secret, secret_bytes, sign
from crossdock.shop.deliveries import Permanent, Retryable
from crossdock.shop.dispatch.webhook import WebhookConnector, WebhookSettings
from tests.shop.dispatch.conftest import make_dispatch_order
from tests.support.simulators.webhook import WebhookReceiver

SECRET = new_secret(SeededIds(1))


@pytest.fixture
def connect(outbound: Outbound, clock):
    def make(url: str, *, secret: str = SECRET) -> WebhookConnector:
        return WebhookConnector(
            WebhookSettings(url=url), secret=secret, outbound=outbound, clock=clock
        )

    return make


@pytest.fixture
async def receiver(clock):
    async with WebhookReceiver(SECRET, now=int(clock.now().timestamp())) as server:
        yield server


def test_the_signature_is_the_one_of_the_specification_s_own_example():
    key = secret_bytes("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign(
        key,
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_a_receiver_that_checks_the_signature_takes_the_order(connect, receiver):
    sent = await connect(receiver.url).send(make_dispatch_order())
    [(message_id, body)] = receiver.messages.items()
    assert (sent.external_id, message_id, receiver.forged) == ("W-1", "dispatch_1_10001", 0)
    assert (body["type"], body["timestamp"]) == ("dispatch.order", "2026-03-02T12:00:00Z")
    data = body["data"]
    assert (data["order_id"], data["partner_order_id"], data["total_minor"]) == (
        10001,
        "PO-1",
        3998,
    )
    assert data["lines"][0]["note"] == "Partner Order ID: PO-1"
    assert data["shipping"]["city"] == "Miami"


async def test_another_secret_is_refused(connect, receiver):
    with pytest.raises(Permanent, match="401"):
        await connect(receiver.url, secret=new_secret(SeededIds(2))).send(make_dispatch_order())
    assert (receiver.forged, receiver.messages) == (1, {})


async def test_attempts_of_one_order_carry_one_id_and_one_body(connect, receiver):
    receiver.moods = ["drop"]
    connector = connect(receiver.url)
    with pytest.raises(Retryable):
        await connector.send(make_dispatch_order())
    await connector.send(make_dispatch_order(may_exist=True))
    assert len(receiver.messages) == 1
    assert len({request.body for request in receiver.requests}) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_these_answers_are_tried_again(connect, receiver, status):
    receiver.moods = [status]
    with pytest.raises(Retryable, match=str(status)):
        await connect(receiver.url).send(make_dispatch_order())


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 403, 404, 405, 410, 413, 422])
async def test_these_answers_wait_for_somebody(connect, receiver, status):
    receiver.moods = [status]
    with pytest.raises(Permanent, match=str(status)):
        await connect(receiver.url).send(make_dispatch_order())
    assert len(receiver.requests) == 1


async def test_a_receiver_that_knows_the_id_already_has_the_order(connect, receiver):
    receiver.moods = [409]
    assert (
        await connect(receiver.url).send(make_dispatch_order())
    ).external_id == "dispatch_1_10001"


@pytest.mark.parametrize(
    ("text", "seconds"), [("120", 120), ("999999", 86400), ("soon", 0), ("-1", 0), ("9" * 5000, 0)]
)
async def test_retry_after_is_listened_to_within_reason(connect, receiver, text, seconds):
    receiver.moods, receiver.headers = [503], {"retry-after": text}
    with pytest.raises(Retryable) as caught:
        await connect(receiver.url).send(make_dispatch_order())
    assert caught.value.retry_after_s == seconds


async def test_a_closed_port_is_tried_again(connect):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(Retryable):
        await connect(f"http://127.0.0.1:{port}/").send(make_dispatch_order())


async def test_a_test_sends_a_signed_message_that_is_no_order(connect, receiver):
    assert "200" in await connect(receiver.url).test()
    assert receiver.messages == {"dispatch_test": {"type": "dispatch.test", "data": {}}}


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!"]
)
def test_a_secret_of_another_form_is_refused(secret):
    with pytest.raises(Invalid):
        secret_bytes(secret)
