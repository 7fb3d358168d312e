"""Search over the documentation: words, beginnings, codes, and what is nowhere."""

import pytest

from crossdock.web.finding import SHOWN_MAX, Finder, Passage, operations_of
from crossdock.web.guides import Guides


def passage(title: str, text: str, *, heading: str = "", weight: float = 1.0) -> Passage:
    return Passage(title=title, heading=heading, url=f"/docs/{title}", text=text, weight=weight)


def titles(finder: Finder, query: str) -> list[str]:
    return [hit.passage.title for hit in finder.find(query)]


@pytest.fixture(scope="module")
def guides() -> Finder:
    return Finder(Guides().passages())


def test_a_heading_precedes_a_text():
    finder = Finder([passage("b", "about retries"), passage("a", "x", heading="Retries")])

    assert titles(finder, "retries") == ["a", "b"]


def test_every_word_must_be_there_whole_or_as_a_beginning():
    finder = Finder([passage("a", "the nonce was replayed"), passage("b", "a nonce")])

    assert titles(finder, "NONCE repl") == ["a"]
    assert titles(finder, "nonce played") == []


def test_parts_of_a_code_and_words_without_accents_are_found():
    finder = Finder([passage("a", "`order_state` in Liège")])

    assert (
        titles(finder, "order_state") == titles(finder, "state") == titles(finder, "liege") == ["a"]
    )


@pytest.mark.parametrize("query", ["", "  ", "***", "\u200b", "x" * 5_000])
def test_a_query_without_a_known_word_finds_nothing(query: str):
    assert Finder([passage("a", "text")]).find(query) == []


def test_an_excerpt_marks_the_words_and_is_no_html_otherwise():
    [hit] = Finder([passage("a", "<b>bold</b> & brave")]).find("bold brave")

    assert str(hit.excerpt) == ("&lt;b&gt;<mark>bold</mark>&lt;/b&gt; &amp; <mark>brave</mark>")


def test_a_long_list_is_cut():
    assert len(Finder([passage(str(n), "same") for n in range(99)]).find("same")) == SHOWN_MAX


def test_operations_are_found_by_path_and_by_what_they_do():
    document = {
        "info": {"title": "Toys"},
        "paths": {
            "/v1/toys": {
                "parameters": [],
                "post": {"operationId": "createToy", "summary": "Add a toy"},
            }
        },
    }
    finder = Finder(operations_of("toys", document))

    [hit] = finder.find("add v1")
    assert hit.passage.url == "/docs/api/toys#/default/createToy"
    assert hit.passage.heading == "POST /v1/toys"


@pytest.mark.parametrize(
    ("query", "url"),
    [
        ("partner_order_already_exists", "/docs/reference/errors"),
        ("rotate master key", "/docs/operating/master-key"),
        ("import csv", "/docs/guides/import"),
    ],
)
def test_the_guides_are_found(guides: Finder, query: str, url: str):
    assert any(hit.passage.url.startswith(url) for hit in guides.find(query)[:5])


async def test_the_page_shows_what_was_found(ask):
    answer = await ask("/docs/search?q=master+key")

    assert answer.status == 200
    assert "<mark>" in answer.text
    assert "/docs/operating/master-key" in answer.text
    assert "Nothing has all of" in (await ask("/docs/search?q=%3Cscript%3Ezzz")).text
    assert "<script>zzz" not in (await ask("/docs/search?q=%3Cscript%3Ezzz")).text
