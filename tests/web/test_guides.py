"""Guides: Markdown becomes a page whose links, anchors and code are right."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from crossdock.db.generations import tracked_files
from crossdock.web.guides import Guides, inline, page_url, render

ROOT = Path(__file__).parents[2]


def test_headings_get_the_anchors_that_code_hosts_make():
    guide = render("# A `b`\n\n## Is it well?\n\n## Is it well?\n", name="x")

    assert guide.title == "A b"
    assert [h.anchor for h in guide.headings] == ["is-it-well", "is-it-well-1"]
    assert '<h2 id="is-it-well">' in guide.html


def test_html_in_a_page_is_text():
    assert "<script>" not in render("# x\n\n<script>1</script>\n\n`<b>`", name="x").html


@pytest.mark.parametrize(
    ("link", "page", "address"),
    [
        ("start.md", "README", "/docs/start"),
        ("../reference/limits.md#x", "operating/jobs", "/docs/reference/limits#x"),
        ("../README.md", "operating/jobs", "/docs/"),
        ("#below", "start", "#below"),
        ("../reference/openapi/toys.json", "channels/toys", "/docs/api/toys"),
        ("flow.svg", "README", "/docs/flow.svg"),
        ("../reference/toys.graphql", "channels/toys", "/docs/reference/toys.graphql"),
        ("../CHANGELOG.md", "start", None),
        ("../../src/crossdock/app.py", "operating/jobs", None),
    ],
)
def test_links_between_files_become_links_between_pages(link, page, address):
    assert page_url(link, page) == address


def test_a_link_that_leaves_the_guides_becomes_text():
    html = render("[here](../CHANGELOG.md) and [there](https://a.example/)", name="start").html

    assert "<span>here</span>" in html
    assert '<a href="https://a.example/">there</a>' in html


def test_a_description_may_have_code_and_links_but_no_html():
    assert inline("has `auth` <b>") == "has <code>auth</code> &lt;b&gt;"
    assert "href" not in inline("[x](javascript:alert(1))")


def test_code_is_coloured_by_classes_and_tables_can_be_scrolled():
    html = render('```python\nx = "<y>"\n```\n\n| a |\n|---|\n| b |\n', name="x").html

    assert '<span class="s2">"&lt;y&gt;"</span>' in html
    assert '<div class="scroll" role="region"' in html


def test_the_index_lists_every_page():
    titles = [section.title for section in Guides().sections]

    assert "More" not in titles, "a page is missing in docs/README.md"


@pytest.mark.slow
def test_a_built_package_carries_the_guides(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--no-index", "--wheel-dir", str(tmp_path), _copy(tmp_path)],
        check=True, cwd=tmp_path,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())

    for name in ("docs/README.md", "docs/flow.svg", "static/site.css", "templates/landing.html"):
        assert f"crossdock/web/{name}" in names
    assert "crossdock/channels/shoppex_partner/templates/order_detail.html" in names
    assert {f"crossdock/{name}" for name, _ in tracked_files()} <= names
    assert {"crossdock/db/generations.txt", "crossdock/db/releases.txt"} <= names


def _copy(folder: Path) -> str:
    """The sources in a folder of their own, so that building leaves nothing in the checkout."""
    target = folder / "source"
    target.mkdir()
    for name in ("src", "docs", "setup.py", "pyproject.toml", "README.md", "LICENSE"):
        subprocess.run(["cp", "-r", str(ROOT / name), str(target / name)], check=True)
    return str(target)
