"""An origin..."""

import pytest

from crossdock.kit.origins import origin_of


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://shop.example", "https://shop.example"),
        ("HTTPS://Shop.Example:443/a?b#c", "https://shop.example"),
        ("https://shop.example:8443/", "https://shop.example:8443"),
        ("https://localhost/", "https://localhost"),
        ("https://192.0.2.7/", "https://192.0.2.7"),
    ],
)
def test_is_scheme_and_host_as_browsers_compare_them(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "", "shop.example", "//shop.example", "http://shop.example", "https:shop.example",
        "https:/shop.example", "https:///shop.example", "https://", "https://a@shop.example",
        "https://a:b@shop.example", "https://shop.example\\@evil.example", "https://shop_x.example",
        "https://shop.example:", "https://shop.example:x", "https://shop.example:99999",
        "https://shop.example:0443", "https://-x.example", "https://x..example", "https://[::1]",
        "https://sh\top.example", " https://shop.example", "https://shöp.example",
        "https://shop.example/\n", "https://shop.example/" + "a" * 2_000, "javascript:alert(1)",
    ],
)  # fmt: skip
def test_is_none_of_what_a_browser_may_read_otherwise(url: str) -> None:
    assert origin_of(url) is None


def test_is_bare_without_anything_behind_the_host() -> None:
    assert origin_of("https://shop.example/", is_bare=True) == "https://shop.example"
    for rest in ("/a", "?a", "/#a", "/;"):
        assert origin_of(f"https://shop.example{rest}", is_bare=True) is None
