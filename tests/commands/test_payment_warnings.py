"""`crossdock doctor` warns of orders that nobody pays, and of a trial with real money."""

from tests.support.command_line import CommandLine


def test_names_the_key_that_does_not_fit_the_shop_and_never_shows_it(alone: CommandLine):
    alone.ask("shop", "add", "demo", "--name", "D", "--currency", "EUR", "--country", "BE")
    told = {}
    for key in ("sk_test_4eC39", "sk_live_4eC39"):
        line = CommandLine(
            data_dir=alone.data_dir,
            database_url=str(alone.settings["database_url"]),
            stripe_secret_key=key,
            shoppable_payment_provider="stripe",
        )
        examined = line.run("doctor")
        assert (examined.returncode, key in examined.stdout + examined.stderr) == (0, False)
        told[key] = examined.stderr.splitlines()

    assert told == {
        "sk_test_4eC39": [
            "shoppable: orders are paid by Stripe's test mode, which takes test cards and moves no money"
        ],
        "sk_live_4eC39": [
            (
                "demo: the shop is for trying, and Stripe's key is live: an order of its staff charges a"
                " real card"
            )
        ],
    }
