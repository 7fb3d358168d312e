"""A bucket of an S3-compatible store that is busy, or breaks the connection, for so many requests.

What such a store accepts and answers is tried against moto's server, which never fails like this.
"""

import hashlib

from tests.support.simulators.http import Drop, HttpSimulator, Outcome, Reply, Request


class FailingBucket:
    """Keeps and gives objects; the next `drops` requests get no answer, `fails` after them 503."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.fails = 0
        self.drops = 0
        self.server = HttpSimulator(self._answer)

    async def _answer(self, request: Request) -> Outcome:
        if self.drops:
            self.drops -= 1
            return Drop()
        if self.fails:
            self.fails -= 1
            return Reply(503)
        if request.method == "PUT":
            self.objects[request.path] = request.body
        body = self.objects[request.path]
        headers = {
            "etag": f'"{hashlib.md5(body).hexdigest()}"',
            "last-modified": "Mon, 02 Mar 2026 12:00:00 GMT",
        }
        return Reply(200, body if request.method == "GET" else b"", headers=headers)
