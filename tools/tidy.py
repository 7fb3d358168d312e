"""Check the project's own laws: `python -m tools.tidy`, part of `make check`.

Prints `path:line: law: message` for each finding and exits with 1 if there was one. An exception is
allowed on the line, or the line above it: `tidy: allow LAW because REASON`.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.laws import Finding, Law, Tree, code, fail_points, layout, parts, texts, words
from tools.laws.tree import read_repository

LAWS: tuple[Law, ...] = (
    code.files_are_short,
    code.functions_are_short,
    code.names_say_something,
    code.clock_and_chance_come_through_kit,
    code.only_the_unit_of_work_commits,
    code.the_core_has_no_floats,
    code.nothing_is_left_open,
    code.sql_is_made_of_constants,
    code.core_functions_take_keywords,
    code.the_core_takes_sections,
    code.doors_hold_no_sql,
    code.parts_are_used_by_their_names,
    code.migrations_wait_briefly,
    fail_points.a_fail_point_is_between_two_writes,
    layout.channels_look_alike,
    layout.channels_are_registered,
    layout.the_map_is_true,
    parts.tables_have_one_writer,
    parts.sql_calls_point_down,
    parts.the_core_knows_no_channel,
    texts.no_index_is_named,
    texts.no_machine_is_named,
    texts.links_lead_somewhere,
    texts.named_paths_exist,
    words.the_core_speaks_no_web,
    words.secrets_are_compared_in_constant_time,
    words.a_channels_word_stays_in_its_folder,
)
EXCUSE = re.compile(r"tidy: allow (\w+) because \w+")


def broken_laws(tree: Tree) -> Iterator[tuple[str, Finding]]:
    """Yield (name of the law, finding) for everything that is not allowed."""
    for law in LAWS:
        for finding in sorted(law(tree)):
            if not is_excused(tree, finding, law=law.__name__):
                yield law.__name__, finding


def is_excused(tree: Tree, finding: Finding, *, law: str) -> bool:
    """Whether the line, or the one above it, allows an exception to this law with a reason."""
    lines = tree.texts.get(finding.path, "").splitlines()
    nearby = lines[max(finding.line - 2, 0) : finding.line]
    return any(match[1] == law for line in nearby for match in EXCUSE.finditer(line))


def main() -> int:
    """Check this repository; exit code 1 if there are findings."""
    tree = read_repository(Path(__file__).resolve().parent.parent)
    count = 0
    for law, finding in broken_laws(tree):
        count += 1
        print(f"{finding.path}:{finding.line}: {law}: {finding.message}")
    print(f"tidy: {len(LAWS)} laws, {len(tree.texts)} files, {count} findings")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
