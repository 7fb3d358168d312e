"""Settings: where they come from, what is refused, and that the example file tells the truth."""

import tomllib
from pathlib import Path

import pytest

from crossdock.settings import Settings, SettingsError, describe, load_settings, unknown_variables

EXAMPLE = Path(__file__).parents[1] / "crossdock.example.toml"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_defaults_need_no_file_and_no_environment():
    assert load_settings({}) == Settings()


def test_file_in_the_working_folder_is_read(tmp_path):
    (tmp_path / "crossdock.toml").write_text("port = 9001\n")

    assert load_settings({}).port == 9001


def test_file_in_the_data_folder_is_read(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "crossdock.toml").write_text('log_format = "json"\n')

    settings = load_settings({"CROSSDOCK_DATA_DIR": str(tmp_path / "store")})

    assert settings.log_format == "json"
    assert settings.data_path == tmp_path / "store"


def test_environment_wins_over_the_file(tmp_path):
    (tmp_path / "mine.toml").write_text("port = 9001\nworkers = 3\n")

    settings = load_settings({"CROSSDOCK_CONFIG": "mine.toml", "CROSSDOCK_PORT": "9002"})

    assert (settings.port, settings.workers) == (9002, 3)


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

    assert settings.sc_requires_stock is True
    assert settings.create_status == 200
    assert settings.sales_rep_directory_timeout_s == 1.5
    assert settings.dispatch_retry_s == (1, 2, 3)
    assert settings.allowed_outbound_hosts == ("127.0.0.1:9000", "sim.test")


def test_an_unknown_name_in_the_file_is_refused_with_the_nearest_known(tmp_path):
    (tmp_path / "crossdock.toml").write_text("databse_url = ''\n")

    with pytest.raises(SettingsError, match="'databse_url'; did you mean database_url"):
        load_settings({})


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
        ("CONFIG", "/nowhere.toml", "CROSSDOCK_CONFIG names /nowhere.toml"),
    ],
)
def test_a_bad_value_is_refused_and_named(name, text, message):
    with pytest.raises(SettingsError) as caught:
        load_settings({f"CROSSDOCK_{name}": text})

    assert message in caught.value.message


def test_a_bad_secret_is_not_repeated():
    with pytest.raises(SettingsError) as caught:
        load_settings({"CROSSDOCK_MASTER_KEY": "hunter2hunter2"})

    assert "hunter2" not in caught.value.message


def test_a_broken_file_is_refused_with_its_place(tmp_path):
    (tmp_path / "crossdock.toml").write_text("port = \n")

    with pytest.raises(SettingsError, match="is not valid TOML"):
        load_settings({})


def test_variables_that_are_no_setting_are_found():
    assert unknown_variables({"CROSSDOCK_PROT": "1", "CROSSDOCK_PORT": "1", "HOME": "/"}) == [
        "CROSSDOCK_PROT"
    ]


def test_the_example_file_holds_every_setting_with_its_default():
    defaults = {name: default for name, default, _ in describe()}
    example = tomllib.loads(EXAMPLE.read_text())

    assert {name: tuple(v) if isinstance(v, list) else v for name, v in example.items()} == defaults


def test_the_example_file_loads(tmp_path):
    assert load_settings({"CROSSDOCK_CONFIG": str(EXAMPLE)}) == Settings()


def test_the_example_file_says_what_each_setting_is_for():
    text = " ".join(EXAMPLE.read_text().replace("\n# ", " ").split())

    missing = [name for name, _, reason in describe() if reason not in text]

    assert missing == []


def test_older_master_keys_are_a_list_that_is_checked_and_never_shown():
    keys = ["A" * 43 + "=", "B" * 42 + "A="]
    loaded = load_settings({"CROSSDOCK_MASTER_KEY_OLDER": ", ".join(keys)})
    assert loaded.master_key_older == tuple(keys)

    with pytest.raises(SettingsError, match="each of master_key_older must be 32") as refusal:
        load_settings({"CROSSDOCK_MASTER_KEY_OLDER": f"{keys[0]},sEcReT"})

    assert "sEcReT" not in str(refusal.value)
    assert keys[0] not in str(refusal.value)
