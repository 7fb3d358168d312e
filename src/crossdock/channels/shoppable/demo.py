"""The demo's publisher, with the test token of the published guide (seeds/003, step 1)."""

from crossdock.channels.contract import Demo, DemoPartner

TEST_TOKEN = "Kolu72V3T3eFplHNe66e8aef90aba018"  # nosec B105: published, and good for the demo alone


def _show(key: str, secret: str) -> dict[str, object]:
    return {"key": key, "token": secret}


DEMO = Demo(partners=(DemoPartner(name="Demo publisher", token=TEST_TOKEN),), show=_show)
