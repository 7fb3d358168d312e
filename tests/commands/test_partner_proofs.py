"""`crossdock partner` for channels whose partners show a token, or a user name and a password."""

import json
import subprocess
from typing import Any

import pytest

from crossdock.kit.clock import FrozenClock
from tests.conftest import NOON
from tests.support.clocked import clocked
from tests.support.forking import run_forked
from tests.support.processes import environment
from tests.support.toy_doors import tokens, viewers
from tests.support.toy_doors.calling import Caller

# Two more lines in the registry.
DOORS = ("tests.support.toy_doors.tokens", "tests.support.toy_doors.viewers")


@pytest.fixture
def run(alone):
    """Run a command; its end."""
    alone.run("shop", "add", "one", "--name", "One", "--currency", "EUR")

    def command(*arguments: object) -> subprocess.CompletedProcess[str]:
        return run_forked(
            tuple(map(str, arguments)), env=environment(**alone.settings), cwd=str(alone.data_dir),
            timeout_s=60, stdin=None, doors=DOORS,
        )  # fmt: skip

    return command


@pytest.fixture
def ask(run):
    """What a command prints with --json."""

    def command(*arguments: object) -> Any:
        ended = run(*arguments, "--json")
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    return command


def test_each_proof_prints_what_the_partner_needs_and_shows_it_once(run, ask):
    both = ask("partner", "add", "--channel", "toy_tokens", "--shop", "one", "--name", "Acme")
    viewer = ask("partner", "add", "--channel", "toy_viewers", "--shop", "one", "--name", "Bolt")

    assert list(both) == [
        *("partner_id", "shop", "channel", "name", "key", "token", "user_name", "password"),
    ]
    assert list(viewer)[4:] == ["viewerid", "accesstoken"]
    assert both["token"].startswith("toy_")
    assert len(both["token"]) == 36
    assert len(both["password"]) == 32
    assert viewer["viewerid"].isdigit()

    shown = run("partner", "show", "Acme").stdout
    listed = ask("partner", "show", "Acme")
    assert [key["proof"] for key in listed["credentials"]] == ["bearer", "password"]
    assert [key["key"] for key in listed["credentials"]] == [both["key"], both["user_name"]]
    assert f"token {listed['credentials'][0]['secrets'][0]['id']} {both['token'][:8]}..." in shown
    for secret in (both["token"], both["password"]):
        assert secret not in shown + json.dumps(listed)


def test_adding_tells_people_what_to_store(run):
    told = run(
        "partner", "add", "--channel", "toy_viewers", "--shop", "one", "--name", "Bolt"
    ).stdout.splitlines()

    assert told[0].endswith("Bolt (toy_viewers)")
    assert [line.split()[0] for line in told[1:]] == ["viewerid", "accesstoken"]
    assert "shown only now" not in told[1]
    assert "shown only now" in told[2]


async def test_a_rotated_and_a_revoked_secret_count_on_a_running_server(ask, alone, run):
    made = ask("partner", "add", "--channel", "toy_tokens", "--shop", "one", "--name", "Acme")
    told = run("partner", "rotate", "Acme").stderr
    fresh = ask("partner", "rotate", "Acme", "--key", made["key"])
    password = ask("partner", "rotate", made["user_name"])

    assert "Choose a key with --key" in told
    assert fresh["key"] == made["key"]
    assert fresh["token"] != made["token"]
    assert password["user_name"] == made["user_name"]
    async with clocked(
        database_url=alone.settings["database_url"], data_dir=str(alone.data_dir),
        clock=FrozenClock(NOON), doors=(tokens, viewers),
    ) as served:  # fmt: skip
        caller = Caller(served)
        assert (await caller.by_token(made["token"])).status_code == 200
        assert (await caller.by_token(fresh["token"])).status_code == 200
        assert (
            await caller.by_password(made["user_name"], password["password"])
        ).status_code == 200

        assert ask("partner", "revoke-old", made["key"]) == {"revoked": 1}
        assert (await caller.by_token(made["token"])).status_code == 401
        assert ask("partner", "revoke", made["key"]) == {"revoked": 1}
        assert (await caller.by_token(fresh["token"])).status_code == 401
        assert ask("partner", "revoke", made["user_name"]) == {"revoked": 2}
        assert (
            await caller.by_password(made["user_name"], password["password"])
        ).status_code == 401
        last = ask("partner", "rotate", made["key"])
        assert (await caller.by_token(last["token"])).status_code == 200
        await caller.client.aclose()
