"""Every channel keeps the promises of a channel."""

import json
import re

import httpx2
import pytest

from crossdock.channels.contract import Channel
from crossdock.channels.registry import CHANNELS, create_channels, default_settings
from crossdock.compose import Services
from crossdock.db.runtime import create_runtime
from crossdock.errors import (
    ERROR_CODES,
    Conflict,
    CrossdockError,
    DatabaseUnavailable,
    OutcomeUnknown,
    StorageFull,
    Unavailable,
)
from tests.support.processes import ROOT

NAMES = [name.rpartition(".")[2] for name in CHANNELS]
METHODS = ("GET", "POST")
LEAKS = re.compile(
    r"Traceback|File \"|\.py\b|psycopg|crossdock\.|line \d+|select .* from", re.IGNORECASE
)


@pytest.fixture(scope="module")
def channels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Channel]:
    """Every channel as the server builds it; nothing is opened."""
    folder = tmp_path_factory.mktemp("channels")
    settings = default_settings().having(
        database_url="postgresql://nobody@127.0.0.1:1/none", data_dir=str(folder)
    )
    made = create_channels(Services(create_runtime(settings)))
    return {channel.name: channel for channel in made}


@pytest.fixture(params=NAMES)
def channel(request: pytest.FixtureRequest, channels: dict[str, Channel]) -> Channel:
    return channels[request.param]


def test_every_registered_channel_is_built_under_its_own_name(channels: dict[str, Channel]):
    assert list(channels) == NAMES
    folders = {p.parent.name for p in (ROOT / "src/crossdock/channels").glob("*/__init__.py")}
    assert set(NAMES) <= folders


def test_no_two_channels_claim_one_path(channels: dict[str, Channel]):
    claimed = [path for channel in channels.values() for path in channel.paths]
    assert len(claimed) == len(set(claimed))
    assert all(path.startswith("/") and path == path.rstrip("/") for path in claimed)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("code", ERROR_CODES)
def test_every_core_code_has_an_answer(channel: Channel, code: str, method: str):
    """The map is total: whatever the core refuses, the channel can say it."""
    answer = channel.render_error(CrossdockError(code), method)
    assert 400 <= answer.status <= 599
    assert answer.body
    assert not LEAKS.search(answer.body.decode())
    if "json" in answer.content_type:
        json.loads(answer.body)


@pytest.mark.parametrize("code", ERROR_CODES)
def test_only_faults_are_told_as_faults(channel: Channel, code: str):
    answer = channel.render_error(CrossdockError(code), "POST")
    unavailable = {
        *("database_unavailable", "outcome_unknown", "storage_full"),
        *("busy", "payment_unsettled", "search_unavailable", "media_unavailable"),
    }
    is_fault = code in {"internal", *unavailable}
    assert (answer.status >= 500) is is_fault


@pytest.mark.parametrize(
    "error",
    [
        DatabaseUnavailable(),
        OutcomeUnknown(),
        StorageFull(),
        Unavailable("busy", data={"retry_after_s": 7}),
        Unavailable("rate_limited"),
    ],
    ids=lambda error: error.code,
)
def test_who_must_come_again_is_told_when(channel: Channel, error: CrossdockError):
    headers = {k.lower(): v for k, v in channel.render_error(error, "GET").headers.items()}
    wanted = error.data.get("retry_after_s")
    assert int(headers["retry-after"]) == (wanted or int(headers["retry-after"])) > 0


def test_an_error_gives_away_no_more_of_its_data_than_the_channel_knows(channel: Channel):
    data = {"internal_note": "cost price 7.77", "sql": "select 1", "secret": "sk_live_1234567890"}
    for error in (CrossdockError("internal", data=data), Conflict("exists", data=data)):
        body = channel.render_error(error, "POST").body.decode()
        assert not any(value in body for value in data.values())


async def test_an_unknown_path_gets_the_channels_own_404(server, channel: Channel):
    async with httpx2.AsyncClient(base_url=server.url, trust_env=False, verify=False) as http:
        for prefix in channel.paths:
            for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
                reply = await http.request(method, f"{prefix}/there/is/nothing/here")
                assert reply.status_code in {404, 405}, (method, prefix)
                assert reply.headers["x-request-id"]
                assert reply.headers["x-content-type-options"] == "nosniff"
                assert not LEAKS.search(reply.text)
                assert not [n for n in reply.headers if n.startswith("access-control-")]


async def test_garbage_never_makes_a_channel_fail(server, channel: Channel):
    """A handful of shapes; the fuzzing proper is a proof claim."""
    bodies = [b"", b"{", b"\xff\xfe\x00", b"[" * 5000, b"null", b"a=1&b=%zz", b"\x00" * 100]
    types = [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "",
        "text/xml",
    ]
    async with httpx2.AsyncClient(base_url=server.url, trust_env=False, verify=False) as http:
        for prefix in channel.paths:
            for path in (
                prefix,
                prefix + "/",
                prefix + "/%00",
                prefix + "/..%2f..%2fetc/passwd",
                prefix + "/" + "x" * 4000,
            ):
                for number, body in enumerate(bodies):
                    headers = {
                        "Content-Type": types[number % len(types)],
                        "Authorization": "Bearer x",
                    }
                    for method in METHODS:
                        reply = await http.request(method, path, content=body, headers=headers)
                        assert reply.status_code < 500, (method, path, body)
                        assert reply.headers["x-request-id"]
                        assert not LEAKS.search(reply.text)


async def test_a_callers_request_id_is_kept_when_it_is_one(server, channel: Channel):
    async with httpx2.AsyncClient(base_url=server.url, trust_env=False, verify=False) as http:
        for sent, kept in (
            ("partner-req-0001", True),
            ("not an id!", False),
            ("x", False),
            ("x" * 500, False),
        ):
            reply = await http.get(channel.paths[0], headers={"X-Request-Id": sent})
            assert (reply.headers["x-request-id"] == sent) is kept


def test_the_openapi_document_says_what_the_channel_is(channel: Channel):
    if channel.openapi is None:
        pytest.skip("this channel has no OpenAPI document")
    document = channel.openapi()
    assert document["openapi"].startswith("3.")
    assert document["paths"]
    for path, operations in document["paths"].items():
        assert any(path.startswith(prefix) for prefix in channel.paths)
        for operation in operations.values():
            assert operation["operationId"]
            assert operation["summary"]
            assert operation["responses"]
