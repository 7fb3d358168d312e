"""Mutants: what the rules break, which tests have to notice, and when a run fails."""

from pathlib import Path

import pytest

from tools.mutants.mutant import Mutant
from tools.mutants.python_rules import python_mutants
from tools.mutants.report import Outcome, failing_test, faults, is_not_taken, scores, write_report
from tools.mutants.sql_files import sql_mutants
from tools.mutants.sql_rules import sql_edits
from tools.mutants.targets import TARGETS, module_of, noticing, read_mutants
from tools.mutants.verdicts import Verdict, outdated, read_verdicts

ROOT = Path(__file__).parents[2]


def broken(text: str, rule: str, *, is_body: bool = False) -> list[str]:
    """What a rule makes of a piece of SQL, with single blanks."""
    return [
        " ".join((text[: edit.start] + edit.text + text[edit.end :]).split())
        for edit in sql_edits(text, is_body=is_body)
        if edit.rule == rule
    ]


@pytest.mark.parametrize(
    ("rule", "text", "becomes"),
    [
        ("drop_lock", "select 1 from t for no key update", ["select 1 from t"]),
        (
            "drop_lock",
            "select 1 from t for update skip locked",
            ["select 1 from t", "select 1 from t for update"],
        ),
        (
            "drop_lock",
            "select 1 from t, u for no key update of t, u skip locked",
            ["select 1 from t, u", "select 1 from t, u for no key update of t, u"],
        ),
        ("drop_lock", "select 1 from t for share of t limit 1", ["select 1 from t limit 1"]),
        ("drop_lock", "select 1 from t for update nowait", ["select 1 from t", "select 1 from t for update"]),
        (
            "drop_conjunct",
            "select 1 from t where a = 1 and b between 1 and 2 order by c",
            ["select 1 from t where b between 1 and 2 order by c", "select 1 from t where a = 1 order by c"],
        ),
        (
            "drop_conjunct",
            "select 1 from t join u on u.shop_id = t.shop_id and u.id = t.u_id",
            ["select 1 from t join u on u.shop_id = t.shop_id"],
        ),
        ("drop_conjunct", "delete from t where a", ["delete from t"]),
        ("drop_conjunct", "select 1 from t join u on t.a = u.a", ["select 1 from t join u on true"]),
        ("drop_conjunct", "select 1 from t where a or b", []),
        (
            "compare",
            "update t set a = 1 where b = 2",
            ["update t set a = 1 where b <> 2"],
        ),
        ("compare", "select 1 where a <= 3", ["select 1 where a < 3"]),
        ("compare", "select 1 where a is null", ["select 1 where a is not null"]),
        (
            "compare",
            "select 1 where a is not distinct from b",
            ["select 1 where a is distinct from b"],
        ),
        ("arithmetic", "select a + b, -c", ["select a - b, -c"]),
        ("and_or", "select a and b or 'and'", ["select a or b or 'and'", "select a and b and 'and'"]),
        ("extremes", "select least(a, b)", ["select greatest(a, b)"]),
        ("coalesce", "select coalesce(f(a, b), 0)", ["select coalesce(f(a, b))"]),
        ("constant", "select 0 limit 1", ["select 1 limit 1"]),
        ("drop_not", "if not found then", ["if found then"]),
        (
            "drop_order",
            "select a from (select b from t order by b, c limit 1) x",
            ["select a from (select b from t limit 1) x"],
        ),
        (
            "drop_conflict",
            "insert into t values (1) on conflict (a) do nothing returning a",
            ["insert into t values (1) returning a"],
        ),
        ("drop_conflict", "insert into t values (1) on conflict (a) do update set b = 1", []),
    ],
)  # fmt: skip
def test_sql_is_broken_in_one_place(rule, text, becomes):
    assert broken(text, rule) == becomes


def test_statements_are_dropped_from_bodies_alone():
    body = "begin insert into t values (1); if a then raise exception 'b'; end if; end"
    assert broken(body, "drop_statement", is_body=True) == [
        "begin null; if a then raise exception 'b'; end if; end",
        "begin insert into t values (1); if a then null; end if; end",
    ]
    assert broken(body, "drop_statement") == []


def test_fail_points_are_left_alone():
    assert broken("begin assert fail_point('a' || 1); x := 1; end", "constant", is_body=True) == [
        "begin assert fail_point('a' || 1); x := 2; end"
    ]


def test_a_file_of_functions_is_broken_in_its_bodies():
    source = (
        "-- a and b\ncreate function f(a integer) returns integer language sql as $$\n"
        "    select 1 where a > 3\n$$;\n"
    )
    found = list(sql_mutants("src/crossdock/shop/stock/x.sql", source))
    assert [(m.line, m.rule, m.before, m.after) for m in found] == [
        (3, "constant", "select 1 where a > 3", "select 2 where a > 3"),
        (3, "compare", "select 1 where a > 3", "select 1 where a >= 3"),
        (3, "drop_conjunct", "select 1 where a > 3", "select 1"),
    ]
    assert found[1].text == source.replace("a > 3", "a >= 3")


PYTHON = '''"""A module's own words and 1 number."""
from typing import TYPE_CHECKING, Literal
if TYPE_CHECKING:
    from x import y
def f(a: Literal[1], b: bool = True) -> int:
    if a < 2 and not b:
        raise ValueError("é and")
    g(a)
    zip(a, b, strict=True)
    return max(x for x in (a, "select 1 from t where a") if x)
'''


def test_python_is_broken_where_it_runs_and_its_statements_as_sql():
    found = {(m.line, m.rule, m.after) for m in python_mutants("src/x.py", PYTHON)}
    assert found == {
        (5, "constant", "def f(a: Literal[1], b: bool = False) -> int:"),
        (6, "compare", "if a <= 2 and not b:"),
        (6, "and_or", "if a < 2 or not b:"),
        (6, "drop_not", "if a < 2 and b:"),
        (7, "drop_statement", "pass"),
        (8, "drop_statement", "pass"),
        (9, "drop_statement", "pass"),
        (10, "extremes", 'return min(x for x in (a, "select 1 from t where a") if x)'),
        (10, "drop_filter", 'return max(x for x in (a, "select 1 from t where a") if True)'),
        (10, "drop_conjunct", 'return max(x for x in (a, "select 1 from t ") if x)'),
    }


def test_every_mutant_of_a_module_still_compiles():
    mutants = list(read_mutants(ROOT, only=["kit/money", "shop/stock/setting"]))
    assert len(mutants) > 80
    for mutant in mutants:
        compile(mutant.text, mutant.path, "exec")
        assert mutant.before != mutant.after


def test_tests_are_those_of_the_mirrored_folder_and_the_races_for_sql():
    def tests(path: str, rule: str = "compare") -> list[str]:
        return noticing(ROOT, Mutant(path, 1, rule, "a", "b", ""))

    assert tests("src/crossdock/kit/money.py") == ["tests/kit/test_money.py"]
    holding = tests("src/crossdock/shop/stock/holding.py")
    assert holding[0] == "tests/shop/stock/test_holding.py"
    assert "tests/shop/stock/test_limits.py" in holding
    assert "tests/races" not in holding
    paying = tests("src/crossdock/shop/orders/paying.py")  # which has no file of its own
    assert "tests/shop/orders/test_staff.py" in paying[:4]
    assert tests("src/crossdock/shop/stock/posting.sql")[-1] == "tests/races"
    assert tests("src/crossdock/shop/stock/holding.py", "drop_lock")[0] == "tests/races"


def test_every_part_that_is_named_is_there():
    assert [t for t in TARGETS if not (ROOT / "src/crossdock" / t).exists()] == []
    assert module_of("src/crossdock/shop/stock/limits.sql") == "shop/stock"


def outcome(fate: str, *, before: str = "a", path: str = "src/crossdock/kit/money.py") -> Outcome:
    return Outcome(Mutant(path, 3, "compare", before, "b", ""), fate, 0.5)


def verdict(before: str, kind: str) -> dict[tuple[str, str, str], Verdict]:
    found = Verdict("src/crossdock/kit/money.py", before, "b", kind, "Nobody can tell.")
    return {found.key: found}


def test_a_survivor_without_a_verdict_fails_a_run():
    found = [outcome("killed"), outcome("survived", before="c")]
    assert faults(found, verdict("c", "equivalent"), is_whole=False) == []
    assert faults(found, {}, is_whole=False) == [
        "src/crossdock/kit/money.py:3: compare survives: c -> b"
    ]


def test_a_module_below_the_floor_fails_a_whole_run():
    found = [outcome("killed")] * 5 + [outcome("survived", before="c")]
    accepted, equivalent = verdict("c", "accepted"), verdict("c", "equivalent")
    assert faults(found, accepted, is_whole=True) == ["kit/money.py: 83% killed, the floor is 85%"]
    assert faults(found, accepted, is_whole=False) == []
    assert faults(found, equivalent, is_whole=True) == []


def test_what_postgresql_does_not_take_is_no_mutant(tmp_path):
    assert is_not_taken("E   psycopg.errors.SyntaxError: syntax error at or near")
    assert is_not_taken("E   psycopg.errors.UndefinedColumn: column x")
    assert not is_not_taken("E   psycopg.errors.UniqueViolation: duplicate key")
    assert failing_test("..F\nFAILED tests/a.py::test_b - assert 1 == 2\n") == "tests/a.py::test_b"
    assert failing_test("..") == ""
    found = [outcome("killed"), outcome("invalid"), outcome("survived", before="c|d")]
    (score,) = scores(found, {}).values()
    assert (score.killed, score.survived, score.unlisted, score.share) == (1, 1, 1, 0.5)
    text = write_report(tmp_path, found, {})
    assert "| kit/money.py | 2 | 1 | 1 | 0 | 1 | 50% |" in text
    assert "c\\|d" in (tmp_path / "mutants.md").read_text()
    assert (tmp_path / "mutants.json").read_text().count('"fate"') == 3


def test_each_verdict_has_a_reason_and_a_mutant_that_exists(tmp_path):
    verdicts = read_verdicts()
    assert [v.before for v in outdated(verdicts, list(read_mutants(ROOT, only=[])))] == []
    wrong = tmp_path / "verdicts.toml"
    wrong.write_text(
        '[[verdict]]\npath = "a"\nbefore = "b"\nafter = "c"\nkind = "equivalent"\nreason = " "\n'
    )
    with pytest.raises(ValueError, match="no reason"):
        read_verdicts(wrong)
