"""A receiver of Standard Webhooks that checks every signature by itself.

`moods` holds the answers to the next messages: a status, or 'hang' or 'drop' (the message is kept
and the answer never comes). A message whose id is known already is answered 200 and not kept twice.
"""

import base64
import hashlib
import hmac
import time
from typing import Any

from tests.support.simulators.http import Drop, Hang, HttpSimulator, Outcome, Reply, Request


class WebhookReceiver(HttpSimulator):
    """The other side of a webhook connector, with its own copy of the secret."""

    def __init__(self, secret: str, *, now: int | None = None) -> None:
        super().__init__(self._answer)
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._now = now
        self.moods: list[int | str] = []
        self.headers: dict[str, str] = {}
        self.messages: dict[str, Any] = {}
        self.forged = 0

    async def _answer(self, request: Request) -> Outcome:
        if not self._is_genuine(request):
            self.forged += 1
            return Reply(401, {"error": "bad signature"})
        mood = self.moods.pop(0) if self.moods else 200
        if isinstance(mood, int) and mood >= 300:
            return Reply(mood, {"error": "as told"}, self.headers)
        message_id = request.headers["webhook-id"]
        self.messages.setdefault(message_id, request.json())
        if mood == "hang":
            return Hang()
        return Drop() if mood == "drop" else Reply(200, {"id": f"W-{len(self.messages)}"})

    def _is_genuine(self, request: Request) -> bool:
        message_id = request.headers.get("webhook-id", "")
        timestamp = request.headers.get("webhook-timestamp", "0")
        if abs((self._now or time.time()) - int(timestamp)) > 300:
            return False
        signed = f"{message_id}.{timestamp}.".encode() + request.body
        expected = base64.b64encode(hmac.new(self._key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{expected}" in request.headers.get("webhook-signature", "").split(" ")
