"""A partner's own server: it takes calls at any path, keeps them, and answers as it is told."""

import asyncio
import base64
import hashlib
import hmac
from typing import Any

from tests.support.simulators.http import HttpSimulator, Outcome, Reply, Request

TAKEN = Reply(200, {"error": ""})


class PartnerServer(HttpSimulator):
    """Answers the `moods` one after another, and after them that it took the call."""

    def __init__(self, *, port: int = 0) -> None:
        super().__init__(self._answer)
        self.port = port
        self.moods: list[Outcome] = []
        self.gate: asyncio.Event | None = None

    @property
    def bodies(self) -> list[Any]:
        """What was sent, in order."""
        return [request.json() for request in self.requests]

    async def _answer(self, request: Request) -> Outcome:
        if self.gate is not None:
            await self.gate.wait()
        return self.moods.pop(0) if self.moods else TAKEN


def is_signed(request: Request, *, secret: str) -> bool:
    """Whether the signature is that of Standard Webhooks, computed as its specification says."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = ".".join((request.headers["webhook-id"], request.headers["webhook-timestamp"]))
    digest = hmac.digest(key, signed.encode() + b"." + request.body, hashlib.sha256)
    return request.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
