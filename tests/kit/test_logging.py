"""Logs: nothing secret is written, whichever way it comes."""

import io
import json
import logging
import re

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from crossdock.kit.logging import (
    _SECRET_TEXT,
    HIDDEN,
    _hide_match,
    configure_logging,
    log_request,
    redact,
    redact_text,
)

PIECES = st.sampled_from(
    [
        *(
            "pk_",
            "SK_",
            "shx_",
            "shr_",
            "whsec_",
            "WhSec_",
            "://",
            "bearer ",
            "Basic ",
            "password=",
            "passwd: ",
        ),
        *(
            "client_secret=",
            "token: ",
            "api_key=",
            "apikey=",
            "signature=",
            "ſecret=",
            "toKen=",
            "ıd",
            "é",
        ),
        *(
            "4111 1111 1111 1111",
            "4111111111111111",
            "5",
            "41-11",
            "0123456789abcdef",
            "ab" * 32,
            "a",
            "user:word@",
        ),
        *(" ", "/", "-", "&", '"', "'", "abcdefgh", "ABCDEFGHIJ", "x" * 30),
    ]
)

TIME = re.compile(r"[0-9-]{10}T[0-9:.]+Z")
SECRET = "sk_" + "a1B2c3D4" * 6


@pytest.fixture
def stream():
    stream = io.StringIO()
    configure_logging(level="debug", format="json", stream=stream)
    yield stream
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()
    logging.getLogger().setLevel(logging.WARNING)


def written(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    "name",
    ["secret", "client_secret", "token", "accesstoken", "password", "Authorization", "cookie",
     "signature", "X-Signature", "api_key", "apiKey", "card_number", "cvv", "cvc",
     "security_code", "serial", "license_key", "master_key", "sealed"],
)  # fmt: skip
def test_a_field_is_hidden_for_its_name_at_any_depth(name):
    event = redact(None, "info", {"event": "x", name: "1", "inner": [{"deep": {name: "2"}}]})

    assert event[name] == HIDDEN
    assert event["inner"] == [{"deep": {name: HIDDEN}}]


@pytest.mark.parametrize(
    "text",
    [
        f"key {SECRET} used",
        "pk_abcdefgh12345678",
        "shx_abcdefgh12345678",
        "Authorization: Bearer abcdefgh.ijkl-mnop",
        "https://user:hunter22@db.example/x",
        "postgresql://crossdock:hunter22@db/shop",
        "GET /x?token=hunter22&page=2",
        "accesstoken: hunter22",
        "GET /x?api_key=hunter22",
        '{"order_password": "hunter22"}',
        '{"password": "hunter22"}',
        "signature=" + "0f" * 32,
        "hmac " + "0f" * 64,
        "card 4242 4242 4242 4242 declined",
        "card 4242424242424242",
    ],
)
def test_a_text_is_cleaned_of_what_looks_like_a_secret(text):
    cleaned = redact_text(text)

    assert HIDDEN in cleaned
    for part in (SECRET, "abcdefgh", "hunter22", "0f0f", "4242"):
        assert part not in cleaned


@pytest.mark.parametrize(
    "text",
    ["order 10001 placed", "GTIN 00012345678905", "2026-03-02T12:00:00.000000Z", "4242424242424241",
     "https://shop.example/a@b", "tokens are counted", "5cda01a", "partner_order_id PO-2026-1"],
)  # fmt: skip
def test_an_innocent_text_stays(text):
    assert redact_text(text) == text


@given(st.lists(PIECES, max_size=12).map("".join))
def test_a_text_that_is_passed_over_is_one_that_the_pattern_leaves_as_it_is(text):
    assert redact_text(text) == (_SECRET_TEXT.sub(_hide_match, text) if len(text) >= 9 else text)


def test_numbers_flags_and_nothing_keep_their_type():
    event = {"event": "x", "ms": 1.5, "status": 200, "ok": True, "none": None, "token": None}

    assert redact(None, "info", dict(event)) == event


def test_records_of_structlog_are_one_json_object_a_line(stream):
    structlog.get_logger("t").info("order placed", order=10001, api_key=SECRET)

    (record,) = written(stream)
    assert record["event"] == "order placed"
    assert record["order"] == 10001
    assert record["level"] == "info"
    assert record["api_key"] == HIDDEN
    assert record["time"].endswith("Z")


def test_records_of_the_standard_library_take_the_same_way(stream):
    logging.getLogger("somebody.else").warning("called with %s", SECRET)

    (record,) = written(stream)
    assert record["event"] == f"called with {HIDDEN}"
    assert record["level"] == "warning"


@pytest.mark.parametrize("name", ["fontTools.subset", "fpdf.output", "PIL.Image", "httpx2"])
def test_libraries_are_heard_from_a_warning_on(stream, name):
    logging.getLogger(name).info("Glyph names: ['K', 'e', 'r', 'k']")
    logging.getLogger(name).warning("broken")

    assert [record["event"] for record in written(stream)] == ["broken"]


def test_a_traceback_is_cleaned_too(stream):
    try:
        raise RuntimeError(f"cannot use {SECRET}")
    except RuntimeError:
        structlog.get_logger("t").exception("failed")

    (record,) = written(stream)
    assert "RuntimeError: cannot use" in record["exception"]
    assert SECRET not in stream.getvalue()


def test_values_bound_to_a_request_are_in_every_record(stream):
    with structlog.contextvars.bound_contextvars(request_id="r-12345678", token="hunter22"):
        structlog.get_logger("t").info("one")

    (record,) = written(stream)
    assert (record["request_id"], record["token"]) == ("r-12345678", HIDDEN)


def test_less_grave_records_are_left_out():
    stream = io.StringIO()
    configure_logging(level="warning", format="console", stream=stream)
    try:
        structlog.get_logger("t").info("quiet")
        structlog.get_logger("t").warning("loud")
    finally:
        structlog.reset_defaults()
        logging.getLogger().handlers.clear()

    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize(
    "path", ["/plain", "/a b", "/x?token=hunter22", "/key/pk_abcdefgh12345678"]
)
def test_the_line_of_a_request_is_what_the_chain_would_write(form, path):
    fields = {"method": "GET", "path": path, "status": 200, "ms": 1.5, "channel": "door"}
    fields["request_id"] = "r-1"
    direct, chained = io.StringIO(), io.StringIO()

    configure_logging(level="info", format=form, stream=direct)
    log_request(**fields)
    configure_logging(level="info", format=form, stream=chained)
    structlog.get_logger("another").info("request", **fields)

    written, expected = (TIME.sub("", each.getvalue()) for each in (direct, chained))
    if form == "json":
        written, expected = json.loads(written), json.loads(expected)
    assert written == expected
    assert "hunter22" not in direct.getvalue()
    assert "pk_" not in direct.getvalue()


def test_requests_are_not_logged_above_their_level():
    stream = io.StringIO()
    configure_logging(level="warning", format="json", stream=stream)

    log_request(method="GET", path="/", status=200, ms=1.0, channel="door", request_id="r-1")

    assert stream.getvalue() == ""
