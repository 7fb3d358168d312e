"""Functions are changed under the programs of the release before, which go on calling them."""

import threading
import time

import psycopg
import pytest

from crossdock.db import functions
from crossdock.errors import CrossdockError

FIRST, SECOND, THIRD = 10, 20, 30  # generations, of one release each

ONE = """
create or replace function greet(who text) returns text language sql as $$ select 'hello ' || who $$;
create or replace function part(who text) returns text language sql as $$ select 'bye ' || who $$;
"""
MORE = """
create or replace function greet(who text) returns text language sql as $$ select 'hi ' || who $$;
create or replace function part(who text, count integer) returns text language sql as
    $$ select repeat('bye ', count) || who $$;
"""


@pytest.fixture
def connection(empty_database_url):
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def apply(connection, tmp_path):
    """Apply one file's text as the program of this generation, which serves from that one on."""
    path = tmp_path / "greeting.sql"

    def apply(text, *, generation, serves_from):
        path.write_text(text)
        with connection.transaction():
            functions.apply_files(
                connection,
                changed=[path],
                all_files=[path],
                generation=generation,
                serves_from=serves_from,
            )

    return apply


def signatures(connection):
    rows = connection.execute(
        "select oid::regprocedure::text from pg_proc where proname in ('greet', 'part')"
        " and pronamespace = 'public'::regnamespace order by 1"
    )
    return [row[0] for row in rows]


def test_a_function_with_other_arguments_stands_beside_the_old_one_for_a_release(apply, connection):
    apply(ONE, generation=FIRST, serves_from=FIRST)
    apply(MORE, generation=SECOND, serves_from=FIRST)
    assert signatures(connection) == ["greet(text)", "part(text)", "part(text,integer)"]

    apply(MORE + "-- unchanged", generation=THIRD, serves_from=SECOND)

    assert signatures(connection) == ["greet(text)", "part(text,integer)"]


def test_a_function_that_no_file_has_any_more_stays_for_a_release(apply, connection):
    apply(ONE, generation=FIRST, serves_from=FIRST)
    apply("select 1", generation=SECOND, serves_from=FIRST)
    assert signatures(connection) == ["greet(text)", "part(text)"]

    apply("select 2", generation=THIRD, serves_from=SECOND)

    assert signatures(connection) == []


def test_one_that_comes_back_is_not_dropped(apply, connection):
    apply(ONE, generation=FIRST, serves_from=FIRST)
    apply(MORE, generation=SECOND, serves_from=FIRST)
    apply(ONE, generation=THIRD, serves_from=SECOND)

    assert signatures(connection) == ["greet(text)", "part(text)", "part(text,integer)"]


@pytest.mark.parametrize(
    "changed",
    [
        ONE.replace("greet(who text) returns text", "greet(who text) returns varchar"),
        ONE.replace("greet(who text)", "greet(whom text)").replace("hello ' || who", "' || whom"),
    ],
    ids=["another result", "other names"],
)
def test_what_cannot_be_changed_under_its_callers_is_refused(apply, connection, changed):
    apply(ONE, generation=FIRST, serves_from=FIRST)

    with pytest.raises(CrossdockError, match=r"greet\(text\) has another result type"):
        apply(changed, generation=SECOND, serves_from=FIRST)
    assert connection.execute("select greet('x')").fetchone() == ("hello x",)

    apply(changed, generation=SECOND, serves_from=SECOND)  # before there is any release
    assert signatures(connection) == ["greet(text)", "part(text)"]


def test_functions_of_others_are_left_alone(apply, connection):
    """The queue's, the extensions', and those that a revision made for its triggers."""
    others = (
        "select oid::regprocedure::text from pg_proc where pronamespace = 'public'::regnamespace"
        " and (proname like 'procrastinate%' or prorettype = 'trigger'::regtype) order by 1"
    )
    before = connection.execute(others).fetchall()
    assert len(before) > 10

    apply(ONE, generation=FIRST, serves_from=FIRST)
    apply("select 1", generation=SECOND, serves_from=SECOND)

    assert signatures(connection) == []
    assert connection.execute(others).fetchall() == before


def test_callers_of_the_release_before_notice_nothing(apply, empty_database_url):
    apply(ONE, generation=FIRST, serves_from=FIRST)
    over, failures, counts = threading.Event(), [], [0, 0, 0]

    def call(number):
        with psycopg.connect(empty_database_url, autocommit=True) as caller:
            while not over.is_set():
                try:
                    caller.execute("select greet(%s), part(%s)", ("x", "y"), prepare=True)
                except psycopg.Error as error:
                    failures.append(error)
                    return
                counts[number] += 1

    callers = [threading.Thread(target=call, args=(number,)) for number in range(3)]
    for caller in callers:
        caller.start()
    for turn in range(15):
        seen = list(counts)
        text = (MORE, ONE)[turn % 2]
        apply(f"{text}-- {turn}", generation=SECOND + turn, serves_from=FIRST)
        deadline = time.monotonic() + 10
        while any(now == then for now, then in zip(counts, seen, strict=True)) and not failures:
            assert time.monotonic() < deadline
            over.wait(0.01)
    over.set()
    for caller in callers:
        caller.join()

    assert failures == []
