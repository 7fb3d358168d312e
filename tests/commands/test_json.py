"""`--json`: on everything that prints data, and then stdout has nothing else."""

import json
import re
import uuid

import psycopg

from tests.support.command_line import every_command
from tests.support.processes import ROOT

PRINTS_NO_DATA = {"run", "serve", "worker"}
SHOP = ("--shop", "demo")


def test_every_command_that_prints_data_takes_it():
    without = {name for name, options in every_command().items() if "--json" not in options}
    assert without == PRINTS_NO_DATA


def test_migrate_says_whether_it_changed_anything(alone, empty_database_url):
    assert alone.ask("migrate") == {"changed": False, "is_current": True}
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("update schema_functions set checksum = 'draft-old'")

    due = alone.run("migrate", "--check", "--json")
    assert (due.returncode, json.loads(due.stdout)) == (1, {"changed": False, "is_current": False})
    assert alone.ask("migrate") == {"changed": True, "is_current": True}
    assert alone.ask("migrate", "--check") == {"changed": False, "is_current": True}


def test_export_tells_of_the_file(demo, tmp_path):
    out = tmp_path / "demo.csv"
    told = demo.ask("export", "--format", "shopify-csv", *SHOP, "--out", out)

    size = out.stat().st_size
    facts = {"file": str(out), "format": "shopify-csv", "shop": "demo", "bytes": size}
    assert told.items() >= facts.items()
    assert size > 10_000


def test_export_without_a_file_has_no_room_for_it(demo):
    refused = demo.run("export", "--format", "jsonl", *SHOP, "--json")

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--out" in refused.stderr


def test_connector_set_shows_the_connector(demo):
    name = f"hand-{uuid.uuid4().hex[:8]}"
    demo.ask("connector", "add", name, *SHOP, "--kind", "manual", "--no-default")

    changed = demo.ask("connector", "set", name, *SHOP, "--disable")

    assert (changed["name"], changed["kind"], changed["enabled"]) == (name, "manual", False)
    assert changed in demo.ask("connector", "list", *SHOP)


def test_sales_rep_disable_and_enable_show_the_sales_rep(demo):
    added = demo.ask("sales-rep", "add", *SHOP, "--name", "Nora")

    disabled = demo.ask("sales-rep", "disable", added["id"], *SHOP)

    assert disabled == {**added, "name": "Nora", "email": None, "active": False, "customers": 0}
    assert demo.ask("sales-rep", "enable", added["id"], *SHOP) == {**disabled, "active": True}


def test_partner_sign_shows_the_request_in_its_parts(demo, demo_server):
    key = demo.ask("demo", "credentials")["shoppex_partner"]["key"]
    (demo.data_dir / "order.json").write_text('{"items": [], "é": 1}')

    signed = demo.ask("partner", "sign", "--key", key, "--method", "POST", "--body", "order.json")

    assert list(signed) == ["method", "url", "headers", "body", "curl"]
    assert signed["method"] == "POST"
    assert signed["url"].startswith(f"{demo_server.url}/wp-json/shoppex-integrations/v1/")
    assert signed["headers"]["X-Shoppex-Key"] == key
    assert signed["body"] == '{"items": [], "é": 1}'
    assert json.loads(demo.shell(signed["curl"]))["code"]


def test_partner_sign_names_a_body_that_json_cannot_hold(demo):
    (demo.data_dir / "latin.json").write_bytes(b"\xe9")
    told = demo.refuse("partner", "sign", "--key", "pk_1", "--body", "latin.json", "--json")
    assert "not UTF-8" in told


def test_openapi_is_on_one_line(alone):
    ended = alone.run("openapi", "--channel", "shoppex_partner", "--json")
    assert ended.stdout.count("\n") == 1
    assert json.loads(ended.stdout)["openapi"]


def test_commands_report_json_in_one_way():
    """Through crossdock.terminal: no command prints JSON, or declares --json, by itself."""
    own = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "src/crossdock/commands").rglob("*.py")
        if re.search(
            r"typer\.echo\(\s*msgspec\.json|^JsonOption =|^ShopOption = Annotated\[str,",
            path.read_text(),
            re.MULTILINE,
        )
    ]

    assert own == []
