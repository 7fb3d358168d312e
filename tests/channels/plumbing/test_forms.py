"""Forms nest as PHP nests them, or are refused: PHP itself is asked where it is installed."""

import json
import shutil
import subprocess
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossdock.channels.plumbing import (
    DEPTH_MAX,
    FIELDS_MAX,
    Unreadable,
    multipart_pairs,
    nested,
    read_document,
    urlencoded_pairs,
)

FORM = "application/x-www-form-urlencoded"
# Names that PHP keeps as they are at the first level: no dot, blank or bracket, no leading digit.
NAMES = st.from_regex(r"[a-z_][a-z0-9_-]{0,5}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TREES = st.recursive(
    TEXTS,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4) | st.dictionaries(NAMES, inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)  # fmt: skip
DOCUMENTS = st.dictionaries(NAMES, TREES, min_size=1, max_size=4)


def http_build_query(document: dict[str, Any]) -> bytes:
    """As PHP's function writes it: every index is written out."""

    def walk(name: str, value: Any):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in entries:
            inside = f"{name}[{key}]" if name else str(key)
            if isinstance(inner, dict | list):
                yield from walk(inside, inner)
            else:
                yield inside, inner

    return urlencode(list(walk("", document))).encode()


def read(body: bytes) -> dict[str, Any]:
    return nested(urlencoded_pairs(body))


@given(DOCUMENTS)
def test_what_http_build_query_writes_is_read_as_it_was(document):
    assert read(http_build_query(document)) == document
    assert read_document(http_build_query(document), content_type=FORM) == document


def read_or_why(form: str) -> tuple[dict[str, Any] | None, str]:
    """What the form says, or why it is refused."""
    try:
        return read(form.encode()), ""
    except Unreadable as error:
        return None, str(error)


WRITTEN = [
    "a[1]=x&a[3]=y", "a[][s]=1&a[][s]=2", "a[][s]=1&a[][t]=2", "a[]=1&a[]=2", "a[b]=1&a[b]=2", "a=1&a=2",
    "a[0][s]=1&a[1][s]=2&a[0][t]=3", "a[3]=y&a[1]=x", "a[b][]=1&a[b][]=2", "a[]=1&a[b]=2", "a[01]=x",
    "a[ b]=1", "a[]=", "a", "a[b]=x&a[]=y", "a[[b]=1", "a[0]=1&a[]=2&a[5]=3&a[]=4", "a[1]=x&a[]=y&a[0]=z",
    "a[b.c]=1&a[d e]=2", "__proto__[x]=1&constructor[prototype][y]=2", "a%5Bb%5D%5B%5D=1", "a[%C3%A9]=%E2%82%AC",
    "a[b]=x]=y&a[c]=%5D%3D", "a[b]=1+2%2B3", "a[9999999999]=1&a[]=2", "a[][][]=1&a[][][]=2", "a[0][]=1&a[0][]=2",
]  # fmt: skip


def php(forms: list[str]) -> list[Any]:
    program = (
        "$all = [];"
        "foreach (json_decode(stream_get_contents(STDIN)) as $form)"
        " { parse_str($form, $read); $all[] = $read; }"
        "echo json_encode($all);"
    )
    done = subprocess.run(
        ["php", "-r", program], input=json.dumps(forms), capture_output=True, text=True, check=True
    )
    return list(json.loads(done.stdout))


@pytest.mark.skipif(shutil.which("php") is None, reason="php is not installed")
def test_php_reads_the_same():
    for form, right in zip(WRITTEN, php(WRITTEN), strict=True):
        assert read(form.encode()) == right, form


KEYS = st.sampled_from(["", "0", "1", "2", "7", "b", "c-d", "é", "01", "x y"])
PATHS = st.tuples(st.sampled_from("ab"), st.lists(KEYS, max_size=4))


@pytest.mark.skipif(shutil.which("php") is None, reason="php is not installed")
@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(PATHS, max_size=8), min_size=20, max_size=20))
def test_php_reads_any_names_the_same(forms):
    """Or they are refused here, where a value and an array have one name and PHP drops the first."""
    written = [
        "&".join(
            urlencode({name + "".join(f"[{key}]" for key in keys): str(place)})
            for place, (name, keys) in enumerate(paths)
        )
        for paths in forms
    ]
    for form, right in zip(written, php(written), strict=True):
        found, refusal = read_or_why(form)
        assert "both a value and an array" in refusal or found == (right or {}), form


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("a[b=1", "is no name of a field"),
        ("a[b]c=1", "is no name of a field"),
        ("a]b[=1", "is no name of a field"),
        ("[a]=1", "is no name of a field"),
        ("=1", "is no name of a field"),
        ("a[b][=1", "is no name of a field"),
        ("a=1&a[b]=2", "both a value and an array"),
        ("a[b]=1&a=2", "both a value and an array"),
        ("a[b][c]=1&a[b]=2", "both a value and an array"),
        ("a" + "[b]" * (DEPTH_MAX + 1) + "=1", "nested deeper"),
        ("a[b]=%ff", "not UTF-8"),
        ("a[%ff]=1", "not UTF-8"),
        ("a[" + "b" * 1_000 + "]=1", "is no name of a field"),
        ("&".join(["a[]=1"] * (FIELDS_MAX + 1)), "more than 2,000 fields"),
    ],
)
def test_what_cannot_be_read_is_refused(form, told):
    with pytest.raises(Unreadable, match=told):
        read(form.encode())


def test_what_comes_twice_is_refused_where_everything_is_unique():
    with pytest.raises(Unreadable, match="twice"):
        nested(urlencoded_pairs(b"a[b]=1&a[b]=2"), is_unique=True)


def test_the_bounds_themselves_are_read():
    assert len(read(b"&".join([b"a[]=1"] * FIELDS_MAX))["a"]) == FIELDS_MAX
    assert read(b"a" + b"[b]" * DEPTH_MAX + b"=1")


def test_the_largest_form_is_read_at_once():
    form = "&".join(f"a[{n}][{'x' * 50}][{n}][]={n}" for n in range(FIELDS_MAX)).encode()
    started = time.process_time()
    read(form)
    assert time.process_time() - started < 1


@given(st.lists(st.tuples(st.text(alphabet="ab[]01.%\x00 é", max_size=12), TEXTS), max_size=12))
def test_no_names_do_more_than_be_refused(pairs):
    with suppress(Unreadable):
        assert isinstance(nested(pairs), dict)


@given(
    st.binary(max_size=200),
    st.sampled_from(["", FORM, "application/json", "multipart/form-data; boundary=B"]),
)
def test_no_body_does_more_than_be_refused(body, content_type):
    with suppress(Unreadable):
        read_document(body, content_type=content_type)


def test_parts_nest_like_fields():
    body = b"".join(
        b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % part
        for part in ((b"a[0][sku]", b"7"), (b"a[][sku]", b"8"))
    )
    pairs, is_whole = multipart_pairs(body + b"--B--\r\n", boundary=b"B")
    assert is_whole
    assert nested(pairs) == {"a": [{"sku": "7"}, {"sku": "8"}]}
