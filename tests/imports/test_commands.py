"""`crossdock shop`, `import` and `export` as a person runs them: exit codes and what goes where."""

import json

import pytest

from crossdock.imports.exporting import EXPORT_FORMATS
from crossdock.kit.ids import RandomIds
from tests.support.processes import run_command

GOOD = '{"sku": "a", "name": "A", "retail": "1.50", "on_hand": 2}\n'


@pytest.fixture
def crossdock(database_url, tmp_path):
    """Run a command on this worker's database."""

    def run(*arguments):
        settings = {"database_url": database_url, "data_dir": tmp_path}
        return run_command(*map(str, arguments), settings=settings)

    return run


@pytest.fixture
def slug(crossdock):
    slug = f"shop-{RandomIds().random_token(10).lower()}"
    assert crossdock("shop", "add", slug, "--name", "Goods", "--currency", "USD").returncode == 0
    return slug


def test_exit_codes_follow_the_contract(crossdock, slug, tmp_path):
    path = tmp_path / "file.jsonl"
    path.write_text(GOOD)
    arguments = ("import", path, "--format", "jsonl", "--shop", slug)
    assert crossdock(*arguments, "--dry-run").returncode == 0
    result = crossdock(*arguments, "--json")
    assert result.returncode == 0
    assert json.loads(result.stdout)["products_added"] == 1

    path.write_text(GOOD + '{"sku": "b"}\n')
    report = tmp_path / "report.jsonl"
    result = crossdock(*arguments, "--report", report)
    assert (result.returncode, result.stdout) == (1, "")
    assert "missing required field" in result.stderr
    [finding] = map(json.loads, report.read_text().splitlines())
    assert (finding["row"], finding["is_warning"]) == (2, False)

    for wrong in (
        ("import", tmp_path / "nothing", "--format", "jsonl", "--shop", slug),
        ("import", path, "--format", "xlsx", "--shop", slug),
        ("import", path, "--format", "jsonl", "--shop", "nobody"),
        ("import", path, "--format", "jsonl", "--shop", slug, "--map", path),
        ("export", "--format", "xlsx", "--shop", slug),
        ("export", "--format", "jsonl", "--shop", "nobody"),
    ):
        result = crossdock(*wrong)
        assert (result.returncode, "Traceback" in result.stderr) == (2, False), wrong


def test_an_export_is_written_whole_to_a_file_or_to_stdout(crossdock, slug, tmp_path):
    path = tmp_path / "file.jsonl"
    path.write_text(GOOD)
    crossdock("import", path, "--format", "jsonl", "--shop", slug)
    out = tmp_path / "out.csv"
    assert (
        crossdock("export", "--format", "shopify-csv", "--shop", slug, "--out", out).returncode == 0
    )
    assert out.read_text().startswith("Handle,Title,")
    assert [entry.name for entry in tmp_path.glob(".*.part")] == []
    result = crossdock("export", "--format", "jsonl", "--shop", slug)
    assert '"sku":"a"' in result.stdout


def test_a_shop_is_added_once_and_listed(crossdock, slug):
    assert crossdock("shop", "add", slug, "--name", "Goods", "--currency", "USD").returncode == 1
    assert crossdock("shop", "add", "x y", "--name", "Goods", "--currency", "USD").returncode == 1
    assert crossdock("shop", "add", "xyz", "--name", "Goods", "--currency", "XXY").returncode == 1
    shops = json.loads(crossdock("shop", "list", "--json").stdout)
    assert slug in {shop["slug"] for shop in shops}


@pytest.mark.parametrize("file_format", EXPORT_FORMATS)
def test_a_sample_file_is_imported_without_a_refused_row(crossdock, slug, tmp_path, file_format):
    path = tmp_path / "sample"
    made = crossdock(
        "demo",
        "file",
        "--format",
        file_format,
        "--currency",
        "USD",
        "--products",
        40,
        "--out",
        path,
    )
    assert made.returncode == 0, made.stderr

    ended = crossdock("import", path, "--format", file_format, "--shop", slug, "--json")

    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert (report["refused"], report["products_added"] > 30) == (0, True), report
