"""The cookie for https and for http, and where `next` may lead."""

import pytest

from crossdock.gate.cookies import session_cookie
from crossdock.gate.returning import HOME, local_path, sign_in_address

TOKEN = "a" * 43


def test_behind_https_the_cookie_is_host_only_and_secure():
    cookie = session_cookie("https://shop.example")

    assert cookie.write(TOKEN) == (
        f"__Host-crossdock={TOKEN}; Path=/; HttpOnly; SameSite=Lax; Secure"
    )
    assert cookie.erase() == (
        "__Host-crossdock=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure"
    )
    assert cookie.read(f"x=1; __Host-crossdock={TOKEN}") == TOKEN
    assert cookie.read(f"crossdock={TOKEN}") == ""


def test_on_plain_http_it_has_its_plain_name():
    cookie = session_cookie("http://127.0.0.1:8000")

    assert cookie.write(TOKEN) == f"crossdock={TOKEN}; Path=/; HttpOnly; SameSite=Lax"


@pytest.mark.parametrize(
    "wanted",
    ["/console/account", "/admin/shipper/add?ext=manual&a=%C3%A9", "/", "/a//b", "/x?u=https://y"],
)
def test_a_path_of_this_server_is_followed(wanted):
    assert local_path(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "https:evil.example",
        "evil.example",
        "@evil.example",
        "/x y",
        "/caf\u00e9",
        "/x\r\nSet-Cookie: a=b",
        "/console/sign-in",
        "/console/sign-in/code?next=/x",
        "/console/sign-out",
        "/" + "a" * 2_000,
    ],
)
def test_anything_else_leads_home(wanted):
    assert local_path(wanted) == HOME
    assert sign_in_address(wanted) == "/console/sign-in"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "crossdock=",
        "crossdock=short",
        f"__Host-crossdock={TOKEN}",
        "crossdock=' or 1=1 --",
        ";;;=;crossdock",
        f"crossdock={'é' * 43}",
    ],
)
def test_no_other_cookie_is_a_token(header):
    assert session_cookie("http://127.0.0.1:8000").read(header) == ""


def test_signing_out_takes_the_cookie_away():
    erased = session_cookie("http://127.0.0.1:8000").erase()

    assert erased == "crossdock=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
