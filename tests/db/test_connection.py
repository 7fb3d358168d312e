"""What is connected to for a URL: whichever of its hosts takes writes."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from crossdock.db.connection import connection_info
from crossdock.settings import load_settings

SEVERAL = "postgresql://shop:secret@one.example:5432,two.example:5433/shop"


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        (SEVERAL, ("read-write", "3")),
        (f"{SEVERAL}?target_session_attrs=primary", ("primary", "3")),
        (f"{SEVERAL}?connect_timeout=9", ("read-write", "9")),
        ("postgresql:///shop?host=/run/a,/run/b", ("read-write", "3")),
    ],
)
def test_what_a_url_leaves_out_is_filled_in(url: str, wanted: tuple[str, str]):
    info = conninfo_to_dict(connection_info(url))

    assert (info["target_session_attrs"], info["connect_timeout"]) == wanted
    assert info["host"] == conninfo_to_dict(url)["host"]
    assert info.get("port") == conninfo_to_dict(url).get("port")


def test_a_url_of_several_hosts_is_a_setting():
    assert load_settings({"CROSSDOCK_DATABASE_URL": SEVERAL}).database.url == SEVERAL
