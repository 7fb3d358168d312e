"""What a bounded cache keeps..."""

from crossdock.kit.kept import ENTRY_BYTES, Kept


def test_is_what_was_used_last_within_its_bytes():
    kept: Kept[str, str] = Kept(bytes_max=2 * (ENTRY_BYTES + 10))
    for key in ("a", "b"):
        kept.put(key, key, content_bytes=10)
    assert kept.get("a") == "a"
    kept.put("c", "c", content_bytes=10)
    assert [kept.get(key) for key in "abc"] == ["a", None, "c"]
    assert (len(kept), kept.bytes) == (2, 2 * (ENTRY_BYTES + 10))


def test_counts_a_value_that_was_replaced_once():
    kept: Kept[str, str] = Kept(bytes_max=10_000)
    kept.put("a", "old", content_bytes=500)
    kept.put("a", "new", content_bytes=100)
    assert (kept.get("a"), kept.bytes) == ("new", ENTRY_BYTES + 100)


def test_is_nothing_that_is_larger_than_all_of_it():
    kept: Kept[str, str] = Kept(bytes_max=0)
    kept.put("a", "a", content_bytes=0)
    assert (kept.get("a"), len(kept), kept.bytes) == (None, 0, 0)


def test_loses_nothing_to_a_value_that_is_too_large():
    kept: Kept[str, str] = Kept(bytes_max=2 * (ENTRY_BYTES + 10))
    kept.put("a", "a", content_bytes=10)
    kept.put("b", "b", content_bytes=10_000)
    assert (kept.get("a"), kept.get("b"), kept.bytes) == ("a", None, ENTRY_BYTES + 10)
