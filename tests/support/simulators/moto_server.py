"""moto's server as a process of its own: an S3-compatible store that nobody here wrote.

It checks the signature of every request, for the one key that it gave out.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import obstore
from obstore.store import S3Store

from crossdock.settings.media import MediaSection
from crossdock.shop.media import Store, create_store
from tests.support.processes import ROOT, free_port

PACKAGES = ROOT / ".venv" / "moto"
BUCKET = "pictures"
REGION = "eu-central-1"
_READY_S = 30.0
_MAY_ALL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
}


@dataclass(frozen=True)
class Moto:
    """A running server with a bucket, and the key that may use it."""

    url: str
    key_id: str
    secret: str

    def section(self, *, prefix: str, **other: str) -> MediaSection:
        """Settings that keep media in the bucket, below a prefix; others take their place."""
        settings = {
            "store": "s3",
            "s3_bucket": BUCKET,
            "s3_prefix": prefix,
            "s3_endpoint": self.url,
            "s3_region": REGION,
            "s3_access_key_id": self.key_id,
            "s3_secret_access_key": self.secret,
        }
        return msgspec.convert(settings | other, MediaSection)

    def store(self, *, prefix: str, **other: str) -> Store:
        """The product's store with those settings."""
        settings = self.section(prefix=prefix, **other)
        return create_store(settings, data_path=Path("/nonexistent"))

    async def keys(self, *, prefix: str) -> list[str]:
        """What is in the bucket below a prefix, as its own listing tells it."""
        bucket = S3Store(
            BUCKET, endpoint=self.url, region=REGION, access_key_id=self.key_id,
            secret_access_key=self.secret, client_options={"allow_http": True},
        )  # fmt: skip
        found = await obstore.list(bucket, prefix=prefix).collect_async()
        return sorted(each["path"] for each in found)


@contextlib.contextmanager
def moto_server(folder: Path) -> Iterator[Moto]:
    """The server until the block ends; `folder` gets its log."""
    assert PACKAGES.is_dir(), "moto is not installed: make install-dev"
    port = free_port()
    log = folder / "moto.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            env={**os.environ, "PYTHONPATH": str(PACKAGES)}, stdout=written, stderr=written,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process=process, log=log)
        yield _prepared(url)
    finally:
        process.kill()
        process.wait(_READY_S)


def _prepared(url: str) -> Moto:
    _ask(f"{url}/{BUCKET}", _where(), method="PUT", service="s3", kind="application/xml")
    _act(url, Action="CreateUser", UserName="shop")
    key = _act(url, Action="CreateAccessKey", UserName="shop")
    policy = json.dumps(_MAY_ALL)
    _act(
        url, Action="PutUserPolicy", UserName="shop", PolicyName="all", PolicyDocument=policy
    )  # fmt: skip
    _ask(f"{url}/moto-api/reset-auth", b"0", service="s3", kind="text/plain")
    return Moto(url=url, key_id=_inside("AccessKeyId", key), secret=_inside("SecretAccessKey", key))


def _act(url: str, **fields: str) -> str:
    body = urlencode({"Version": "2010-05-08", **fields}).encode()
    return _ask(url, body, service="iam", kind="application/x-www-form-urlencoded")


def _ask(url: str, body: bytes, *, service: str, kind: str, method: str = "POST") -> str:
    scope = f"AWS4-HMAC-SHA256 Credential=any/20260101/{REGION}/{service}/aws4_request"
    headers = {"Authorization": f"{scope}, SignedHeaders=host, Signature=0", "Content-Type": kind}
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=_READY_S) as answer:
        return str(answer.read().decode())


def _where() -> bytes:
    place = f"<LocationConstraint>{REGION}</LocationConstraint>"
    return f"<CreateBucketConfiguration>{place}</CreateBucketConfiguration>".encode()


def _inside(tag: str, text: str) -> str:
    match = re.search(f"<{tag}>(.*?)</{tag}>", text)
    assert match, text
    return match[1]


def _wait(url: str, *, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while True:
        try:
            urllib.request.urlopen(f"{url}/moto-api/", timeout=_READY_S).close()
        except urllib.error.URLError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return
