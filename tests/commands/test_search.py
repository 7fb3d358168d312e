"""`crossdock search`..."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def index(demo):
    """The demo's index: its server has no worker, so the command builds it."""
    return demo.ask("search", "rebuild", "--shop", "demo")


def test_rebuild_tells_what_is_in_the_index(index):
    assert index["products"] > 90
    assert index["documents"] > index["products"]


def test_query_finds_goods_with_their_facets(demo):
    found = demo.ask("search", "query", "red", "--shop", "demo", "--facets", "--limit", "3")
    assert (len(found["hits"]), found["count"] > 3) == (3, True)
    assert found["facets"]["color"][0]["label"] == "Red"
    merchants = sum(value["count"] for value in found["facets"]["merchant"])
    assert merchants == found["count"]

    said = demo.run("search", "query", "red", "--shop", "demo", "--facets").stdout
    assert f"{found['count']} products, as of event" in said
    assert "merchant: " in said


def test_query_says_when_it_asked_for_any_word(demo):
    said = demo.run("search", "query", "red nothingness", "--shop", "demo").stdout
    assert "with any of the words" in said
    nothing = demo.run("search", "query", "nothingness", "--shop", "demo").stdout
    assert nothing.startswith("0 products")


def test_explain_shows_what_each_word_counts(demo):
    (first, *_) = demo.ask("search", "explain", "red", "--shop", "demo", "--limit", "1")
    reasons = {(each["word"], each["field"]): each["score"] for each in first["reasons"]}
    assert reasons["red", "color"] > 0
    assert max(reasons.values()) <= first["hit"]["score"]
    assert "red in color" in demo.run("search", "explain", "red", "--shop", "demo").stdout
    assert "Nothing is found" in demo.run("search", "explain", "zzz", "--shop", "demo").stdout


def test_status_shows_each_shops_index(demo, index):
    (status,) = demo.ask("search", "status", "--shop", "demo")
    assert status["documents"] == index["documents"]
    assert status["as_of"] == index["as_of"]
    assert "demo" in demo.run("search", "status").stdout


def test_an_unknown_shop_is_refused(demo):
    refused = demo.run("search", "query", "red", "--shop", "nowhere")
    assert (refused.returncode, refused.stdout) == (1, "")
