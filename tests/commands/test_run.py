"""`crossdock run`: what a newcomer sees first."""

import json
import re
import time

from tests.support.command_line import CommandLine
from tests.support.processes import ROOT, serving


def test_loads_a_demo_greets_and_is_quick_the_second_time(empty_database_url, tmp_path):
    line = CommandLine(data_dir=tmp_path, database_url=empty_database_url)
    with running(line) as server:
        greeting = wait_for(server, "demo credentials\n")
        console = line.ask("demo", "credentials")["console"]
        assert console["url"] in greeting
        assert f"sign in as {console['email']} with {console['password']}" in greeting
        assert "Loading the demo shop" in greeting
        assert f"{server.url}/docs/api/shoppex_partner" in greeting
        assert "sk_" not in greeting
        assert line.ask("demo", "credentials")["base_url"] == server.url

        listing, ordering, searching, querying, merchant, key = re.findall(
            r"^eval .*?(?=\n\n)", greeting, re.DOTALL | re.MULTILINE
        )
        assert len(json.loads(in_checkout(line, listing))) > 1_000
        order = json.loads(in_checkout(line, ordering))
        assert order["success"]
        assert order["order_detail_url"].startswith(f"{server.url}/order-detail/")
        assert "/v3/catalog/?search=" in searching
        answer = json.loads(in_checkout(line, querying))
        assert len(answer["data"]["productList"]["edges"]) == 3
        assert json.loads(in_checkout(line, merchant))["data"]["slug"] == "demo"
        assert len(json.loads(in_checkout(line, key))["data"]["serials"]) == 1
    assert list(tmp_path.glob("server-*")) == []

    begun = time.monotonic()
    with running(line) as server:
        assert "Loading" not in server.log()
        assert time.monotonic() - begun < 15  # a loaded machine; alone it takes about two


def running(line):
    return serving(line.data_dir, command="run", database_url=line.settings["database_url"])


def in_checkout(line, script):
    return line.shell(f"cd {ROOT}\n{script}\n")


def wait_for(server, text):
    deadline = time.monotonic() + 60
    while text not in server.log():
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.1)
    return server.log()
