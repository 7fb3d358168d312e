"""Where there is no installation."""

import pytest
from typer.testing import CliRunner

from crossdock.cli import Line, app
from crossdock.settings import ENVIRONMENT_PREFIX, SettingsError
from tests.support.command_line import every_command
from tests.support.forking import run_forked
from tests.support.processes import environment

MAKES_ONE = {"run", "serve", "migrate", "demo load", "restore"}
NEEDS_NONE = {"settings", "openapi", "reseller url", "demo file"}
REFUSED = """
    worker
    migrate --check
    doctor
    backup b.backup
    import file goods.jsonl --format jsonl --shop demo
    import list --shop demo
    export --format jsonl --shop demo
    search query chair --shop demo
    search explain chair --shop demo
    search rebuild --shop demo
    search status
    jobs list
    jobs show 1
    jobs retry 1
    shop add mine --name Mine --currency EUR
    shop set demo --time-zone UTC
    shop suspend demo
    shop resume demo
    shop disable demo
    shop enable demo
    shop list
    merchant add Acme --shop demo
    merchant set acme --shop demo --shipping 5
    merchant list --shop demo
    merchant show acme --shop demo
    coupon add TEN --shop demo --percent-off 10
    coupon add-code SPRING --shop demo --amount-off 5 --max-uses 10
    coupon list --shop demo
    coupon disable TEN --shop demo
    coupon enable TEN --shop demo
    tax set US-TX 8.25 --shop demo
    tax list --shop demo
    tax remove US-TX --shop demo
    partner add --channel shoppex_partner --shop demo --name Acme
    partner list
    partner show 1
    partner set 1 --set backorder=yes
    partner rotate 1
    partner revoke 1
    partner revoke-old 1
    partner disable 1
    partner enable 1
    partner offers 1 A
    partner explain
    partner sign --key pk_1
    customer add --shop demo --email a@b.example
    customer list --shop demo
    customer show 1 --shop demo
    customer set 1 --shop demo --set active=no
    customer disable 1 --shop demo
    customer enable 1 --shop demo
    price-list add Gold --shop demo
    price-list set Gold - --shop demo
    price-list list --shop demo
    price-list show Gold --shop demo
    person add a@b.example --shop demo --role owner
    person list
    person set-role a@b.example owner
    person reset-password a@b.example
    person disable a@b.example
    person enable a@b.example
    person reset-totp a@b.example
    person invite a@b.example --shop demo --role viewer
    person sessions a@b.example
    person sign-out a@b.example
    log
    demo credentials
    fulfil sender --shop demo
    fulfil list --shop demo
    fulfil show 1 --shop demo
    fulfil release 1 --shop demo
    fulfil cancel 1 --shop demo
    fulfil close 1 --shop demo
    fulfil start 1 --shop demo
    fulfil pick 1 --shop demo --all
    fulfil pack 1 --shop demo --all
    fulfil unpick 1 --shop demo --all
    fulfil unpack 1 --shop demo
    fulfil serial 1 1 --shop demo
    fulfil find-serial --shop demo
    fulfil ship 1 --shop demo
    fulfil deliver 1 --shop demo
    fulfil track 1 --all --carrier dhl --number N1 --shop demo
    fulfil checkpoint 1 --code landed --shop demo
    fulfil label 1 --shop demo --to label.pdf
    fulfil return announce 1 1=1 --shop demo
    fulfil return receive 1 --shop demo
    stock show A --shop demo
    stock receive A 1 --shop demo
    stock adjust A --shop demo --by 1
    stock transfer A 1 --shop demo --from own --to supplier
    stock low --shop demo
    stock entries A --shop demo
    stock serials add A --shop demo
    stock serials import A keys.txt --shop demo
    stock serials list A --shop demo
    order place --shop demo --customer 1 --line A=1
    order list --shop demo
    order show 1 --shop demo
    order pay 1 --shop demo
    order refund 1 --shop demo
    order refund-line 1 1 --reason agreement --shop demo
    order cancel 1 --shop demo
    order address 1 --shop demo
    order serials 1 --shop demo
    ticket list --shop demo
    ticket show 1 --shop demo
    ticket assign 1 --shop demo --to a@b.example
    ticket reply 1 --shop demo --text Hello
    ticket ask 1 --shop demo --text Why
    ticket hold 1 --shop demo
    ticket solve 1 --shop demo
    reseller apps add Ledger --shop demo --redirect https://a.example/back --scope orders.read
    reseller apps list --shop demo
    reseller apps rotate x
    reseller apps revoke x
    reseller program --shop demo
    reseller invite a@b.example --shop demo
    reseller accept x
    reseller key 1
    reseller keys 1
    reseller revoke-key 1 x
    reseller credit 1 5.00
    reseller settle 1
    reseller top-up 1 5.00
    reseller statement 1
    reseller list --shop demo
    reseller show 1
    reseller approve 1
    reseller suspend 1
    reseller reactivate 1
    reseller terminate 1
    reseller transfers list 1
    reseller transfers show 1 1
    reseller transfers mark-paid 1 1
    reseller transfers allocate 1 1
    reseller transfers revoke 1 1
    reseller inventory list 1
    reseller inventory deliver 1 1 a@b.example
    reseller payouts list 1
    reseller payouts balance 1
    reseller payouts request 1 20.00 --address T1
    reseller payouts approve 1 1
    reseller payouts reject 1 1
    reseller payouts complete 1 1
    reseller payouts cancel 1 1
    product list --shop demo
    product show A --shop demo
    product set A --shop demo --price 1
    product on A --shop demo
    product off A --shop demo
    order note 1 x --shop demo
    media add a.png --product A --shop demo
    media remove x --product A --shop demo
    media list --shop demo
    media show 1 --shop demo
    media fetch --shop demo
    media failed --shop demo
    invoice list --shop demo
    invoice void 1 --shop demo
    invoice refund 1 --shop demo
    ledger accounts --shop demo
    ledger entries --shop demo
    ledger trial --shop demo
    ledger verify --shop demo
    event list --shop demo
    event consumers
    alerts list --shop demo
    alerts show 1
    alerts seen 1 --shop demo
    mail list --shop demo
    mail show 1 --shop demo
    connector add by-hand --shop demo --kind manual
    connector list --shop demo
    connector set by-hand --shop demo --disable
    connector test by-hand --shop demo
    dispatch list --shop demo
    dispatch show 1 --shop demo
    dispatch resend 1 --shop demo
    delivery list --shop demo
    delivery show 1 --shop demo
    delivery resend 1 --shop demo
    delivery withdraw 1 --shop demo
    webhook list --shop demo
    webhook add https://a.example/in --shop demo
    webhook rotate 1 --shop demo
    webhook test 1 --shop demo
    webhook log --shop demo
    webhook retry 1 --shop demo
    webhook pause 1 --shop demo
    webhook resume 1 --shop demo
    webhook feed --shop demo
    delivery kinds
    sales-rep add --shop demo --name Nora
    sales-rep list --shop demo
    sales-rep disable 1 --shop demo
    sales-rep enable 1 --shop demo
    master-key change
    master-key reseal
    master-key forget
"""
LINES = [line.strip() for line in REFUSED.split("\n") if line.strip()]


def test_every_command_is_asked_about():
    commands = every_command()
    asked = {next(name for name in commands if f"{line} ".startswith(f"{name} ")) for line in LINES}
    assert asked | MAKES_ONE | NEEDS_NONE == set(commands)


@pytest.mark.parametrize("line", LINES)
def test_a_command_that_needs_one_refuses_and_makes_nothing(line, tmp_path, monkeypatch):
    nowhere = tmp_path / "nowhere"
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(f"{ENVIRONMENT_PREFIX}DATABASE_URL", raising=False)
    monkeypatch.setenv(f"{ENVIRONMENT_PREFIX}DATA_DIR", str(nowhere))

    ended = CliRunner().invoke(app, line.split(), obj=Line())

    assert isinstance(ended.exception, SettingsError), ended.output
    assert f"no database in {nowhere}." in ended.exception.message
    assert list(tmp_path.iterdir()) == []


def crossdock(*arguments, folder):
    return run_forked(arguments, env=environment(), cwd=str(folder), timeout_s=60, stdin=None)


def test_the_refusal_is_one_line_that_says_where_and_what_to_do(tmp_path):
    ended = crossdock("doctor", "--json", folder=tmp_path)

    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    for word in (f"{tmp_path}/data.", "CROSSDOCK_DATA_DIR", "CROSSDOCK_DATABASE_URL", "migrate"):
        assert word in line


def test_a_folder_with_no_database_in_it_is_none(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "crossdock.toml").write_text("port = 9000\n")

    assert crossdock("partner", "list", folder=tmp_path).returncode == 2
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["crossdock.toml"]


def test_a_path_through_a_file_is_none(tmp_path):
    (tmp_path / "data").write_text("")

    assert "no database in" in crossdock("doctor", folder=tmp_path).stderr


def test_migrate_makes_one_for_all_others(tmp_path):
    assert crossdock("migrate", folder=tmp_path).stdout == "Migrated.\n"

    assert crossdock("shop", "list", "--json", folder=tmp_path).stdout == "[]\n"
    assert crossdock("migrate", "--check", folder=tmp_path).returncode == 0
    discard_cluster(tmp_path / "data")


def test_demo_load_makes_one(tmp_path):
    assert crossdock("demo", "load", "--products", "10", folder=tmp_path).returncode == 0

    assert crossdock("demo", "credentials", folder=tmp_path).returncode == 0
    discard_cluster(tmp_path / "data")


def discard_cluster(folder):
    from crossdock.db.embedded import EmbeddedPostgres

    with EmbeddedPostgres(folder, temporary=True):
        pass
