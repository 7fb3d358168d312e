"""`crossdock person`, and the console user of the demo."""

import psycopg
import pytest

from tests.support.people import PlainBrowser
from tests.support.processes import run_command


def test_a_person_is_added_with_a_password_that_is_shown_once(alone):
    alone.run("shop", "add", "one", "--name", "One", "--currency", "EUR")

    added = alone.ask("person", "add", "ada@x.example", "--shop", "one", "--role", "owner",
                      "--name", "Ada")  # fmt: skip
    listed = alone.ask("person", "list")

    assert len(added["password"]) == 20
    assert (added["email"], added["role"], added["shop"]) == ("ada@x.example", "owner", "one")
    assert [row["email"] for row in listed] == ["ada@x.example"]
    assert "password" not in listed[0]
    told = alone.refuse("person", "add", "ADA@x.example", "--shop", "one", "--role", "viewer")
    assert "a person with the e-mail ADA@x.example already" in told


def test_a_given_password_is_read_from_stdin_checked_and_not_repeated(alone):
    alone.run("shop", "add", "one", "--name", "One", "--currency", "EUR")
    arguments = ("person", "add", "ada@x.example", "--shop", "one", "--role", "owner")

    def add(password):
        return run_command(
            *arguments, "--password-stdin", settings=alone.settings, stdin=f"{password}\n"
        )

    weak = add("password1234")
    good = add("quiet harbour, nine boats")

    assert weak.returncode == 1
    assert "one of the commonest" in weak.stderr
    assert good.returncode == 0
    assert "quiet" not in good.stdout + good.stderr


def test_role_password_and_state_are_changed(alone, empty_database_url):
    alone.run("shop", "add", "one", "--name", "One", "--currency", "EUR")
    for email, role in (("ada@x.example", "owner"), ("bo@x.example", "viewer")):
        alone.ask("person", "add", email, "--shop", "one", "--role", role)
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("update people set totp_sealed = 'x' where email = 'bo@x.example'")

    assert alone.ask("person", "set-role", "bo@x.example", "manager")["role"] == "manager"
    assert len(alone.ask("person", "reset-password", "bo@x.example")["password"]) == 20
    assert alone.ask("person", "reset-totp", "bo@x.example")["has_totp"] is False
    assert alone.ask("person", "disable", "bo@x.example")["active"] is False
    assert alone.ask("person", "enable", "bo@x.example")["active"] is True
    assert "last owner" in alone.refuse("person", "disable", "ada@x.example")
    assert "There is no person with the e-mail" in alone.refuse(
        "person", "disable", "nobody@x.example"
    )
    assert "one of owner" in alone.refuse("person", "set-role", "bo@x.example", "root")


def test_a_partners_person_is_added_by_the_partner_alone(alone):
    alone.run("shop", "add", "one", "--name", "One", "--currency", "EUR")
    partner = alone.ask(
        "partner", "add", "--channel", "shoppex_partner", "--shop", "one", "--name", "Acme"
    )

    added = alone.ask("person", "add", "robin@acme.example", "--partner", partner["partner_id"])
    also = alone.ask("person", "add", "kim@acme.example", "--partner", "Acme")

    for person in (added, also):
        assert (person["partner_id"], person["role"]) == (partner["partner_id"], "partner")
        assert person["shop"] == "one"
    refusals = (("--shop", "one"), ("--role", "owner"), ("--shop", "one", "--partner", "Acme"), ())
    for options in refusals:
        assert "or --partner alone" in alone.refuse("person", "add", "x@x.example", *options)
    assert "no partner" in alone.refuse("person", "add", "x@x.example", "--partner", "Nobody")
    assert "only staff have roles" in alone.refuse(
        "person", "set-role", "kim@acme.example", "owner"
    )


async def test_the_demos_console_user_signs_in(demo, demo_server):
    console = demo.ask("demo", "credentials")["console"]

    async with PlainBrowser(demo_server.url) as visitor:
        entered = await visitor.sign_in(console["email"], password=console["password"])
        home = await visitor.get("/console/")

    assert console["url"] == f"{demo_server.url}/console/"
    assert entered.headers["location"] == "/console/"
    assert "owner" in home.text


@pytest.mark.slow
def test_loading_the_demo_again_puts_its_console_password_back(alone):
    alone.run("demo", "load", "--products", 60)
    before = alone.ask("demo", "credentials")["console"]
    alone.ask("person", "reset-password", before["email"])

    again = alone.ask("demo", "load", "--products", 60)

    assert again["others_changed"] == 1
    assert alone.ask("demo", "credentials")["console"] == before


def test_an_invited_person_gets_a_link_and_every_change_is_in_the_log(alone):
    alone.run("shop", "add", "one", "--name", "One", "--currency", "EUR")
    alone.run("shop", "add", "two", "--name", "Two", "--currency", "EUR")

    invited = alone.ask("person", "invite", "bo@x.example", "--shop", "one", "--role", "viewer")
    alone.ask("person", "set-role", "bo@x.example", "manager")
    alone.refuse("person", "set-role", "bo@x.example", "root")
    alone.ask("person", "list")
    ended = alone.ask("person", "sign-out", "bo@x.example")
    log = alone.ask("log", "--shop", "one")

    assert "/console/welcome/token/" in invited["url"]
    assert ended == {"ended": 0}
    assert [(each["act"], each["details"]) for each in log] == [
        ("crossdock person set-role", {"email": "bo@x.example", "role": "manager"}),
        ("crossdock person invite", {"email": "bo@x.example", "shop": "one", "role": "viewer"}),
        ("crossdock shop add", log[2]["details"]),
    ]
    assert log[0]["actor"].startswith("command line (")
    assert alone.ask("person", "sessions", "bo@x.example") == []
