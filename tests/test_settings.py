"""Settings: where they come from, what is refused, and that the example file tells the truth."""

import re
import tomllib
from pathlib import Path

import pytest

from crossdock.channels.registry import default_settings, load_settings, manifests
from crossdock.channels.shoppex_partner.settings import ShoppexPartnerSettings
from crossdock.channels.shopwedo.settings import ShopwedoSettings
from crossdock.commands.server.payment_warnings import warnings_of_channels, warnings_of_trials
from crossdock.compose import Services
from crossdock.db.runtime import create_runtime
from crossdock.settings import PAYMENT_PROVIDERS, SettingsError, describe, unknown_variables

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "crossdock.example.toml"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_defaults_need_no_file_and_no_environment():
    assert load_settings({}) == default_settings()


def test_file_in_the_working_folder_is_read(tmp_path):
    (tmp_path / "crossdock.toml").write_text("port = 9001\n")

    assert load_settings({}).server.port == 9001


def test_file_in_the_data_folder_is_read(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "crossdock.toml").write_text('log_format = "json"\n')

    settings = load_settings({"CROSSDOCK_DATA_DIR": str(tmp_path / "store")})

    assert settings.log.format == "json"
    assert settings.server.data_path == tmp_path / "store"


def test_environment_wins_over_the_file(tmp_path):
    (tmp_path / "mine.toml").write_text("port = 9001\nworkers = 3\n")

    settings = load_settings({"CROSSDOCK_CONFIG": "mine.toml", "CROSSDOCK_PORT": "9002"})

    assert (settings.server.port, settings.server.workers) == (9002, 3)


def test_environment_texts_become_numbers_flags_and_lists():
    settings = load_settings(
        {
            "CROSSDOCK_SC_REQUIRES_STOCK": "true",
            "CROSSDOCK_CREATE_STATUS": "200",
            "CROSSDOCK_SALES_REP_DIRECTORY_TIMEOUT_S": "1.5",
            "CROSSDOCK_DISPATCH_RETRY_S": "1, 2,3",
            "CROSSDOCK_ALLOWED_OUTBOUND_HOSTS": "127.0.0.1:9000,sim.test",
        }
    )

    assert settings.stock.sc_requires_stock is True
    assert settings.section(ShoppexPartnerSettings).create_status == 200
    assert settings.sales_rep.directory_timeout_s == 1.5
    assert settings.dispatch.retry_s == (1, 2, 3)
    assert settings.outbound.allowed_outbound_hosts == ("127.0.0.1:9000", "sim.test")


def test_an_unknown_name_in_the_file_is_refused_with_the_nearest_known(tmp_path):
    (tmp_path / "crossdock.toml").write_text("databse_url = ''\n")

    with pytest.raises(SettingsError, match="'databse_url'; did you mean database_url"):
        load_settings({})


@pytest.mark.parametrize(
    ("provider", "key", "told"),
    [
        ("sandbox", "", {"shoppable": "sandbox"}),
        ("stripe", "sk_test_1", {"shoppable": "Stripe's test mode"}),
        ("stripe", "rk_test_1", {"shoppable": "Stripe's test mode"}),
        ("stripe", "sk_live_1", {"demo": "charges a real card"}),
    ],
)
def test_orders_that_nobody_pays_and_trials_with_real_money_are_warned_of(provider, key, told):
    settings = load_settings(
        {
            "CROSSDOCK_SHOPPABLE_PAYMENT_PROVIDER": provider,
            "CROSSDOCK_STRIPE_SECRET_KEY": key,
        }
    )

    found = [*warnings_of_channels(settings), *warnings_of_trials(settings, slugs=["demo", "mine"])]

    assert [warned.subject for warned in found] == list(told)
    assert all(told[warned.subject] in warned.text for warned in found)
    assert warnings_of_trials(settings, slugs=["mine"]) == []


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("PORT", "http", "port in CROSSDOCK_PORT: Expected `int`"),
        ("PORT", "70000", "port in CROSSDOCK_PORT"),
        ("LOG_LEVEL", "loud", "log_level in CROSSDOCK_LOG_LEVEL"),
        ("SC_REQUIRES_STOCK", "perhaps", "sc_requires_stock"),
        ("DISPATCH_RETRY_S", "1,soon", "dispatch_retry_s"),
        ("CLOCK", "tomorrow", "clock must be"),
        ("DATABASE_URL", "mysql://x", "database_url must start with postgresql://"),
        ("PUBLIC_URL", "shop.example", "public_url must start with http"),
        ("MASTER_KEY", "c2hvcnQ=", "master_key must be 32 bytes in base64"),
        ("NONCE_TTL_S", "10", "nonce_ttl_s must be more than twice"),
        ("NONCE_TTL_S", "600", "nonce_ttl_s must be more than twice"),
        ("ORDER_NOTE_TEMPLATE", "PO {order}", "must contain {partner_order_id}"),
        ("POOL_MIN", "11", "pool_min must not be larger than pool_max"),
        ("SHOPPABLE_PAYMENT_PROVIDER", "sandbx", "names 'sandbx', which is no payment provider"),
        ("SHOPPABLE_PAYMENT_PROVIDER", "stripe", "which needs stripe_secret_key"),
        ("STRIPE_SECRET_KEY", "pk_test_1", "stripe_secret_key must be a key"),
        ("STRIPE_API_URL", "api.stripe.com", "stripe_api_url must start with https://"),
        ("CONFIG", "/nowhere.toml", "CROSSDOCK_CONFIG names /nowhere.toml"),
    ],
)
def test_a_bad_value_is_refused_and_named(name, text, message):
    with pytest.raises(SettingsError) as caught:
        load_settings({f"CROSSDOCK_{name}": text})

    assert message in caught.value.message


async def test_the_payment_providers_that_settings_may_name_are_those_that_are_built(settings):
    runtime = create_runtime(settings.having(stripe_secret_key="sk_test_1"))
    async with Services(runtime) as services:
        assert tuple(services.paying.providers) == PAYMENT_PROVIDERS


@pytest.mark.parametrize("name", ["MASTER_KEY", "STRIPE_SECRET_KEY"])
def test_a_bad_secret_is_not_repeated(name):
    with pytest.raises(SettingsError) as caught:
        load_settings({f"CROSSDOCK_{name}": "hunter2hunter2"})

    assert "hunter2" not in caught.value.message


def test_a_broken_file_is_refused_with_its_place(tmp_path):
    (tmp_path / "crossdock.toml").write_text("port = \n")

    with pytest.raises(SettingsError, match="is not valid TOML"):
        load_settings({})


def test_variables_that_are_no_setting_are_found():
    given = {
        "CROSSDOCK_PROT": "1",
        "CROSSDOCK_PORT": "1",
        "CROSSDOCK_SERVER_PORT": "1",
        "CROSSDOCK_OUTBOUND_ALLOWED_HOSTS": "x",
        "CROSSDOCK_ZZZ": "x",
        "HOME": "/",
    }
    assert unknown_variables(given, settings=default_settings()) == {
        "CROSSDOCK_OUTBOUND_ALLOWED_HOSTS": "CROSSDOCK_OUTBOUND_ALLOWED_OUTBOUND_HOSTS",
        "CROSSDOCK_PROT": "CROSSDOCK_PORT",
        "CROSSDOCK_ZZZ": "",
    }


def test_the_example_file_holds_every_setting_with_its_default():
    example = tomllib.loads(EXAMPLE.read_text())
    written = {
        f"{table}.{name}": tuple(value) if isinstance(value, list) else value
        for table, values in example.items()
        for name, value in values.items()
    }

    assert written == {f"{s.table}.{s.name}": s.default for s in describe(default_settings())}


def test_the_example_file_loads(tmp_path):
    assert load_settings({"CROSSDOCK_CONFIG": str(EXAMPLE)}) == default_settings()


def test_the_example_file_says_what_each_setting_is_for():
    text = " ".join(EXAMPLE.read_text().replace("\n# ", " ").split())

    described = [(s.name, s.description) for s in describe(default_settings())]
    missing = [name for name, reason in described if reason not in text]

    assert missing == []


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("127.0.0.1:8108, relay", ("127.0.0.1:8108", "relay")),
        ('["127.0.0.1:8108", "relay"]', ("127.0.0.1:8108", "relay")),
        ("['relay']", ("relay",)),
        ("[a, b]", ("a", "b")),
        ("[::1]:8108", ("[::1]:8108",)),
        ("[::1],[::2]", ("[::1]", "[::2]")),
        ("[]", ()),
        ("", ()),
    ],
)
def test_a_list_in_the_environment_may_be_written_as_in_the_file(
    text: str, items: tuple[str, ...]
) -> None:
    settings = load_settings({"CROSSDOCK_ALLOWED_OUTBOUND_HOSTS": text})

    assert settings.outbound.allowed_outbound_hosts == items


def test_older_master_keys_are_a_list_that_is_checked_and_never_shown():
    keys = ["A" * 43 + "=", "B" * 42 + "A="]
    loaded = load_settings({"CROSSDOCK_MASTER_KEY_OLDER": ", ".join(keys)})
    assert loaded.secrets.master_key_older == tuple(keys)

    with pytest.raises(SettingsError, match="each of master_key_older must be 32") as refusal:
        load_settings({"CROSSDOCK_MASTER_KEY_OLDER": f"{keys[0]},sEcReT"})

    assert "sEcReT" not in str(refusal.value)
    assert keys[0] not in str(refusal.value)


def test_a_section_is_a_table_of_the_file(tmp_path):
    (tmp_path / "crossdock.toml").write_text("[server]\nport = 9001\n[shopwedo]\nskew_s = 30\n")

    settings = load_settings({})

    assert settings.server.port == 9001
    assert settings.section(ShopwedoSettings).skew_s == 30


def test_an_unknown_name_in_a_table_is_refused_with_the_nearest_known(tmp_path):
    (tmp_path / "crossdock.toml").write_text("[shopwedo]\nskews = 30\n")

    with pytest.raises(SettingsError, match=r"'shopwedo.skews'; did you mean shopwedo.skew_s"):
        load_settings({})


def test_a_table_that_no_part_has_is_refused(tmp_path):
    (tmp_path / "crossdock.toml").write_text("[shopwdeo]\nskew_s = 30\n")

    with pytest.raises(SettingsError, match="'shopwdeo'; did you mean shopwedo"):
        load_settings({})


@pytest.mark.parametrize(
    ("variable", "expected"),
    [("CROSSDOCK_SHOPWEDO_SKEW_S", "shopwedo"), ("CROSSDOCK_SERVER_PORT", "server"),
     ("CROSSDOCK_PORT", "server"), ("CROSSDOCK_DATABASE_POOL_MAX", "database"),
     ("CROSSDOCK_POOL_MAX", "database")],
)  # fmt: skip
def test_the_environment_knows_a_setting_with_and_without_its_table(variable, expected):
    changed = [
        section.table
        for section, default in zip(
            load_settings({variable: "9"}).all(), default_settings().all(), strict=True
        )
        if section != default
    ]

    assert changed == [expected]


def test_the_longer_name_wins():
    given = {"CROSSDOCK_PORT": "9001", "CROSSDOCK_SERVER_PORT": "9002"}

    assert load_settings(given).server.port == 9002


BEFORE = """DATABASE_URL DATA_DIR MASTER_KEY MASTER_KEY_OLDER PUBLIC_URL CLOCK HOST PORT WORKERS
SHUTDOWN_GRACE_S CATALOGUE_CACHE_MB POOL_MIN POOL_MAX LOCK_TIMEOUT_MS STATEMENT_TIMEOUT_MS LOG_LEVEL
LOG_FORMAT METRICS_TOKEN BODY_LIMIT_BYTES SIGNATURE_WINDOW_S NONCE_TTL_S RATE_LIMIT_PER_MINUTE
ITEMS_PER_ORDER_MAX SHOPWEDO_SKEW_S SESSION_IDLE_S SESSION_LONGEST_S SIGN_IN_FREE_FAILURES
SIGN_IN_LONGEST_WAIT_S TRUSTED_PROXIES SC_REQUIRES_STOCK CREATE_STATUS ORDER_NOTE_TEMPLATE
ROTATION_EXCLUDED_SALES_REPS SALES_REP_DIRECTORY_URL SALES_REP_DIRECTORY_TIMEOUT_S
ALLOWED_OUTBOUND_HOSTS LABEL_FONTS DISPATCH_RETRY_S JOBS_CONCURRENCY JOB_HISTORY_HOURS"""


def test_no_name_in_the_environment_was_ever_taken_away():
    names = {f"CROSSDOCK_{name}": "" for name in BEFORE.split()}

    assert unknown_variables(names, settings=default_settings()) == {}


def test_every_section_belongs_to_one_part_and_is_read_by_nothing_else():
    """What puts parts together reads every section: the composition, the processes, the commands."""
    source = ROOT / "src/crossdock"
    sections = {each.table: each.part for each in default_settings().all() if each.part}
    strangers = []
    for path in source.rglob("*.py"):
        place = str(path.relative_to(source))
        if place.startswith(("commands/", "serving/", "settings/")) or path.name in {
            "app.py", "building.py", "compose.py"
        }:  # fmt: skip
            continue
        strangers += [
            f"{place} reads [{table}] of {sections[table]}"
            for table in re.findall(r"\bsettings\.(\w+)\.", path.read_text())
            if table in sections and not place.startswith(sections[table])
        ]

    assert strangers == []
    assert all((source / part).exists() for part in sections.values())


def test_a_channel_declares_its_section_in_its_own_folder():
    for manifest in manifests():
        assert manifest.settings is not None
        assert type(manifest.settings).__module__ == f"crossdock.channels.{manifest.name}.settings"
        assert manifest.settings.part == f"channels/{manifest.name}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ALERT_MAIL_TO": "ops@shop.example"}, "alert_mail_to needs smtp_host"),
        ({"SMTP_HOST": "mail.example"}, "smtp_host needs mail_from"),
        ({"MAIL_FROM": "nobody"}, "mail_from: 'nobody' is not an e-mail address"),
        (
            {
                "SMTP_HOST": "mail.example",
                "MAIL_FROM": "a@b.example",
                "ALERT_MAIL_TO": "x@y.example, z",
            },
            "alert_mail_to: 'z' is not an e-mail address",
        ),
        (
            {
                "SMTP_HOST": "m.example",
                "MAIL_FROM": "a@b.example",
                "SMTP_USER": "u",
                "SMTP_TLS": "none",
            },
            "a password is not sent unencrypted",
        ),
    ],
)
def test_mail_settings_that_cannot_work_are_refused(given, said):
    with pytest.raises(SettingsError, match=said):
        load_settings({f"CROSSDOCK_{name}": value for name, value in given.items()})


def test_the_password_of_the_mail_server_is_never_shown():
    secret = {each.usual_name for each in describe(default_settings()) if each.is_secret}

    assert "smtp_password" in secret
