"""The job queue's schema is pinned: a newer library changes no database by itself."""

import re
from importlib.metadata import version

from procrastinate.schema import SchemaManager

from crossdock.db.generations import VERSIONS_DIR

NOTIFYING = re.compile(r"CREATE TRIGGER procrastinate_jobs_notify_\w+\n.*?;\n\n", re.DOTALL)
BEGIN = "-- Procrastinate Schema\n"
ADVICE = """
procrastinate {version} has another schema than the databases that we made. Write a revision in
src/crossdock/db/migrations/versions/ that runs what its own sql/migrations/ name between the pinned
version and this one, without the triggers that NOTIFY, and pin the new schema beside it as a file
for this test to compare. Never change the pinned file of a released revision.
"""


def test_the_installed_library_expects_the_pinned_schema():
    (pinned,) = sorted(VERSIONS_DIR.glob("*/*_jobs.sql"))[-1:]
    header, begin, text = pinned.read_text(encoding="utf-8").partition(BEGIN)
    expected, count = NOTIFYING.subn("", SchemaManager.get_schema())

    assert count == 2
    assert begin + text == expected, ADVICE.format(version=version("procrastinate"))
    assert "MIT License" in header
