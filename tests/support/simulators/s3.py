"""A bucket of an S3-compatible store: objects by key, only for requests signed with its key.

Checks Signature Version 4 as Amazon's documentation describes it, over the path, the query, the signed
headers and the body.
"""

import hashlib
import hmac
import re
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from tests.support.simulators.http import Drop, HttpSimulator, Outcome, Reply, Request

KEY_ID = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
_CREDENTIAL = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?"
    r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})"
)


class Bucket:
    """Objects of one bucket; `fails` answers the next requests with 503."""

    def __init__(self, name: str = "pictures", *, region: str = "eu-central-1") -> None:
        self.name = name
        self.region = region
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
        if not self._is_signed(request):
            return _error(403, "SignatureDoesNotMatch")
        key = unquote(request.path).removeprefix(f"/{self.name}/")
        if request.method == "PUT":
            self.objects[key] = request.body
            return Reply(200, headers={"etag": _tag(request.body)})
        if request.method == "DELETE":
            self.objects.pop(key, None)
            return Reply(204)
        body = self.objects.get(key)
        if body is None:
            return Reply(404) if request.method == "HEAD" else _error(404, "NoSuchKey")
        return Reply(200, body if request.method == "GET" else b"", headers=_facts(body))

    def _is_signed(self, request: Request) -> bool:
        match = _CREDENTIAL.fullmatch(request.headers.get("authorization", ""))
        if match is None or match[1] != KEY_ID or match[3] != self.region:
            return False
        content = request.headers["x-amz-content-sha256"]
        if content not in {hashlib.sha256(request.body).hexdigest(), "UNSIGNED-PAYLOAD"}:
            return False
        parts = urlsplit(request.target)
        query = sorted(parse_qsl(parts.query, keep_blank_values=True))
        signed = [
            request.method,
            parts.path,
            "&".join(
                f"{quote(name, safe='-_.~')}={quote(text, safe='-_.~')}" for name, text in query
            ),
            *(f"{name}:{request.headers[name].strip()}" for name in match[4].split(";")),
            "",
            match[4],
            content,
        ]
        scope = f"{match[2]}/{self.region}/s3/aws4_request"
        digest = hashlib.sha256("\n".join(signed).encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{request.headers['x-amz-date']}\n{scope}\n{digest}"
        key = f"AWS4{SECRET}".encode()
        for word in (match[2], self.region, "s3", "aws4_request", text):
            key = hmac.digest(key, word.encode(), "sha256")
        return hmac.compare_digest(key.hex(), match[5])


def _facts(body: bytes) -> dict[str, str]:
    return {
        "etag": _tag(body),
        "last-modified": "Mon, 02 Mar 2026 12:00:00 GMT",
        "content-length": str(len(body)),
        "content-type": "application/octet-stream",
    }


def _tag(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'


def _error(status: int, code: str) -> Reply:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode()
    return Reply(status, body, headers={"content-type": "application/xml"})
