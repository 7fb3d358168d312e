"""`crossdock partner explain` and `sign`."""

import json
import uuid

import pytest

from tests.support.partner_client import CREATE, PREFIX, PRODUCTS, PartnerClient

BODY = b'{"items":[{"product_id":1,"quantity":1}],"id_order_partner":"x"}\n'


@pytest.fixture(scope="module")
def key(demo):
    return demo.ask("demo", "credentials")["shoppex_partner"]


def signed(key, method="GET", **chosen):
    return PartnerClient("http://x", key=key["key"], secret=key["secret"]).signed(method, **chosen)


def options(headers):
    return [w for name, value in headers.items() for w in (f"--{name[10:].lower()}", value)]


def explain(demo, *arguments):
    ended = demo.run("partner", "explain", *arguments, "--json")
    return ended.returncode, json.loads(ended.stdout)


def outcomes(explanation):
    return {check["name"]: check["outcome"] for check in explanation["checks"]}


def test_accepts_a_right_request_and_spends_nothing(demo, key):
    headers = signed(key)
    for _ in range(2):
        code, explanation = explain(demo, "--method", "GET", *options(headers))
        assert code == 0
        assert explanation["accepted"]
    assert explanation["canonical_message"].startswith(f"GET\n{PRODUCTS}\n")


def test_names_the_check_that_fails_and_the_mistake(demo, key):
    headers = signed(key, route="/wp-json" + PRODUCTS)
    code, explanation = explain(demo, "--method", "GET", *options(headers))
    assert code == 1
    assert outcomes(explanation)["signature"] == "failed"
    assert explanation["hints"] == ["The signed route begins with /wp-json."]


def test_reads_a_request_as_curl_shows_it(demo, key):
    headers = signed(key, "POST", body=BODY)
    lines = [f"> POST {PREFIX}{CREATE} HTTP/1.1", "> Host: x"]
    lines += [f"> {name}: {value}" for name, value in headers.items()]
    shown = "\n".join(["*   Trying 127.0.0.1...", *lines, "> ", "< HTTP/1.1 401 Unauthorized"])
    (demo.data_dir / "curl.txt").write_text(shown)
    (demo.data_dir / "body.json").write_bytes(BODY)
    code, explanation = explain(demo, "--request", "curl.txt", "--body", "body.json")
    assert (code, explanation["accepted"]) == (0, True)


def test_reads_a_raw_request_from_standard_input(demo, key):
    headers = signed(key, "POST", body=BODY)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    raw = f"POST {PREFIX}{CREATE} HTTP/1.1\r\n{head}Content-Length: {len(BODY)}\r\n\r\n"
    (demo.data_dir / "raw.txt").write_bytes(raw.encode() + BODY + b"\n")
    from tests.support.shells import crossdock_command

    told = demo.shell(f"{crossdock_command()} partner explain --request - < raw.txt")
    assert "✓ signature" in told
    assert "would be accepted" in told


def test_tells_strangers_nothing(demo, key):
    private = demo.ask(
        "partner", "add", "--channel", "shoppex_partner", "--shop", "demo",
        "--name", f"Private {uuid.uuid4()}", "--set", "test=no",
    )  # fmt: skip
    code, explanation = explain(demo, "--method", "GET", *options(signed(private)))
    assert code == 1
    assert outcomes(explanation)["key"] == "failed"
    assert outcomes(explanation)["signature"] == "skipped"
    assert "not an enabled test credential" in demo.refuse(
        "partner", "sign", "--key", private["key"]
    )


def test_never_prints_a_secret_or_a_right_signature(demo, key):
    headers = signed(key)
    wrong = {**headers, "X-Shoppex-Signature": "0" * 64}
    for arguments in ((), ("--json",)):
        ended = demo.run("partner", "explain", *options(wrong), *arguments)
        assert ended.returncode == 1
        assert headers["X-Shoppex-Signature"] not in ended.stdout
        assert key["secret"] not in ended.stdout + ended.stderr


def test_signs_a_curl_command_that_is_accepted(demo, key):
    ended = demo.run("partner", "sign", "--key", key["key"])
    assert ended.returncode == 0
    assert key["secret"] not in ended.stdout
    assert json.loads(demo.shell(ended.stdout))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--method", "PUT"), "must be GET or POST"),
        (("--request", "nowhere.txt"), "cannot be read"),
        (("--request", "empty.txt"), "no line like"),
    ],
)
def test_says_what_it_needs(demo, arguments, told):
    (demo.data_dir / "empty.txt").write_text("hello\n")
    assert told in demo.refuse("partner", "explain", *arguments)
