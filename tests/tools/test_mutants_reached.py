"""Mutants: which functions lead to one, and which tests call those."""

import subprocess
import sys
from pathlib import Path

from tools.mutants.leading import leading
from tools.mutants.mutant import Mutant
from tools.mutants.reaching import ANYTHING, Reached, noticed_by, read_reached

ROOT = Path(__file__).parents[2]

MODULE = '''"""A module; it names find_goods, which means nothing."""
LIMIT = 3
_QUERY = f"select {LIMIT}"
_CALL = "select * from find_goods(1)"
WORDS = [_CALL]


def first(many: int = LIMIT) -> str:
    """Read."""
    return _QUERY


class Reader:
    kept = 1

    def read(self) -> str:
        def inner() -> str:
            return _CALL

        return inner()
'''
OTHER = """from module import WORDS


def second() -> list[str]:
    return WORDS
"""
SQL = """-- find_goods
create or replace function find_goods(p integer) returns integer language sql as $$
    select count_goods(p)
$$;

-- find_goods calls it
create or replace function count_goods(p integer) returns integer language sql as $$
    select 1
$$;

create or replace function on_change() returns trigger language plpgsql as $$
begin return new; end $$;
"""
REVISION = "create trigger x before insert on t for each row execute function on_change();\n"
FOLDER = "src/crossdock/shop/goods"


def written(root: Path) -> Path:
    """A repository of these files."""
    files = {
        f"{FOLDER}/module.py": MODULE,
        f"{FOLDER}/other.py": OTHER,
        f"{FOLDER}/goods.sql": SQL,
        "src/crossdock/db/migrations/versions/1.sql": REVISION,
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def led(root: Path, path: str, text: str) -> set[str] | None:
    """What leads to the line of that text, without the folder."""
    line = (root / FOLDER / path).read_text().split("\n").index(text) + 1
    found = leading(root, Mutant(f"{FOLDER}/{path}", line, "compare", "a", "b", ""))
    return None if found is None else {name.removeprefix(f"{FOLDER}/") for name in found}


def test_a_function_leads_to_what_is_in_it(tmp_path):
    root = written(tmp_path)
    assert led(root, "module.py", "    return _QUERY") == {"module.py:8"}
    assert led(root, "module.py", "            return _CALL") == {"module.py:17"}
    assert led(root, "module.py", "        return inner()") == {"module.py:16"}


def test_what_names_a_constant_leads_to_it_wherever_it_is(tmp_path):
    root = written(tmp_path)
    assert led(root, "module.py", '_QUERY = f"select {LIMIT}"') == {"module.py:8"}
    call = {"module.py:16", "module.py:17", "other.py:4"}
    assert led(root, "module.py", '_CALL = "select * from find_goods(1)"') == call
    assert led(root, "module.py", "LIMIT = 3") == {"module.py:8"}


def test_what_calls_an_sql_function_leads_to_it(tmp_path):
    root = written(tmp_path)
    call = {"module.py:16", "module.py:17", "other.py:4"}
    assert led(root, "goods.sql", "    select count_goods(p)") == call
    assert led(root, "goods.sql", "    select 1") == call


def test_a_class_s_own_lines_a_default_and_a_trigger_are_reached_in_any_way(tmp_path):
    root = written(tmp_path)
    assert led(root, "module.py", "    kept = 1") is None
    assert led(root, "module.py", "def first(many: int = LIMIT) -> str:") is None
    assert led(root, "goods.sql", "begin return new; end $$;") is None


TESTS = """import subprocess
import sys
import threading

import pytest

import module


@pytest.fixture(scope="session")
def reader():
    return module.Reader().read()


def test_calls():
    module.first()


def test_calls_in_a_thread():
    thread = threading.Thread(target=module.first)
    thread.start()
    thread.join()


def test_uses_a_fixture_first(reader):
    pass


def test_uses_a_fixture_after_it(reader):
    pass


def test_starts_a_process():
    subprocess.run([sys.executable, "-c", ""], check=True)


def test_calls_nothing():
    pass


def test_fails():
    module.first()
    raise AssertionError
"""
RUN = """
import sys
from pathlib import Path
import pytest
from tools.mutants.reaching import Recorder
root = Path(sys.argv[1])
recorder = Recorder(root, root / "reached.json")
recorder.start()
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "--rootdir", str(root), str(root)], plugins=[recorder]))
"""


def test_each_test_is_written_down_with_what_it_calls(tmp_path):
    (tmp_path / "module.py").write_text(MODULE)
    (tmp_path / "test_it.py").write_text(TESTS)
    subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path)], cwd=ROOT, check=False, capture_output=True
    )

    rows, failed = read_reached(tmp_path / "reached.json")
    assert failed == ["test_it.py::test_fails"]
    found = {
        reached.test.split("::")[1]: {
            name.removeprefix("module.py:")
            for name in reached.functions
            if not name.startswith("test_it.py")
        }
        for reached in rows
    }

    imported = {"1", "13"}  # the module, and its class
    assert found == {
        "test_calls": imported | {"8"},
        "test_calls_in_a_thread": imported | {"8"},
        "test_uses_a_fixture_first": imported | {"16", "17"},
        "test_uses_a_fixture_after_it": imported | {"16", "17"},
        "test_starts_a_process": imported | {ANYTHING},
        "test_calls_nothing": imported,
    }


def test_only_tests_that_call_a_leading_function_run_and_the_quick_ones_of_the_nearest_file_first():
    def reached(test: str, seconds: float, *functions: str) -> Reached:
        return Reached(test, frozenset(functions), seconds)

    slow, quick = reached("a/test_x.py::slow", 2.0, "f"), reached("a/test_x.py::quick", 1.0, "f")
    other = reached("a/test_y.py::other", 3.0, "f", "g")
    race, process = reached("races/test_z.py::race", 0.1, "g"), reached("a/test_y.py::p", 4.0, "*")
    all_of_them = [other, slow, quick, process, race, reached("b/test_x.py::far", 0.1, "f")]
    files = ["a/test_x.py", "a/test_y.py", "races"]

    assert noticed_by(files, all_of_them, {"f"}) == [quick, slow, other, process]
    assert noticed_by(files, all_of_them, {"g"}) == [other, process, race]
    assert noticed_by(files, all_of_them, None) == [quick, slow, other, process, race]
    assert noticed_by(["a/test_x.py"], all_of_them, {"g"}) == []
