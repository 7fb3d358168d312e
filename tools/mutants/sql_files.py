"""Mutants of files of SQL functions; each function's body is parsed separately."""

import re
from collections.abc import Iterator

from tools.mutants.mutant import Edit, Mutant, mutate
from tools.mutants.sql_rules import sql_edits

_BODY = re.compile(r"language\s+(sql|plpgsql)\b[^$]*\$\$(.*?)\$\$", re.DOTALL)


def sql_mutants(path: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a file of SQL functions."""
    for match in _BODY.finditer(source):
        if "fail point" in match[2] or "crossdock.fail_point" in match[2]:
            continue
        offset = match.start(2)
        for edit in sql_edits(match[2], is_body=match[1] == "plpgsql"):
            moved = Edit(edit.start + offset, edit.end + offset, edit.text, edit.rule)
            yield mutate(path, source, moved)
