"""Scripts of the console ..."""

import re
from pathlib import Path

import pytest
from lxml import html

from crossdock.gate.assets import FOLDER
from crossdock.web.console import CONSOLE_TEMPLATES

MOST_BYTES = 60_000
TEMPLATES = sorted(CONSOLE_TEMPLATES.rglob("*.html"))
_SCRIPTS = re.compile(r'<script src="/static/([^"]+)" nonce="([A-Za-z0-9]{22})" defer></script>')
# Attributes whose value htmx would run, and those that a browser would.
_RUN = re.compile(r"""\shx-on|\son[a-z]+=|["'\s](?:js|javascript):|hx-trigger="[^"]*\[""")


async def test_are_few_and_each_page_allows_its_own_alone(browser, person):
    noor = await browser(await person())
    first, second = await noor.get("/console/"), await noor.get("/console/")

    found = _SCRIPTS.findall(first.text)
    assert [name.split(".")[0] for name, _ in found] == ["htmx", "hx-csp", "console"]
    assert len(re.findall("<script", first.text)) == len(found)
    assert len({nonce for _, nonce in found}) == 1
    nonce = found[0][1]
    policy = first.headers["content-security-policy"]
    assert f"script-src 'nonce-{nonce}';" in policy
    assert "require-trusted-types-for 'script'; trusted-types htmx;" in policy
    assert "unsafe" not in policy
    assert nonce not in second.headers["content-security-policy"]


async def test_are_not_on_pages_for_who_has_not_signed_in(browser):
    page = await (await browser()).get("/console/sign-in")
    assert "<script" not in page.text
    assert "script-src" not in page.headers["content-security-policy"]


def test_are_small_together():
    files = [FOLDER / "console.js", *(FOLDER / "vendor/htmx").glob("*.js")]
    assert len(files) == 3
    assert sum(path.stat().st_size for path in files) < MOST_BYTES


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_are_in_no_attribute(path: Path):
    assert _RUN.findall(path.read_text()) == []


async def test_stamp_elements_of_templates_and_nothing_that_is_data(browser, person):
    noor = await browser(await person())
    text = '<form hx-get="/x">'
    page = (await noor.get("/console/search", params={"q": text})).text

    nonce = _SCRIPTS.findall(page)[0][1]
    elements = html.fromstring(page).iterfind(".//*[@hx-get]")
    assert [element.get("hx-nonce") for element in elements] == [nonce, nonce]
